import { GolemError, messageOf } from '@golem/core'
import { Cluster, Redis } from 'ioredis'

/** A connection to one Redis, a sentinel group or a cluster. */
export type Connection = Redis | Cluster

/**
 * How a connection behaves when Redis is away.
 *
 * fast: a command fails at once, or after two seconds without an answer; for web processes, where a person waits.
 * patient: a command waits until Redis is back; for workers, whose outcomes must not be lost, and for commands
 * that wait in Redis (XREAD BLOCK, subscriptions), which get a connection of their own.
 */
export type Temper = 'fast' | 'patient'

/** The longest a fast command may take, in ms. */
export const FAST_TIMEOUT_MS = 2_000
const RETRY_MIN_MS = 50
const RETRY_MAX_MS = 1_000

interface Settings {
  enableOfflineQueue: boolean
  maxRetriesPerRequest: number | null
  autoResendUnfulfilledCommands: boolean
  commandTimeout?: number
}

const TEMPERS: Record<Temper, Settings> = {
  fast: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: FAST_TIMEOUT_MS,
  },
  patient: { enableOfflineQueue: true, maxRetriesPerRequest: null, autoResendUnfulfilledCommands: true },
}

/**
 * Opens a connection; it connects in the background and reconnects for ever.
 *
 * @param url - `redis://[user:password@]host:port[/db]`, `rediss://…`, `unix:///path/to/socket`,
 *   `sentinel://[:password@]host:port,host:port/group` or `cluster://[:password@]host:port,host:port`
 * @param onError - told of each connection error; the connection goes on trying
 * @throws CONFIG_INVALID when the URL can't be understood
 */
export function connect(url: string, temper: Temper, onError: (error: Error) => void): Connection {
  const connection = open(url, settings(temper))
  connection.on('error', onError)
  return connection
}

/** @returns the milliseconds to wait before the next try */
function retryAfter(times: number): number {
  return Math.min(RETRY_MIN_MS * 2 ** Math.min(times - 1, 10), RETRY_MAX_MS)
}

function settings(temper: Temper) {
  return {
    ...TEMPERS[temper],
    retryStrategy: retryAfter,
    connectTimeout: 5_000,
    keepAlive: 5_000,
    noDelay: true,
    // Replies of scripts and streams look the same on every Redis and Valkey from 6.2 on.
    protocol: 2 as const,
  }
}

function open(url: string, options: ReturnType<typeof settings>): Connection {
  if (url.startsWith('unix://')) return new Redis({ ...options, path: decodeURIComponent(url.slice(7)) })
  if (url.startsWith('/')) return new Redis({ ...options, path: url })
  if (url.startsWith('redis://') || url.startsWith('rediss://')) return new Redis(url, options)
  const many = /^(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/]+)(?:\/([^/]+))?$/.exec(url)
  if (!many) {
    throw new GolemError(
      'CONFIG_INVALID',
      `The Redis address "${withoutPassword(url)}" is not understood. Write redis://host:port, rediss://…, ` +
        'unix:///path, sentinel://host:port,host:port/group or cluster://host:port,host:port.',
    )
  }
  const [, kind, login = '', list = '', group = 'mymaster'] = many
  const nodes = list.split(',').map((node) => {
    const [host = '', port] = node.split(':')
    return { host, port: Number(port ?? (kind === 'sentinel' ? 26379 : 6379)) }
  })
  const [username, password] = login.includes(':') ? login.split(':') : ['', '']
  const credentials = { ...(username ? { username } : {}), ...(password ? { password } : {}) }
  if (kind === 'sentinel') return new Redis({ ...options, ...credentials, sentinels: nodes, name: group })
  const { retryStrategy, enableOfflineQueue, ...redisOptions } = options
  return new Cluster(nodes, {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue,
    redisOptions: { ...redisOptions, ...credentials },
  })
}

/** A Redis address that may be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@')
}

/** What ioredis says when it has no connection, as people may read it. Source: ioredis 5, lib/Redis.js and utils. */
const TROUBLES: readonly (readonly [RegExp, string])[] = [
  [/^Stream isn't writeable/, 'there is no connection to it'],
  [/^Connection is closed/, 'there is no connection to it'],
  [/^Reached the max retries per request/, 'the connection to it broke off'],
  [/^Command timed out/, `no answer in ${FAST_TIMEOUT_MS / 1000} s`],
]

/** Why Redis did not answer, as part of a sentence. */
export function troubleOf(error: unknown): string {
  const message = messageOf(error)
  return TROUBLES.find(([pattern]) => pattern.test(message))?.[1] ?? message
}

/** Ends a connection without waiting for what is under way. */
export function disconnect(connection: Connection): void {
  connection.disconnect()
}
