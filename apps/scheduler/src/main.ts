#!/usr/bin/env node
import { loadSite, notifySystemd, readEnvironment, startWatchdog } from '@golem/config'
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
  pino.destination({ dest: 1, sync: true }),
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
  const stopWatchdog = startWatchdog(() => scheduler.healthy)
  let ending = false
  const end = (why: string): void => {
    if (ending) return
    ending = true
    log.info(`ending: ${why}`)
    void notifySystemd('STOPPING=1')
    stopWatchdog()
    scheduler.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'did not end in order')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  process.on('disconnect', () => end('the process that started it is gone'))
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  await notifySystemd('READY=1')
  process.send?.({ ready: true })
} catch (error) {
  log.fatal(messageOf(error))
  process.exit(1)
}
