import { readFileSync } from 'node:fs'
import { messageOf } from '@golem/core'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml'
import type { Fault } from './site-faults.ts'

/** Steps from the top of a document to a value: keys of tables, indices of lists. */
export type Path = readonly (string | number)[]

/** A file larger than this is not a site file. */
const LARGEST_BYTES = 1024 * 1024

/** One slip in YAML makes many errors behind it: more than these help nobody. */
const MOST_SYNTAX_FAULTS = 20

/** A YAML file with the places of its values. */
export interface YamlSource {
  /** The value of the whole document; undefined when the file could not be read. */
  data: unknown
  /** What is wrong with it as YAML. */
  faults: readonly Fault[]
  /**
   * Where a value stands; for one that is not there, the nearest table or list around it.
   *
   * @param at - `key`: the place of its key rather than of the value
   */
  locate(path: Path, at?: 'key' | 'value'): { line: number; column: number }
}

/** Reads a YAML file. Never throws: whatever is wrong is in `faults`. */
export function readYamlSource(file: string): YamlSource {
  let text: string
  try {
    const bytes = readFileSync(file)
    if (bytes.length > LARGEST_BYTES)
      return unreadable(file, 'The file is larger than 1 MiB; that is no site file.')
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    return unreadable(file, whyUnreadable(error))
  }
  return parseYamlSource(file, text)
}

/**
 * Reads the text of a YAML file. Never throws: whatever is wrong is in `faults`.
 *
 * @param file - what the faults call it
 */
export function parseYamlSource(file: string, text: string): YamlSource {
  try {
    return parse(file, text)
  } catch (error) {
    // The parser recurses: some thousand nested brackets exhaust the stack.
    return unreadable(file, `The file could not be read as YAML: ${messageOf(error)}.`)
  }
}

const unreadable = (file: string, message: string): YamlSource => ({
  data: undefined,
  faults: [{ file, line: 1, column: 1, path: '', message }],
  locate: () => ({ line: 1, column: 1 }),
})

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') {
    return 'There is no such file. Copy instance/site.example.yaml to instance/site.yaml and adapt it, or name yours in GOLEM_SITE.'
  }
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return 'The file is not UTF-8. Save it in that encoding (a "°" in Latin-1 is enough to break it).'
  }
  return `The file could not be read: ${messageOf(error)}.`
}

function parse(file: string, text: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const faults = [...document.errors, ...document.warnings]
    .slice(0, MOST_SYNTAX_FAULTS)
    .map((error): Fault => {
      const { line, column } = place(error.pos[0])
      return { file, line, column, path: '', message: explain(error.code, error.message) }
    })
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document)) return
      const message = `There is no anchor "&${alias.source}" before this. Write it there, or the value itself here.`
      faults.push({ file, ...place(alias.range?.[0] ?? 0), path: '', message })
    },
  })
  const locate: YamlSource['locate'] = (path, at = 'value') => {
    const offset = offsetOf(document.contents, path, at, (node) =>
      isAlias(node) ? node.resolve(document) : node,
    )
    return place(offset)
  }
  // A broken document still has contents, but half of what would be said about them is wrong.
  return { data: faults.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 }), faults, locate }
}

function explain(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'This key is written twice in one table. Keep one of them.'
  if (code === 'TAB_AS_INDENT') return 'The line is indented with a tab. YAML wants spaces.'
  if (code === 'MULTIPLE_DOCS') return 'The file has more than one document ("---"). Keep one.'
  return `This is not YAML: ${message.replace(/\.$/, '')}.`
}

function offsetOf(
  top: Node | null,
  path: Path,
  at: 'key' | 'value',
  resolve: (node: Node) => Node | undefined,
): number {
  let node: Node | null | undefined = top
  let offset = top?.range?.[0] ?? 0
  for (const [index, step] of path.entries()) {
    const whole: Node | undefined = node ? resolve(node) : undefined
    if (isMap(whole)) {
      const pair = whole.items.find((item) => keyOf(item) === String(step))
      if (!pair) return offset
      const key = pair.key as Node
      node = pair.value as Node | null
      const wantsKey = at === 'key' && index === path.length - 1
      // An empty value has a place of its own only behind line breaks and comments: its key says more.
      offset = (!wantsKey && !isEmpty(node) ? node?.range?.[0] : undefined) ?? key.range?.[0] ?? offset
    } else if (isSeq(whole)) {
      node = whole.items[Number(step)] as Node | null | undefined
      offset = node?.range?.[0] ?? offset
    } else {
      return offset
    }
  }
  return offset
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

function isEmpty(node: Node | null): boolean {
  return isScalar(node) && node.value === null && node.source === ''
}

/** A path as people write it: `instruments[2].address`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('')
}
