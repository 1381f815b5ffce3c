import { GolemError } from '@golem/core'
import { Queue } from 'bullmq'
import { type Connection, connect, disconnect } from './connection.ts'
import { keysOf } from './keys.ts'
import { endingOf } from './records.ts'
import { runScript, withScripts } from './scripts.ts'
import { siteKeys } from './site-keys.ts'

export interface AdminOptions {
  site: string
  redisUrl: string
  onError?: (error: Error) => void
}

/**
 * Removes everything golem has in Redis for one site; nothing else is touched.
 *
 * @returns how many keys were removed
 * @throws QUEUE_DOWN when Redis can't be reached
 */
export async function initDb(options: AdminOptions): Promise<number> {
  return withAdmin(options, async (redis) => {
    let removed = 0
    for await (const found of siteKeys(redis, keysOf(options.site).root)) removed += await redis.unlink(found)
    return removed
  })
}

/**
 * Refuses every command that waits; each ends in the ledger as refused.
 *
 * @param instruments - ids; empty: all that have a description or a queue
 * @returns how many were refused
 * @throws QUEUE_DOWN when Redis can't be reached
 */
export async function clearQueue(
  options: AdminOptions & { instruments?: readonly string[]; by: string },
): Promise<number> {
  return withAdmin(options, async (redis) => {
    const keys = keysOf(options.site)
    const instruments = options.instruments?.length
      ? options.instruments
      : await redis.hkeys(keys.descriptions)
    const ending = endingOf({
      outcome: 'refused',
      effect: 'none',
      code: 'QUEUE_CLEARED',
      message: `The queue was cleared by ${options.by}; nothing was sent.`,
    })
    let refused = 0
    for (const instrument of instruments) {
      const ids = (await runScript(
        redis,
        'golemRefuse',
        keys.root,
        instrument,
        ending,
        'clear-queue',
        options.by,
        'waiting commands refused: queue cleared',
      )) as string[]
      refused += ids.length
      const queue = new Queue(instrument, {
        connection: redis,
        prefix: keys.bullPrefix,
        skipVersionCheck: true,
        skipMetasUpdate: true,
      })
      queue.on('error', options.onError ?? (() => undefined))
      // Jobs that were added meanwhile stay: only those whose command was refused just now are taken out.
      await Promise.all(ids.map((id) => queue.remove(id)))
      await queue.close()
    }
    return refused
  })
}

/** @throws QUEUE_DOWN when Redis does not answer */
export async function withAdmin<T>(
  options: AdminOptions,
  work: (redis: Connection) => Promise<T>,
): Promise<T> {
  let last: Error | undefined
  const redis = withScripts(
    connect(options.redisUrl, 'patient', (error) => {
      last = error
      options.onError?.(error)
    }),
  )
  try {
    const reached = await Promise.race([
      redis.ping().then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 5_000, false).unref()),
    ])
    if (!reached) {
      throw new GolemError('QUEUE_DOWN', `Redis can't be reached: ${last?.message ?? 'no answer in 5 s'}.`)
    }
    return await work(redis)
  } finally {
    disconnect(redis)
  }
}
