import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.ts'
import { makeTempDir } from './temp.ts'

const run = promisify(execFile)

/** A Redis of a test's own, to be killed, frozen and robbed of its last second. */
export interface TestRedis {
  /** `unix:///tmp/.../redis.sock` */
  readonly url: string
  readonly socket: string
  readonly pid: number
  /** Runs one command by redis-cli. @returns what it answered, as text */
  call(...words: string[]): Promise<string>
  /** kill -9. What was written to its append-only file stays. */
  kill(): Promise<void>
  /** Starts it again on the same socket with the same data, and waits until it answers. */
  start(): Promise<void>
  /** kill -9, then start. */
  restart(): Promise<void>
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void
  resume(): void
  /** Remembers the data as they are now, for `killAndRollBack`. */
  mark(): Promise<void>
  /** kill -9 and start with the data of the last `mark`: all that was written since is lost, as after a power cut. */
  killAndRollBack(): Promise<void>
  /** Ends it and removes its data. */
  close(): Promise<void>
}

/**
 * Starts a private Redis on a unix socket, append-only, without eviction, as golem runs its own.
 *
 * @param settings - further ones, e.g. `{ maxmemory: '100mb' }`
 */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  const dir = makeTempDir('golem-redis')
  const socket = join(dir.path, 'redis.sock')
  const marked = join(dir.path, 'marked')
  const data = join(dir.path, 'appendonlydir')
  const flags: Record<string, string> = {
    port: '0',
    unixsocket: socket,
    dir: dir.path,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // A rewrite while `mark` copies the files would tear the copy.
    'auto-aof-rewrite-percentage': '0',
    save: '',
    'maxmemory-policy': 'noeviction',
    hz: '100',
    ...settings,
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  const program = redisProgram()
  let server: ChildProcess | undefined

  const call = async (...words: string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-s', socket, ...words], { timeout: 5_000 })
    return stdout.trimEnd()
  }
  const start = async (): Promise<void> => {
    await rm(socket, { force: true })
    const child = spawn(program, args, { argv0: 'redis-server', stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-20_000)
      })
    }
    server = child
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`Redis ended: ${output}`)
        return existsSync(socket) && (await call('ping')) === 'PONG'
      },
      { what: `Redis answers on ${socket}`, everyMs: 5 },
    )
  }
  const kill = async (): Promise<void> => {
    const child = server
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    url: `unix://${socket}`,
    socket,
    get pid() {
      return server?.pid ?? 0
    },
    call,
    kill,
    start,
    async restart() {
      await kill()
      await start()
    },
    freeze: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
    async mark() {
      await rm(marked, { recursive: true, force: true })
      await cp(data, marked, { recursive: true })
    },
    async killAndRollBack() {
      if (!existsSync(marked)) throw new Error('killAndRollBack needs a mark() before it.')
      await kill()
      await rm(data, { recursive: true })
      await cp(marked, data, { recursive: true })
      await start()
    },
    async close() {
      await kill()
      dir.remove()
    },
  }
}

/** Debian's redis-tools alone brings the server too: as redis-check-rdb, which is a server when it is called one. */
function redisProgram(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  for (const name of ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb']) {
    const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
    if (found) return found
  }
  throw new Error('There is no Redis here: apt-get install redis-tools.')
}
