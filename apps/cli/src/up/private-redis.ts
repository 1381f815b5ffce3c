import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '@golem/core'
import type { Environment } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { freeLoopbackPort } from './free-port.ts'
import { Program, type ProgramListener } from './program.ts'
import { findRedisBinary, type RedisBinary } from './redis-binary.ts'
import { askRedis, type RedisPlace } from './redis-probe.ts'

/** The longest path of a Unix socket, in bytes (sun_path without its final zero). */
const LONGEST_SOCKET_PATH = 107
/** How long an append-only file may take to load, in ms. */
const READY_WITHIN_MS = 60_000

/**
 * Redis with a shell as its guard, `$@` being the server with its options. A line on standard input asks it to
 * end. When the input ends without one, golem was killed: the workers are then on their way out too and get a
 * moment to write down what they did, before Redis ends in an orderly way.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ || sleep 3; kill -TERM "$server" 2>/dev/null; } <&3 &
guard=$!
wait "$server"
code=$?
kill "$guard" 2>/dev/null
exit "$code"`

export interface PrivateRedis {
  program: Program<true>
  /** unix:// or redis:// address for REDIS_URL. */
  url: string
}

/**
 * Prepares this instance's own Redis, with append-only data in `<instance>/redis`; `program.start()` starts it.
 * A server that a crashed golem left behind is ended first: the caller holds the lock of the instance.
 *
 * @param instanceDir - absolute
 * @throws CliError failed when no server is installed, or the old one does not end
 */
export async function preparePrivateRedis(
  instanceDir: string,
  env: Environment,
  listener: ProgramListener,
): Promise<PrivateRedis> {
  const binary = findRedisBinary(env)
  if (!binary) {
    throw new CliError(
      'failed',
      'There is no Redis on this machine. Type `sudo apt-get install redis-tools` (it holds the server and starts ' +
        'no service), or name an existing Redis in REDIS_URL.',
    )
  }
  const runDir = path.join(instanceDir, 'run')
  const dataDir = path.join(instanceDir, 'redis')
  mkdirSync(runDir, { recursive: true })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const place = await choosePlace(runDir)
  if ('path' in place) await endLeftOver(place)
  // For commands like init-db that have to find it; it may hold a password.
  writeFileSync(placeFile(instanceDir), JSON.stringify(place), { mode: 0o600 })
  const command = commandOf(binary, { place, runDir, dataDir })
  const program = new Program<true>(
    {
      name: 'redis',
      command: () => ({ file: '/bin/sh', args: ['-c', GUARD, 'golem-redis', ...command] }),
      env,
      cwd: dataDir,
      logFile: path.join(runDir, 'redis.log'),
      readiness: { poll: async () => ((await askRedis(place, ['PING'])) === 'PONG' ? true : null) },
      readyWithinMs: READY_WITHIN_MS,
      endBy: 'stdin',
    },
    listener,
  )
  return { program, url: urlOfPlace(place) }
}

function placeFile(instanceDir: string): string {
  return path.join(instanceDir, 'run', 'redis.json')
}

/** The address of the private Redis that runs for an instance, or null when none answers. */
export async function readPrivateRedisUrl(instanceDir: string): Promise<string | null> {
  let place: RedisPlace
  try {
    place = JSON.parse(readFileSync(placeFile(instanceDir), 'utf8')) as RedisPlace
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CliError('failed', `${placeFile(instanceDir)} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  return (await askRedis(place, ['PING'])) === 'PONG' ? urlOfPlace(place) : null
}

/** A socket in the instance folder; where its path is too long, a port on loopback behind a password. */
async function choosePlace(runDir: string): Promise<RedisPlace> {
  const socket = path.join(runDir, 'redis.sock')
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return { path: socket }
  return { port: await freeLoopbackPort(), password: randomBytes(24).toString('hex') }
}

function urlOfPlace(place: RedisPlace): string {
  if ('port' in place) return `redis://:${place.password}@127.0.0.1:${place.port}`
  return `unix://${place.path.split('/').map(encodeURIComponent).join('/')}`
}

/** Ends a server that still listens on our socket, so that two never write one append-only file. */
async function endLeftOver(place: { path: string }): Promise<void> {
  if ((await askRedis(place, ['PING'])) === null) {
    // Nobody listens: a socket file of a crash, or none. Redis would refuse to start over it.
    rmSync(place.path, { force: true })
    return
  }
  await askRedis(place, ['SHUTDOWN'], 2000)
  for (let waited = 0; waited < 5000; waited += 50) {
    if ((await askRedis(place, ['PING'])) === null) return
    await sleep(50)
  }
  throw new CliError(
    'failed',
    `A Redis that an earlier golem left behind still runs on ${place.path} and does not end. ` +
      `\`fuser ${place.path}\` names its process: end that one, then start again.`,
  )
}

function commandOf(
  binary: RedisBinary,
  { place, runDir, dataDir }: { place: RedisPlace; runDir: string; dataDir: string },
): string[] {
  // The name it is started under makes it a server, whatever the file is called.
  const file = path.join(runDir, binary.startAs)
  rmSync(file, { force: true })
  symlinkSync(binary.file, file)
  const configuration = path.join(runDir, 'redis.conf')
  // In a file that only we may read: a password on the command line is for everybody to see.
  writeFileSync(configuration, 'port' in place ? `requirepass ${place.password}\n` : '', { mode: 0o600 })
  const settings = {
    ...('port' in place
      ? { port: String(place.port), bind: '127.0.0.1' }
      : { port: '0', unixsocket: place.path, unixsocketperm: '600' }),
    dir: dataDir,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    // What is delayed comes at most 12 ms late, for half a percent of a core.
    hz: '100',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  return [file, configuration, ...options]
}
