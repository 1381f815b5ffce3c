import { type Site, VERSION, configurationChange, configurationDigests, selfDescription } from '@golem/config'
import type { Model, WorkerRecord } from '@golem/core'
import { type ControlMessage, WorkerClient } from '@golem/queue'
import os from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { Calibrations } from './calibrations.ts'
import { Stops, type WorkerContext } from './context.ts'
import type { LinkConfig } from './link-owner.ts'
import { Interlocks } from './interlocks.ts'
import { Ownership } from './ownership.ts'
import { Publisher } from './publisher.ts'
import { Reservations } from './reservations.ts'
import { Sampler } from './sampler.ts'
import { UnclaimedDevices } from './unclaimed-devices.ts'

export interface WorkerOptions {
  /** Unique among the workers of a site, a-z, 0-9 and - (default: host name and process id). */
  id?: string
  /** The host whose instruments this process may own (default: the machine's name). */
  host?: string
  redisUrl: string
  log: Logger
  /** Every model its instruments may have. */
  models: ReadonlyMap<string, Model>
}

export interface RunningWorker {
  readonly id: string
  /** Is every loop turning? */
  readonly healthy: boolean
  /** How many links it owns now. */
  readonly links: number
  close(): Promise<void>
}

/** How long outcomes on their way to Redis are waited for at the end, in ms; the journal has them too. */
const FLUSH_MS = 2_000

/** Starts a worker: it takes the links it may own, polls, carries commands out, until it is closed. */
export function startWorker(site: Site, options: WorkerOptions): RunningWorker {
  const { redisUrl, log, models } = options
  const host = options.host ?? os.hostname()
  const id = options.id ?? `${host}-${process.pid}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
  const onError = errorReporter(log)
  const client = new WorkerClient({
    site: site.name,
    redisUrl,
    worker: id,
    leaseMs: site.leaseMs,
    onError,
    onControl: (message) => control(message),
    onLeaseLost: (link, why) => ownership.lost(link, why),
    onReady: () => void ownership.restored(),
  })
  const sampler = site.archive
    ? new Sampler(site.archive.stream, site.instruments, () => client.clock.now())
    : undefined
  const journalDir = path.join(site.instanceDir, 'journal', site.name)
  const context: WorkerContext = {
    id,
    client,
    publisher: new Publisher(client, onError, sampler),
    sampler,
    log,
    stops: new Stops(),
    reservations: new Reservations(() => client.clock.now()),
    interlocks: new Interlocks({
      site: site.name,
      redisUrl,
      leaseMs: site.leaseMs,
      rules: site.interlocks,
      worker: id,
      client,
      journalDir,
      log,
      onError,
    }),
    calibrations: new Calibrations(site.calibrations),
    journalDir,
  }
  const links = linksOf(site)
  const unclaimedDevices = new UnclaimedDevices(
    site.instruments.filter((one) => one.host === null || one.host === host).map(({ endpoint }) => endpoint),
    log,
  )
  const ownership = new Ownership({
    context,
    host,
    links,
    models,
    leaseMs: site.leaseMs,
    describe: workerDescription(unclaimedDevices),
  })
  const control = (message: ControlMessage): void => {
    const done = obey(message, ownership)
    done.catch((error: unknown) => log.error({ err: error }, `control message ${message.type} not obeyed`))
  }
  ownership.start()
  log.info({ worker: id, host, links: links.length }, 'worker started')
  const tell = (message: string): Promise<void> => client.event('worker', '', `worker ${id} ${message}`)
  void tell(`has been started on ${host} (golem ${VERSION})`).catch(onError)
  tellConfiguration(client, host, site).catch(onError)
  return {
    id,
    get healthy() {
      return ownership.healthy
    },
    get links() {
      return ownership.size
    },
    async close() {
      unclaimedDevices.close()
      // Before its instruments are let go: then somebody else may command them.
      void tell('is being ended').catch(onError)
      await ownership.stop()
      await client.flush(FLUSH_MS)
      context.interlocks.close()
      client.close()
      log.info('worker stopped')
    },
  }
}

/** Says what has changed of the configuration since a worker was last started on this machine. */
async function tellConfiguration(client: WorkerClient, host: string, site: Site): Promise<void> {
  const now = configurationDigests(site)
  const before = await client.configured(host, now)
  const change = before && configurationChange(before, now)
  if (!change) return
  const { words, ...data } = change
  const message = `the configuration on ${host} has changed: ${words}`
  await client.event('configuration', '', message, '', { level: 'notice', data: { host, ...data } })
}

async function obey(message: ControlMessage, ownership: Ownership): Promise<void> {
  switch (message.type) {
    case 'stop':
      return ownership.stopNow(message)
    case 'safe':
      return ownership.safeOnRequest(message)
    case 'power-return':
      return ownership.settlePowerReturn(message)
    case 'release':
      return ownership.releaseNow(message)
    case 'reservation':
      return ownership.reservationChanged(message)
    case 'calibration':
      return ownership.recalibrate()
    case 'released':
    case 'worker':
      return ownership.nudge()
  }
}

/** The instruments of a site by the connection they hang on. */
export function linksOf(site: Site): LinkConfig[] {
  const links = new Map<string, LinkConfig & { instruments: Site['instruments'][number][] }>()
  for (const instrument of site.instruments) {
    const { link, host, endpoint } = instrument
    const known = links.get(link)
    if (known) known.instruments.push(instrument)
    else links.set(link, { link, host, endpoint, instruments: [instrument] })
  }
  return [...links.values()]
}

function workerDescription(
  unclaimedDevices: UnclaimedDevices,
): () => Omit<WorkerRecord, 'links' | 'lastSeen' | 'id' | 'host'> {
  const describe = selfDescription()
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  return () => {
    const loopLagMs = Math.round(lag.max / 1e6)
    lag.reset()
    return { ...describe(), loopLagMs, unclaimed: unclaimedDevices.found }
  }
}

/** Connection errors come by the dozen while Redis is away: one line for each new message, not for each try. */
function errorReporter(log: Logger): (error: Error) => void {
  let last = ''
  let at = 0
  return (error) => {
    if (error.message === last && performance.now() - at < 30_000) return
    last = error.message
    at = performance.now()
    log.warn({ err: error }, 'Redis connection')
  }
}
