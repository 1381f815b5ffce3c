import type { Site } from '@golem/config'
import { GolemError, messageOf } from '@golem/core'
import { type SiteClient, openSiteClient, untilConnected } from '@golem/queue'
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { ListenOptions } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { checkListen } from './access.ts'
import { buildApp } from './app.ts'
import { prepareDrain } from './drain.ts'
import { SyslogListener } from './log-intake/syslog-listener.ts'

export interface WebOptions {
  redisUrl: string
  /** Address and port, or a listening socket that was handed over (default: what the site says). */
  listen?: { host: string; port: number } | { fd: number }
  log: Logger
}

export interface RunningWeb {
  /** Where the page is, e.g. `http://127.0.0.1:8000`. */
  url: string
  /** Whether the process still looks after its state; for the watchdog. */
  isHealthy(): boolean
  /** Ends it so that no client notices; takes up to a few seconds while connections are open. */
  close(): Promise<void>
}

/** The state is looked over four times a second; silence for this long means that the process hangs, in ms. */
const UNHEALTHY_AFTER_MS = 3_000
/** How long a new process waits for the state before it serves all the same, in ms. */
const FIRST_STATE_MS = 3_000
/** How long a port that has to be this one is waited for, in ms. */
const PORT_PATIENCE_MS = 2_000
const ASSETS_DIR = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))

/**
 * Starts one web process of a site. Resolves also when Redis is away: the page then says so.
 *
 * @throws CONFIG_INVALID when it would listen for others than this machine without users, or the port is taken
 */
export async function startWeb(site: Site, { redisUrl, listen, log }: WebOptions): Promise<RunningWeb> {
  const { web } = site
  if (!listen) checkListen(web.listen, web.auth)
  else if ('host' in listen) checkListen(listen.host, web.auth)
  const reported = onceAMinute(log)
  const client = openSiteClient({
    site: site.name,
    redisUrl,
    maxWaiting: site.maxWaiting,
    onError: (error) => reported(error),
  })
  let app: FastifyInstance | undefined
  try {
    app = await buildApp({ site: listenedBy(site, listen), client, assetsDir: ASSETS_DIR, log })
    await app.ready()
    await firstState(client, log)
    const { closing } = app
    const drain = prepareDrain(app.server, () => closing.abort())
    await bind(app.server, site, listen)
    const url = urlOf(app.server, site)
    const { intake } = app
    const syslog = site.syslog && new SyslogListener({ config: site.syslog, intake, log })
    await syslog?.start()
    return running({ app, client, drain, syslog, url })
  } catch (error) {
    app?.server.close()
    await app?.close()
    await client.close()
    throw error
  }
}

/** Waits a moment for Redis: a page served before the state is known would show no instrument and no stop. */
async function firstState(client: SiteClient, log: Logger): Promise<void> {
  try {
    await untilConnected(client, FIRST_STATE_MS)
  } catch (error) {
    log.warn(`serving without state: ${messageOf(error)}`)
  }
}

interface Parts {
  app: FastifyInstance
  client: SiteClient
  drain: () => Promise<void>
  syslog: SyslogListener | null
  url: string
}

function running({ app, client, drain, syslog, url }: Parts): RunningWeb {
  return {
    url,
    isHealthy: () => performance.now() - app.states.sweptAt < UNHEALTHY_AFTER_MS,
    close: async () => {
      // The drain closes the port first, so that whoever is sent away comes back to another process.
      await Promise.all([drain(), app.push.close(), syslog?.close()])
      await app.close()
      await client.close()
    },
  }
}

/** The site, with the address it is really listened on: browsers may use that as a name. */
function listenedBy(site: Site, listen: WebOptions['listen']): Site {
  return listen && 'host' in listen ? { ...site, web: { ...site.web, listen: listen.host } } : site
}

async function bind(server: Server, site: Site, listen: WebOptions['listen']): Promise<void> {
  const { web } = site
  if (listen && 'fd' in listen) {
    await listenOn(server, listen)
    const address = server.address()
    if (address !== null && typeof address === 'object') checkListen(address.address, web.auth)
    return
  }
  const { host, port } = listen ?? { host: web.listen, port: web.port }
  try {
    await (listen || web.portFixed ? listenPatiently : listenOn)(server, { host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' && !listen && !web.portFixed) {
      await listenOn(server, { host, port: 0 })
      return
    }
    const why = code === 'EADDRINUSE' ? 'another program uses this port' : messageOf(error)
    throw new GolemError(
      'CONFIG_INVALID',
      `The web process can't listen on ${host} port ${port}: ${why}. Choose another with "web: { port: ... }" in site.yaml or --port.`,
      { cause: error },
    )
  }
}

/** As `listenOn`: the process before this one may be about to give the port back. */
async function listenPatiently(server: Server, where: ListenOptions): Promise<void> {
  for (const end = performance.now() + PORT_PATIENCE_MS; ; await sleep(50)) {
    try {
      await listenOn(server, where)
      return
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isTaken || performance.now() > end) throw error
    }
  }
}

function listenOn(server: Server, where: ListenOptions | { fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ backlog: 1024, ...where }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function urlOf(server: Server, site: Site): string {
  const address = server.address()
  if (address === null) throw new GolemError('INTERNAL', 'The web process listens on no address')
  if (typeof address === 'string') return `unix:${address}`
  const everywhere = address.address === '0.0.0.0' || address.address === '::'
  const host = everywhere ? (site.web.hosts[0] ?? 'localhost') : address.address
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

/** Redis away for a night is one line a minute, not one a reconnect. */
function onceAMinute(log: Logger): (error: Error) => void {
  let lastAt = -Infinity
  return (error) => {
    if (performance.now() - lastAt < 60_000) return
    lastAt = performance.now()
    log.warn({ err: error }, 'trouble with Redis')
  }
}
