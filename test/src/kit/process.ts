import { fork, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a process of golem says when it is ready. */
export interface ReadyMessage {
  ready: true
  /** Of a web process: where it listens. */
  url?: string
}

export interface NodeProcess {
  readonly name: string
  readonly pid: number
  /** Settles when the process says that it is ready; rejects with its output when it ends before. */
  readonly ready: Promise<ReadyMessage>
  /** Settles when it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly alive: boolean
  /** All it has printed. */
  log(): string
  /** Sends a signal and, when that ends a process, waits until it has ended. SIGTERM has `withinMs` (default 15000). */
  kill(signal?: 'SIGKILL' | 'SIGTERM' | 'SIGINT', withinMs?: number): Promise<void>
  /** Freezes it (SIGSTOP): its connections stay open and nothing answers. */
  stop(): void
  /** Lets it go on (SIGCONT). */
  cont(): void
}

export interface SpawnNodeOptions {
  /** Added to this process's environment. */
  env?: Readonly<Record<string, string>>
  /** For messages (default: the path). */
  name?: string
}

/** The more of its output is kept, the older goes first, in characters. */
const KEPT_LOG = 1_000_000

/**
 * Starts a compiled program with the Node this test runs on, and a channel by which it says `{ ready: true }`.
 *
 * @param main - path of the program
 */
export function spawnNode(
  main: string,
  args: readonly string[],
  { env = {}, name = main }: SpawnNodeOptions = {},
): NodeProcess {
  const child = fork(main, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_LOG)
    })
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const ready = readiness(child, exited, () => `${name} ended before it was ready. It printed:\n${output}`)
  // Whoever does not wait for it learns of the early end from `exited`.
  ready.catch(() => undefined)
  const alive = (): boolean => child.exitCode === null && child.signalCode === null
  if (child.pid === undefined) throw new Error(`${name} could not be started.`)

  return {
    name,
    pid: child.pid,
    ready,
    exited,
    get alive() {
      return alive()
    },
    log: () => output,
    async kill(signal = 'SIGKILL', withinMs = 15_000) {
      if (!alive()) return
      child.kill(signal)
      // A frozen process takes no other signal than SIGKILL.
      if (signal !== 'SIGKILL') child.kill('SIGCONT')
      const late = new AbortController()
      const ended = await Promise.race([
        exited.then(() => true),
        sleep(withinMs, false, { signal: late.signal, ref: false }).catch(() => false),
      ])
      late.abort()
      if (ended) return
      child.kill('SIGKILL')
      await exited
      throw new Error(`${name} did not end within ${withinMs} ms after ${signal}. It printed:\n${output}`)
    },
    stop: () => void child.kill('SIGSTOP'),
    cont: () => void child.kill('SIGCONT'),
  }
}

function readiness(child: ChildProcess, exited: Promise<unknown>, why: () => string): Promise<ReadyMessage> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (isReady(message)) resolve(message)
    })
    child.once('error', reject)
    void exited.then(() => reject(new Error(why())))
  })
}

function isReady(message: unknown): message is ReadyMessage {
  return typeof message === 'object' && message !== null && 'ready' in message && message.ready === true
}
