import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliError } from '../exit-codes.ts'

export const SUMS_FILE = 'SHA256SUMS'

/** All files below a folder, as paths relative to it, in order. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** Writes the checksums of all files of a folder, as `sha256sum -c` reads them. */
export async function writeSums(folder: string): Promise<void> {
  const lines = []
  for (const file of filesIn(folder)) {
    if (file !== SUMS_FILE) lines.push(`${await sumOf(join(folder, file))}  ${file}\n`)
  }
  writeFileSync(join(folder, SUMS_FILE), lines.join(''))
}

/**
 * Compares a folder with its checksums.
 *
 * @returns faults as sentences; none: everything is there and as it was written, and nothing else
 * @throws CliError usage: it is no bundle
 */
export async function checkSums(folder: string): Promise<{ files: number; faults: string[] }> {
  const sums = join(folder, SUMS_FILE)
  if (!existsSync(sums)) throw new CliError('usage', `${folder} is no bundle: it has no ${SUMS_FILE}.`)
  const faults: string[] = []
  const listed = new Set<string>()
  for (const line of readFileSync(sums, 'utf8').split('\n')) {
    if (line === '') continue
    const [, sum, file] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? []
    if (sum === undefined || file === undefined || file.split('/').includes('..') || file.startsWith('/')) {
      faults.push(`${SUMS_FILE} has a line that is none of its own: ${line.slice(0, 80)}`)
      continue
    }
    listed.add(file)
    const path = join(folder, file)
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) faults.push(`${file} is missing.`)
    else if ((await sumOf(path)) !== sum) faults.push(`${file} is not as it was written.`)
  }
  for (const file of filesIn(folder)) {
    if (file !== SUMS_FILE && !listed.has(file)) faults.push(`${file} does not belong to it.`)
  }
  return { files: listed.size, faults }
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
  return hash.digest('hex')
}
