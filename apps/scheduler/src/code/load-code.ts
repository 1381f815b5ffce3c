import { messageOf } from '@golem/core'
import { type ReadCode, readDeclaration } from '@golem/recipes'
import { existsSync, statSync } from 'node:fs'
import type { CodeFile } from './messages.ts'
import { ProgramProcess } from './program-process.ts'

/** How long a file may take to tell what it is, in ms. */
const DESCRIBE_MS = 10_000
/** What a program may use while it only tells what it is. */
const DESCRIBE_MEMORY_MB = 128

/** How many are asked at a time: one that hangs keeps the others from nothing. */
const AT_A_TIME = 3

/** What a file told of itself when it was as `stamp` says. */
export interface RememberedCode {
  stamp: string
  declaration: unknown
}

/** A recipe in code, as its file was when it was read. */
export interface LoadedCode {
  declared: ReadCode
  /** As it was told. */
  declaration: unknown
  /** null: it can't be run. */
  file: CodeFile | null
  /** When the file is the same, so is all of this; null: it took too long, which may have been the machine's fault. */
  stamp: string | null
}

/**
 * Reads the recipes in code of a folder: what is wrong with a file is among its faults.
 *
 * @param known - those that were read before, by id; brought up to date, each as soon as it is read
 * @param remembered - those that need not be asked what they are
 */
export async function loadCode(
  folder: string,
  known: Map<string, LoadedCode>,
  remembered: () => readonly RememberedCode[],
): Promise<void> {
  if (!existsSync(folder)) return known.clear()
  const { driverFiles, readRecipeSource } = await import('@golem/drivers')
  const read = async (file: string): Promise<LoadedCode> => {
    const { mtimeMs, size } = statSync(file)
    const stamp = `${file} ${mtimeMs} ${size}`
    const before = [...known.values()].find((each) => each.stamp === stamp)
    if (before) return before
    const source = await readRecipeSource(file)
    if (!('url' in source)) return { declared: faulty(file, source), declaration: null, file: null, stamp }
    const told = remembered().find((each) => each.stamp === stamp)
    if (told) {
      const { declaration } = told
      return { declared: readDeclaration(file, declaration), declaration, file: codeOf(source), stamp }
    }
    const described = await describe(file, source)
    return { ...described, stamp: described.isLate ? null : stamp }
  }
  const files = driverFiles(folder)
  const ids = new Set<string>()
  const take = async (): Promise<void> => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const one = await read(file)
      ids.add(one.declared.id)
      known.set(one.declared.id, one)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, take))
  for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
}

/** Reads one recipe in code: it is asked what it is, in a process of its own. What is wrong with it is among its faults. */
export async function readCodeFile(file: string): Promise<ReadCode> {
  const { readRecipeSource } = await import('@golem/drivers')
  const source = await readRecipeSource(file)
  return 'url' in source ? (await describe(file, source)).declared : faulty(file, source)
}

async function describe(
  file: string,
  source: CodeFile,
): Promise<Omit<LoadedCode, 'stamp'> & { isLate: boolean }> {
  const code = codeOf(source)
  try {
    const declaration = await declarationOf(code)
    return { declared: readDeclaration(file, declaration), declaration, file: code, isLate: false }
  } catch (error) {
    const message = messageOf(error)
    const line = new RegExp(`^${source.name}:(\\d+): `).exec(message)
    return {
      declared: faulty(file, {
        line: Number(line?.[1] ?? 1),
        column: 1,
        message: message.slice(line?.[0].length ?? 0),
      }),
      declaration: null,
      file: null,
      isLate: error instanceof TooLate,
    }
  }
}

function codeOf({ name, url }: CodeFile): CodeFile {
  return { name, url }
}

class TooLate extends Error {}

/** Has a file tell what it is, in a process of its own. @throws with what is wrong with it */
async function declarationOf({ name, url }: CodeFile): Promise<unknown> {
  let program: ProgramProcess | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve, reject) => {
      const seconds = DESCRIBE_MS / 1000
      const late = `${name} has not told what it is within ${seconds} s: outside of its function it must not wait.`
      timer = setTimeout(() => reject(new TooLate(late)), DESCRIBE_MS)
      const started = new ProgramProcess(
        name,
        { memoryMb: DESCRIBE_MEMORY_MB },
        {
          onMessage: (message) => {
            if (message.kind === 'described') resolve(message.declaration)
          },
          onFailure: (why) => reject(new Error(why)),
        },
      )
      program = started
      started.send({ kind: 'describe', name, url })
    })
  } finally {
    clearTimeout(timer)
    program?.end()
  }
}

function faulty(
  file: string,
  { line, column, message }: { line: number; column: number; message: string },
): ReadCode {
  const code = readDeclaration(file, { label: 'x' })
  return { ...code, recipe: null, faults: [{ file, line, column, path: '', message }] }
}
