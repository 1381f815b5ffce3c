import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { makeTempDir } from './temp.ts'

/** A pretended serial port (a pseudo-terminal held by socat) that can be pulled out and plugged in again. */
export interface TestPort {
  /** What the program under test opens, e.g. `/tmp/.../port`. Points nowhere while unplugged. */
  readonly path: string
  /** The other end, a terminal too; present with the back `pair`. */
  readonly farPath: string
  /** As a USB adapter pulled out: the open port hangs up and the path is gone. */
  unplug(): Promise<void>
  /** Plugs the same thing in again, under a new device number. */
  replug(): Promise<void>
  /** It stays plugged in and nothing passes; bytes pile up. */
  stall(): void
  /** Bytes pass again. */
  flow(): void
  close(): Promise<void>
}

/**
 * Plugs in a port.
 *
 * @param back - what is behind it: another terminal, or a unix socket a simulator serves (one connection per plug)
 *
 * What a pseudo-terminal can't show: modem lines, parity and framing errors, a real line speed, break.
 */
export async function plugSerialPort(back: 'pair' | { unix: string } = 'pair'): Promise<TestPort> {
  const dir = makeTempDir('golem-port')
  const path = join(dir.path, 'port')
  const farPath = join(dir.path, 'port.far')
  const fresh = { near: join(dir.path, 'near'), far: join(dir.path, 'far') }
  const pty = (link: string): string => `pty,raw,echo=0,link=${link}`
  let socat: ChildProcess | undefined

  const unplug = async (): Promise<void> => {
    // The paths first: the terminal's number may be somebody else's a moment later.
    rmSync(path, { force: true })
    rmSync(farPath, { force: true })
    const child = socat
    socat = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
  const plug = async (): Promise<void> => {
    for (const link of Object.values(fresh)) rmSync(link, { force: true })
    const child = spawn(
      'socat',
      [pty(fresh.near), back === 'pair' ? pty(fresh.far) : `UNIX-CONNECT:${back.unix}`],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    socat = child
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`socat ended: ${output}`)
        return existsSync(fresh.near) && (back !== 'pair' || existsSync(fresh.far))
      },
      { what: 'socat has made its terminals', everyMs: 5 },
    )
    if (back === 'pair') publish(fresh.far, farPath)
    publish(fresh.near, path)
  }

  await plug()
  return {
    path,
    farPath,
    unplug,
    replug: plug,
    stall: () => void socat?.kill('SIGSTOP'),
    flow: () => void socat?.kill('SIGCONT'),
    async close() {
      await unplug()
      dir.remove()
    },
  }
}

/** Puts a link in its place in one step, so that nobody sees half of it. */
function publish(made: string, place: string): void {
  const link = `${place}.new`
  symlinkSync(readlinkSync(made), link)
  renameSync(link, place)
  rmSync(made)
}
