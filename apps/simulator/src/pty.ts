import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { GolemError, messageOf } from '@golem/core'

/** How long socat may take to make the port, ms. */
const READY_MS = 5000
/** More than this is not kept for a reader who does not read, bytes. */
const MAX_BACKLOG = 32 * 1024

/**
 * The far end of a serial line: a pseudo terminal made by socat, whose near end is opened by its path like
 * any serial port. A new one has a new number behind the same path, as when a USB cable is plugged in again.
 *
 * Unlike on a real line, what nobody reads is kept (4 KiB in the terminal, 64 KiB in the pipe to socat) until
 * somebody reads or flushes it; a line that is full does not hear either.
 */
export class Pty {
  readonly #child: ChildProcess
  readonly #path: string
  readonly #exited: Promise<void>
  /** Keeps the near end open, so that the line survives a reader who closes it. It is never read. */
  #keeper: number | null = null

  private constructor(child: ChildProcess, path: string, onData: (bytes: Buffer) => void) {
    this.#child = child
    this.#path = path
    this.#exited = new Promise((resolve) => {
      child.once('close', () => resolve())
      child.once('error', () => resolve())
    })
    // A write into a line that has just gone is lost, as on a real one.
    child.stdin?.on('error', () => child.stdin?.destroy())
    child.stdout?.on('data', onData)
  }

  /**
   * Makes a pseudo terminal.
   *
   * @param path - where it is to be found; a dead link there is replaced
   * @param onData - called with what comes from the near end
   * @throws CONFIG_INVALID when socat is missing or can't make it
   */
  static async open(path: string, onData: (bytes: Buffer) => void): Promise<Pty> {
    removeLink(path)
    const link = path.replace(/[\\,:!"'()[\]{}]/g, '\\$&')
    const child = spawn('socat', ['-t0.1', `PTY,raw,echo=0,link=${link}`, 'STDIO'])
    const pty = new Pty(child, path, onData)
    let failure = ''
    child.stderr.on('data', (text: Buffer) => (failure = (failure + text.toString()).slice(-500)))
    child.once('error', (error) => (failure = startFailure(error)))
    const giveUpAt = performance.now() + READY_MS
    while (!fs.existsSync(path)) {
      if (failure !== '' || child.exitCode !== null || performance.now() > giveUpAt) {
        await pty.close()
        throw new GolemError(
          'CONFIG_INVALID',
          `The simulated serial port ${path} can't be made: ${failure.trim() || `socat did not make it within ${READY_MS} ms`}.`,
        )
      }
      await sleep(5)
    }
    pty.#keeper = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK)
    return pty
  }

  /** Sends to the near end. Lost when the line is full. */
  write(bytes: string | Buffer): void {
    const { stdin } = this.#child
    if (!stdin || stdin.destroyed || stdin.writableLength > MAX_BACKLOG) return
    stdin.write(bytes)
  }

  /** Pulls the cable: whoever has the port open is hung up on, and the path is gone. */
  async close(): Promise<void> {
    if (this.#keeper !== null) fs.closeSync(this.#keeper)
    this.#keeper = null
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 500)
    await this.#exited
    clearTimeout(force)
    removeLink(this.#path)
  }
}

function startFailure(error: Error): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
    return 'it needs socat, which is not installed. On Debian: apt install socat'
  }
  return messageOf(error)
}

/** Removes the symbolic link at a path. @throws CONFIG_INVALID when something else is there */
function removeLink(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSymbolicLink()) {
    throw new GolemError(
      'CONFIG_INVALID',
      `The simulated serial port ${path} can't be made: something else is there. Choose another folder.`,
    )
  }
  fs.unlinkSync(path)
}
