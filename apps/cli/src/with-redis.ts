import type { Site } from '@golem/config'
import type { Context } from './context.ts'
import { CliError } from './exit-codes.ts'

/** How long the private Redis has to write down what it has, in ms. */
const END_WITHIN_MS = 60_000

/**
 * Lends the Redis of a site: the configured one, the private one of a running `golem up`, else the private one, which is
 * started for the while.
 *
 * @throws CliError failed when there is none to start
 */
export async function withRedis<T>(
  context: Context,
  site: Pick<Site, 'redisUrl'>,
  instanceDir: string,
  work: (redisUrl: string) => Promise<T>,
): Promise<T> {
  if (site.redisUrl !== null) return work(site.redisUrl)
  const { preparePrivateRedis, readPrivateRedisUrl } = await import('./up/private-redis.ts')
  const running = await readPrivateRedisUrl(instanceDir)
  if (running !== null) return work(running)
  const { lockInstance } = await import('./up/instance-lock.ts')
  const lock = await lockInstance(instanceDir)
  if (!lock)
    throw new CliError('refused', `A golem begins or ends in ${instanceDir} just now. Try again in a moment.`)
  try {
    const { program, url } = await preparePrivateRedis(instanceDir, context.env, {
      onLine: () => undefined,
      onNews: (name, sentence) => context.err(`${name}: ${sentence}`),
    })
    await program.start()
    try {
      return await work(url)
    } finally {
      await program.stop(END_WITHIN_MS)
    }
  } finally {
    await lock.release()
  }
}
