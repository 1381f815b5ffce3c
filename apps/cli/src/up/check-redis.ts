import { messageOf } from '@golem/core'
import type { Connection } from '@golem/queue'
import { CliError } from '../exit-codes.ts'

/** How long a configured Redis may take to answer, in ms. */
const ANSWER_WITHIN_MS = 5000

/**
 * Makes sure that a configured Redis answers.
 *
 * @param url - as REDIS_URL or site.yaml has it
 * @throws CliError refused when it does not
 */
export async function checkRedis(url: string): Promise<void> {
  await withRedis(url, async (redis) => {
    await redis.ping()
  })
}

/**
 * Runs a few questions against a configured Redis. The client is loaded only here: `golem up` with its own
 * Redis does without.
 *
 * @throws CliError refused when it cannot be reached or does not answer
 */
export async function withRedis<T>(url: string, work: (redis: Connection) => Promise<T>): Promise<T> {
  const { connect, disconnect, withoutPassword } = await import('@golem/queue')
  let last: Error | undefined
  const redis = connect(url, 'patient', (error) => {
    last = error
  })
  try {
    const gaveUp = new Promise<never>((_, reject) => {
      setTimeout(
        () => reject(last ?? new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`)),
        ANSWER_WITHIN_MS,
      ).unref()
    })
    return await Promise.race([work(redis), gaveUp])
  } catch (error) {
    throw new CliError(
      'refused',
      `The Redis at ${withoutPassword(url)} cannot be used: ${messageOf(error)}. ` +
        'See that it runs, and that REDIS_URL or "redis" in the site file names it.',
      { cause: error },
    )
  } finally {
    disconnect(redis)
  }
}
