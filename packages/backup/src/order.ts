import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BackupError } from './manifest.ts'
import type { BackupOrder } from './main.ts'

const PROGRAM = fileURLToPath(new URL('main.js', import.meta.url))
/** How much of what a program says is kept, in characters. */
const SAID_MAX = 2_000

/**
 * Has a backup written by a process of its own.
 *
 * @param signal - ends it early; nothing is left of the file then
 * @throws BackupError with what the process said
 */
export function orderBackup(order: BackupOrder, signal: AbortSignal): Promise<void> {
  return runProgram(process.execPath, [PROGRAM], signal, JSON.stringify(order))
}

/**
 * Runs a program to its end.
 *
 * @param input - for its standard input
 * @throws BackupError with its exit code and what it said last
 */
export function runProgram(
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  input = '',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { signal, stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-SAID_MAX)))
    }
    // It may end without having read it: then its exit code says why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.once('error', (error) => reject(new BackupError(`${file}: ${error.message}`)))
    child.once('close', (code, killed) => {
      if (code === 0) resolve()
      else
        reject(new BackupError(`${file} ended with ${killed ?? code}: ${said.trim() || 'it said nothing'}`))
    })
  })
}
