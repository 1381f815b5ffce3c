#!/usr/bin/env node
import { loadSite, readEnvironment, runAsService, withPriorities } from '@golem/config'
import { GolemError, messageOf } from '@golem/core'
import { Command } from 'commander'
import { pino } from 'pino'
import { partsOf } from './parts.ts'
import { startScheduler } from './start.ts'

const program = new Command('golem-scheduler')
  .description('Steps runs, starts what is scheduled, watches alarms. One leads, others stand by.')
  .option('--site <file>', 'site file (default: GOLEM_SITE)')
  .option('--id <name>', 'unique name of this scheduler (default: host name and process id)')
  .addHelpText('after', '\nExample:\n  golem-scheduler --site instance/site.yaml --id scheduler-1')
  .parse()

const options = program.opts<{ site?: string; id?: string }>()
const environment = readEnvironment()
// Synchronous: at its end an asynchronous one waits for ever for a reader that is gone, and the process never ends.
const log = pino(
  { name: 'golem-scheduler', level: environment.logLevel },
  withPriorities(pino.destination({ dest: 1, sync: true })),
)

try {
  const siteFile = options.site ?? environment.siteFile
  const site = loadSite(siteFile)
  const { redisUrl } = site
  if (redisUrl === null) {
    throw new GolemError(
      'CONFIG_INVALID',
      'No Redis: set "redis:" in the site file or REDIS_URL. (`golem up` starts one by itself.)',
    )
  }
  const scheduler = startScheduler(site, {
    redisUrl,
    log,
    parts: partsOf(site),
    ...(options.id === undefined ? {} : { id: options.id }),
  })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  await runAsService({ isHealthy: () => scheduler.healthy, close: () => scheduler.close() }, log)
} catch (error) {
  log.fatal(messageOf(error))
  process.exit(1)
}
