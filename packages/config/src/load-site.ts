import { dirname, resolve } from 'node:path'
import type { Model } from '@golem/core'
import { readDuration, readInstruments, type Report } from './check-instrument.ts'
import { checkReferences } from './check-alarms.ts'
import { readArchive } from './check-archive.ts'
import { readBackup } from './check-backup.ts'
import { checkInputs, readCalibrations } from './check-calibrations.ts'
import { readDerived } from './check-derived.ts'
import { checkGatewayPorts, checkSiteGateway } from './check-gateway.ts'
import { readSchedules } from './check-schedules.ts'
import { readInterlocks } from './check-interlocks.ts'
import { readOnOrphaned } from './check-orphan.ts'
import { checkSchema } from './check-schema.ts'
import { readSyslog } from './check-syslog.ts'
import { readWeb } from './check-web.ts'
import { readNotifiers } from './check-notify.ts'
import { type Environment, readEnvironment, type Variables } from './environment.ts'
import { inWords } from './in-words.ts'
import { hasRedisPassword, redisUrlFault } from './redis-url.ts'
import { type Fault, SiteFaults } from './site-faults.ts'
import { type RawSite, siteSchema } from './site-schema.ts'
import type { Site } from './site.ts'
import { formatPath, readYamlSource } from './yaml-source.ts'

const DEFAULT_LEASE_MS = 10_000
const LEASE_MIN_MS = 1000
const LEASE_MAX_MS = 600_000
const DEFAULT_MAX_WAITING = 32

export interface LoadSiteOptions {
  /** Models by id; without them instruments are not checked against their models. */
  models?: ReadonlyMap<string, Model>
  /** What is wrong with files of models: told together with the faults of the site, when it has any. */
  modelFaults?: readonly Fault[]
  /** Address of each simulated device by name (default: GOLEM_SIMULATED); without it `sim:` stays as it is. */
  simulated?: Readonly<Record<string, string>>
  /** Instead of the environment of the process. */
  env?: Variables
}

/** The instance folder of a site file where the environment names no other: the one it is in. Absolute. */
export function instanceDirOf(file: string): string {
  return dirname(resolve(file))
}

/**
 * Reads a site file, its secrets and the environment.
 *
 * @param file - e.g. `instance/site.yaml`
 * @throws SiteFaults with every fault that could be found, each with file, line and what to do
 */
export function loadSite(file: string, options: LoadSiteOptions = {}): Site {
  const variables = options.env ?? process.env
  const { environment, faults } = tryEnvironment(variables)
  const source = readYamlSource(file)
  faults.push(...source.faults)
  const data = source.data
  const report: Report = (path, message, at) => {
    faults.push({ file, ...source.locate(path, at), path: formatPath(path), message })
  }
  if (!isTable(data)) {
    if (source.faults.length === 0) {
      report(
        [],
        `The file is ${inWords(data)} instead of a table with "site" and "instruments". See site.example.yaml.`,
      )
    }
    throw new SiteFaults(faults)
  }

  const authWritten = Object.hasOwn(data, 'auth')
  for (const fault of checkSchema(data, siteSchema)) report(fault.path, fault.message, fault.at)
  const raw: RawSite = data
  const instanceDir = environment?.instanceDir ?? instanceDirOf(file)
  checkRedis(raw.redis, report)
  const site: Site = {
    name: raw.site ?? '',
    title: raw.title ?? raw.site ?? '',
    file,
    instanceDir,
    redisUrl: environment?.redisUrl ?? raw.redis ?? null,
    backup: readBackup(raw, instanceDir, report),
    archive: readArchive(raw, instanceDir, environment?.archive ?? null, report),
    leaseMs:
      raw.lease === undefined
        ? DEFAULT_LEASE_MS
        : (readDuration(raw.lease, [LEASE_MIN_MS, LEASE_MAX_MS], ['lease'], report) ?? DEFAULT_LEASE_MS),
    maxWaiting: raw.maxWaiting ?? DEFAULT_MAX_WAITING,
    web: readWeb(raw, authWritten, report),
    syslog: readSyslog(raw.syslog, report),
    clock: raw.clock ?? 'synchronised',
    schedules: readSchedules(raw.schedules ?? [], {
      instruments: (raw.instruments ?? []).flatMap((one) => one?.id ?? []),
      report,
      locate: (path) => source.locate(path),
    }),
    notify: readNotifiers(raw.notify ?? [], { report, variables, instanceDir }),
    calibrations: readCalibrations([...new Set([instanceDirOf(file), instanceDir])], faults),
    derived: [],
    interlocks: [],
    instruments: readInstruments(raw.instruments ?? [], {
      report,
      variables,
      instanceDir,
      simulated: options.simulated ?? environment?.simulated ?? undefined,
      models: options.models,
      siteGateway: raw.gateway,
    }),
  }
  checkSiteGateway(raw.gateway, report)
  checkGatewayPorts(site.instruments, site.web, report)
  site.interlocks = readInterlocks(raw.interlocks ?? [], site.instruments, options.models, report)
  checkInputs(site.instruments, site.calibrations, report)
  site.derived = readDerived(raw.derived ?? [], {
    instruments: site.instruments,
    models: options.models,
    report,
  })
  readOnOrphaned(raw.instruments ?? [], site.instruments, site.leaseMs, report)
  const derivedIds = site.derived.map(({ id }) => id)
  checkReferences(site.instruments, derivedIds, report)
  if (faults.length > 0) throw new SiteFaults([...faults, ...(options.modelFaults ?? [])])
  return site
}

/** The environment, or null and what is wrong with it. */
function tryEnvironment(variables: Variables): { environment: Environment | null; faults: Fault[] } {
  try {
    return { environment: readEnvironment(variables), faults: [] }
  } catch (error) {
    if (error instanceof SiteFaults) return { environment: null, faults: [...error.faults] }
    throw error
  }
}

function checkRedis(url: string | undefined, report: Report): void {
  if (url === undefined) return
  const fault = redisUrlFault(url)
  if (fault !== null) report(['redis'], fault)
  else if (hasRedisPassword(url)) {
    report(
      ['redis'],
      'Passwords do not belong into the site file, which gets copied and mailed. Give the whole address in the environment, as REDIS_URL.',
    )
  }
}

function isTable(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}
