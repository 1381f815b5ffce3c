import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Fault } from '@golem/config'
import { messageOf } from '@golem/core'
import { transformSync } from '@swc/wasm-typescript'

/** A driver file, ready to be run in a thread. */
export interface DriverSource {
  /** Absolute path. */
  file: string
  /** As messages name it: `drivers/oven.ts`, `recipes/scan.ts`. */
  name: string
  /** The id its model has to have: the name of the file. */
  id: string
  /** The code as a URL that can be imported. */
  url: string
}

/** What the wasm module throws. */
interface SyntaxFault {
  message: string
  startLine: number
  /** From 0. */
  startColumn: number
}

const IMPORT = /(\b(?:from|import)\s*\(?\s*)(['"])([^'"\n]+)\2/g

/**
 * Reads a file of code of a site and takes the types out; lines and columns stay what they are.
 *
 * @param file - absolute path of a `.ts` or `.mjs` file
 * @param kind - what it is
 * @returns what is wrong instead, when something is
 */
export function readDriverSource(file: string, kind: 'driver' | 'recipe' = 'driver'): DriverSource | Fault {
  const name = `${kind}s/${basename(file)}`
  const at = (line: number, column: number, message: string): Fault => ({
    file,
    line,
    column,
    path: '',
    message,
  })
  let code: string
  try {
    const text = readFileSync(file, 'utf8')
    code = transformSync(text, { mode: 'strip-only', module: true, filename: name }).code
  } catch (error) {
    if (!isSyntaxFault(error)) return at(1, 1, `The file can't be read: ${messageOf(error)}.`)
    return at(error.startLine, error.startColumn + 1, `${error.message.replace(/\.$/, '')}.`)
  }
  const core = import.meta.resolve('@golem/core')
  for (const { index, 1: before = '', 3: from = '' } of code.matchAll(IMPORT)) {
    if (from === '@golem/core' || from.startsWith('node:')) continue
    // The word may stand in a text or a comment; what is imported by nobody else stands at the start of a line.
    const lines = code.slice(0, index).split('\n')
    if (!/^(?:import|export|\s*\})/.test(lineAround(code, index))) continue
    return at(
      lines.length,
      (lines.at(-1)?.length ?? 0) + before.length + 1,
      `It imports "${from}". A ${kind} is one file and imports from @golem/core and node: only.`,
    )
  }
  const linked = code.replaceAll(IMPORT, (all, before: string, quote: string, from: string) =>
    from === '@golem/core' ? `${before}${quote}${core}${quote}` : all,
  )
  const named = `${linked}\n//# sourceURL=golem:${name}\n`
  return {
    file,
    name,
    id: basename(file).replace(/\.[a-z]+$/, ''),
    url: `data:text/javascript;base64,${Buffer.from(named).toString('base64')}`,
  }
}

function lineAround(code: string, index: number): string {
  const start = code.lastIndexOf('\n', index) + 1
  const end = code.indexOf('\n', index)
  return code.slice(start, end < 0 ? undefined : end)
}

function isSyntaxFault(error: unknown): error is SyntaxFault {
  return typeof error === 'object' && error !== null && 'startLine' in error && 'startColumn' in error
}
