import { GolemError, type WorkerRecord } from '@golem/core'
import { type AdminOptions, withAdmin } from './admin.ts'
import { SiteClock } from './clock.ts'
import type { Connection } from './connection.ts'
import { type Keys, keysOf, RECORD_TABLES } from './keys.ts'
import { siteKeys } from './site-keys.ts'

/**
 * One line of a dump: a key below the site's root, or a part of a long stream. By type: `h` a hash, `z` members with their
 * scores, `x` entries with their ids, `l` a list, `s` a text.
 */
export type DumpLine = { key: string; /** Left to live, in ms; absent: for ever. */ ttl?: number } & (
  | { type: 'h'; value: Record<string, string> }
  | { type: 'z'; value: [member: string, score: string][] }
  | { type: 'x'; value: [id: string, fields: string[]][] }
  | { type: 'l'; value: string[] }
  | { type: 's'; value: string }
)

/**
 * What is not kept: jobs (a restored site carries nothing out that waited), who owns and runs what just now, and what is
 * made anew by itself.
 */
const LEFT_OUT = /^(bull|lease|result|ticket):|^(workers|archivers|changes)$/
/** How many entries of a stream one line takes. */
const ENTRIES = 1_000
/** How many commands go to Redis at a time. */
const PIPELINE = 200
/** Fencing numbers go on from here, so that no process of the old site counts as an owner in the restored one. */
const FENCE_STEP = 1_000
/** A worker that was heard of within this time runs, in ms. */
const ALIVE_MS = 15_000

/**
 * Reads all that has to survive of a site, while it runs. What the scheduler writes together is read at one instant, and
 * before the ledger: so a command that it has given is never missing.
 *
 * @param write - is given each line
 * @throws QUEUE_DOWN when Redis can't be reached
 */
export async function dumpSite(
  options: AdminOptions,
  write: (line: DumpLine) => Promise<void>,
): Promise<void> {
  await withAdmin(options, async (redis) => {
    const keys = keysOf(options.site)
    const together = keptTogether(keys)
    for (const line of await readTogether(redis, keys, together)) await write(line)
    for await (const found of siteKeys(redis, keys.root)) {
      for (const key of found) {
        const name = key.slice(keys.root.length + 1)
        if (!LEFT_OUT.test(name) && !together.includes(key)) await dumpKey(redis, key, name, write)
      }
    }
  })
}

/**
 * Writes a dump into a Redis that has nothing of the site.
 *
 * @throws GolemError INVALID_REQUEST when it has something of it; QUEUE_DOWN when it can't be reached
 */
export async function loadDump(options: AdminOptions, lines: AsyncIterable<DumpLine>): Promise<number> {
  return withAdmin(options, async (redis) => {
    const { root } = keysOf(options.site)
    for await (const [key] of siteKeys(redis, root)) {
      throw new GolemError(
        'INVALID_REQUEST',
        `Redis has something of the site "${options.site}" already (${key}).`,
      )
    }
    const names = new Set<string>()
    let pending: Promise<unknown>[] = []
    for await (const line of lines) {
      names.add(line.key)
      pending.push(...loadLine(redis, `${root}:${line.key}`, line))
      if (pending.length < PIPELINE) continue
      await Promise.all(pending)
      pending = []
    }
    await Promise.all(pending)
    return names.size
  })
}

/**
 * Workers of a site that run now.
 *
 * @throws QUEUE_DOWN when Redis can't be reached
 */
export async function runningWorkers(options: AdminOptions): Promise<string[]> {
  return withAdmin(options, async (redis) => {
    const clock = new SiteClock()
    await clock.synchronise(redis)
    const found = await redis.hvals(keysOf(options.site).workers)
    return found
      .map((json) => JSON.parse(json) as WorkerRecord)
      .filter(({ lastSeen }) => clock.now() - Date.parse(lastSeen) < ALIVE_MS)
      .map(({ id }) => id)
  })
}

