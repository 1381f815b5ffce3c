#!/usr/bin/env node
import { loadSite, readEnvironment, runAsService, withPriorities } from '@golem/config'
import { GolemError } from '@golem/core'
import { Command, InvalidArgumentError } from 'commander'
import { pino } from 'pino'
import { type WebOptions, startWeb } from './start.ts'

interface Options {
  site?: string
  port?: number
  listen?: string
}

/** The first socket that systemd hands over (sd_listen_fds). */
const FIRST_FD = 3

const program = new Command('golem-web')
  .description('One web process of a golem site. Any number may run side by side.')
  .option('--site <file>', 'site file (default: GOLEM_SITE, or instance/site.yaml)')
  .option('--port <number>', 'port instead of the one in the site file; 0: a free one', portNumber)
  .option('--listen <address>', 'address instead of the one in the site file')
  .action(run)

await program.parseAsync()

async function run({ site: file, port, listen }: Options): Promise<void> {
  const log = pino({ name: 'web' }, withPriorities(pino.destination({ dest: 1, sync: true })))
  try {
    const environment = readEnvironment()
    log.level = environment.logLevel
    const site = loadSite(file ?? environment.siteFile)
    if (site.redisUrl === null) {
      throw new GolemError(
        'CONFIG_INVALID',
        'No Redis is named: set REDIS_URL or "redis" in site.yaml, or let "golem up" start a private one.',
      )
    }
    const chosen: WebOptions['listen'] = handedOver()
      ? { fd: FIRST_FD }
      : port !== undefined || listen !== undefined
        ? { host: listen ?? site.web.listen, port: port ?? site.web.port }
        : undefined
    const web = await startWeb(site, {
      redisUrl: site.redisUrl,
      log,
      ...(chosen === undefined ? {} : { listen: chosen }),
    })
    log.info({ url: web.url, site: site.name }, `ready at ${web.url}`)
    await runAsService({ isHealthy: () => web.isHealthy(), close: () => web.close() }, log, { url: web.url })
  } catch (error) {
    log.fatal(error instanceof GolemError ? error.message : { err: error })
    process.exitCode = 1
  }
}

/** Whether a service manager has opened the socket for this process. */
function handedOver(): boolean {
  const { LISTEN_FDS, LISTEN_PID } = process.env
  return Number(LISTEN_FDS) >= 1 && Number(LISTEN_PID) === process.pid
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('It has to be 0 to 65535.')
  return port
}
