import { existsSync } from 'node:fs'
import type { Fault, Site } from '@golem/config'
import type { Model } from '@golem/core'
import { type CommonOptions, type Context, siteFileOf } from './context.ts'
import { CliError } from './exit-codes.ts'

/**
 * Loads the chosen site file.
 *
 * @param loaded - models to check the instruments against; without them only the form is checked
 * @throws SiteFaults with all faults; CliError failed when there is no such file
 */
export async function loadChosenSite(
  context: Context,
  options: CommonOptions,
  loaded?: { models: ReadonlyMap<string, Model>; faults: readonly Fault[] },
): Promise<Site> {
  const file = siteFileOf(context, options)
  if (!existsSync(file)) {
    throw new CliError(
      'failed',
      `There is no site file ${file}. Copy instance/site.example.yaml to begin with, or name another one with --site.`,
    )
  }
  const { loadSite } = await import('@golem/config')
  return loadSite(file, {
    ...(loaded ? { models: loaded.models, modelFaults: loaded.faults } : {}),
    env: context.env,
  })
}

/**
 * The Redis of a site: the configured one, else the private one of a running `golem up`.
 *
 * @throws CliError refused when there is neither
 */
export async function redisUrlOf(site: Site): Promise<string> {
  if (site.redisUrl !== null) return site.redisUrl
  const { readPrivateRedisUrl } = await import('./up/private-redis.ts')
  const url = await readPrivateRedisUrl(site.instanceDir)
  if (url !== null) return url
  throw new CliError(
    'refused',
    'No Redis is configured and no `golem up` runs here with its own. Start golem first, or name the Redis in REDIS_URL.',
  )
}