/** What the scheduler's scripts change in one step. */
function keptTogether(keys: Keys): string[] {
  return [
    keys.scheduler,
    ...RECORD_TABLES.map((table) => keys.records(table)),
    keys.reservations,
    `${keys.root}:reservations-used`,
    keys.stop,
    keys.fences,
    keys.requests,
    keys.starts,
  ]
}

async function readTogether(redis: Connection, keys: Keys, together: readonly string[]): Promise<DumpLine[]> {
  const streams = new Set([keys.requests, keys.starts])
  const transaction = redis.multi()
  for (const key of together) {
    if (streams.has(key)) transaction.xrange(key, '-', '+')
    else transaction.hgetall(key)
  }
  const answers = (await transaction.exec()) ?? []
  return together.flatMap((whole, n) => {
    const [error, answer] = answers[n] ?? [new Error('Redis gave up the transaction'), null]
    if (error) throw error
    const key = whole.slice(keys.root.length + 1)
    if (streams.has(whole)) return streamLines(key, answer as [string, string[]][])
    const value = { ...(answer as Record<string, string>) }
    return Object.keys(value).length > 0 ? [{ key, type: 'h' as const, value }] : []
  })
}

function streamLines(key: string, entries: [string, string[]][]): DumpLine[] {
  const lines: DumpLine[] = []
  for (let n = 0; n < entries.length; n += ENTRIES) {
    lines.push({ key, type: 'x', value: entries.slice(n, n + ENTRIES) })
  }
  return lines
}

async function dumpKey(
  redis: Connection,
  key: string,
  name: string,
  write: (line: DumpLine) => Promise<void>,
): Promise<void> {
  const left = await redis.pttl(key)
  const base = { key: name, ...(left > 0 ? { ttl: left } : {}) }
  const type = await redis.type(key)
  switch (type) {
    case 'hash': {
      const value = await redis.hgetall(key)
      if (Object.keys(value).length > 0) await write({ ...base, type: 'h', value })
      return
    }
    case 'zset': {
      // As numbers or as texts, in pairs or flat: that depends on the protocol; all are read alike.
      const flat = ((await redis.call('ZRANGE', key, '0', '-1', 'WITHSCORES')) as (string | number)[]).flat()
      const value = flat.flatMap((member, n): [string, string][] =>
        n % 2 === 0 ? [[String(member), String(flat[n + 1])]] : [],
      )
      if (value.length > 0) await write({ ...base, type: 'z', value })
      return
    }
    case 'stream': {
      let edge = '-'
      for (;;) {
        const entries = await redis.xrange(key, edge, '+', 'COUNT', ENTRIES)
        const last = entries.at(-1)
        if (!last) return
        await write({ ...base, type: 'x', value: entries })
        edge = `(${last[0]}`
      }
    }
    case 'list':
      return write({ ...base, type: 'l', value: await redis.lrange(key, 0, -1) })
    case 'string':
      return write({ ...base, type: 's', value: (await redis.get(key)) ?? '' })
    // It went meanwhile.
    case 'none':
      return
    default:
      throw new GolemError('INTERNAL', `The key ${key} is of a type that golem does not use: ${type}.`)
  }
}

function loadLine(redis: Connection, key: string, line: DumpLine): Promise<unknown>[] {
  return [...valueOf(redis, key, line), ...(line.ttl === undefined ? [] : [redis.pexpire(key, line.ttl)])]
}

function valueOf(redis: Connection, key: string, line: DumpLine): Promise<unknown>[] {
  switch (line.type) {
    case 'h': {
      const value =
        line.key === 'fences'
          ? Object.fromEntries(
              Object.entries(line.value).map(([link, fence]) => [link, String(Number(fence) + FENCE_STEP)]),
            )
          : line.value
      return [redis.hset(key, value)]
    }
    case 'z':
      return [redis.zadd(key, ...line.value.flatMap(([member, score]) => [score, member]))]
    case 'x':
      return line.value.map(([id, fields]) => redis.xadd(key, id, ...fields))
    case 'l':
      return line.value.length > 0 ? [redis.rpush(key, ...line.value)] : []
    case 's':
      return [redis.set(key, line.value)]
  }
}
