#!/usr/bin/env node
import {
  describeFault,
  instanceDirOf,
  loadSite,
  readEnvironment,
  runAsService,
  withPriorities,
} from '@golem/config'
import { GolemError, messageOf } from '@golem/core'
import { loadModels } from '@golem/drivers'
import { Command } from 'commander'
import { pino } from 'pino'
import { startWorker } from './start.ts'

const program = new Command('golem-worker')
  .description('Owns instruments: polls them, carries commands out, writes their state to Redis.')
  .option('--site <file>', 'site file (default: GOLEM_SITE)')
  .option('--id <name>', 'unique name of this worker (default: host name and process id)')
  .option('--host <name>', "host whose instruments it may own (default: GOLEM_HOST or the machine's name)")
  .addHelpText('after', '\nExample:\n  golem-worker --site instance/site.yaml --id pi-2-1')
  .parse()

const options = program.opts<{ site?: string; id?: string; host?: string }>()
const environment = readEnvironment()
// Synchronous: at its end an asynchronous one waits for ever for a reader that is gone, and the process never ends.
const log = pino(
  { name: 'golem-worker', level: environment.logLevel },
  withPriorities(pino.destination({ dest: 1, sync: true })),
)

try {
  const siteFile = options.site ?? environment.siteFile
  const loaded = await loadModels(environment.instanceDir ?? instanceDirOf(siteFile))
  const site = loadSite(siteFile, {
    models: loaded.models,
    modelFaults: loaded.faults,
    ...(environment.simulated === null ? {} : { simulated: environment.simulated }),
  })
  // A model that nobody here uses must not keep the others from working.
  for (const fault of loaded.faults) log.error(describeFault(fault))
  const { redisUrl } = site
  if (redisUrl === null) {
    throw new GolemError(
      'CONFIG_INVALID',
      'No Redis: set "redis:" in the site file or REDIS_URL. (`golem up` starts one by itself.)',
    )
  }
  const worker = startWorker(site, {
    redisUrl,
    models: loaded.models,
    log,
    host: options.host ?? environment.host,
    ...(options.id === undefined ? {} : { id: options.id }),
  })
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  await runAsService(
    { isHealthy: () => worker.healthy, close: () => worker.close().then(() => loaded.close()) },
    log,
  )
} catch (error) {
  log.fatal(messageOf(error))
  process.exit(1)
}
