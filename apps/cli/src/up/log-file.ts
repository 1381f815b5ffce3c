import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'

/** A log is set aside as `….1` when it has grown beyond this, so that weeks of running cannot fill the disk. */
const LARGEST_BYTES = 10 * 1024 * 1024

/** A bounded log file: the present one and one older. */
export class LogFile {
  readonly file: string
  #size: number
  #broken = false
  readonly #onTrouble: (error: Error) => void

  /** @param onTrouble - told once when the file cannot be written; logging goes on when it can again */
  constructor(file: string, onTrouble: (error: Error) => void) {
    this.file = file
    this.#onTrouble = onTrouble
    mkdirSync(path.dirname(file), { recursive: true })
    this.#size = sizeOf(file)
  }

  /** Appends a line. A full disk does not end golem. */
  write(line: string): void {
    const text = `${line}\n`
    try {
      if (this.#size > LARGEST_BYTES) {
        renameSync(this.file, `${this.file}.1`)
        this.#size = 0
      }
      appendFileSync(this.file, text)
      this.#size += Buffer.byteLength(text)
      this.#broken = false
    } catch (error) {
      if (!this.#broken) this.#onTrouble(error as Error)
      this.#broken = true
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
