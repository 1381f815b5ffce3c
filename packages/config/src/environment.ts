import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf, parseAddress } from '@golem/core'
import { clip } from './in-words.ts'
import { redisUrlFault } from './redis-url.ts'
import { type Fault, SiteFaults } from './site-faults.ts'

/** Variables by name, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** What golem takes from the environment of its process. */
export interface Environment {
  /** REDIS_URL: overrides `redis` of site.yaml; may hold a password. */
  redisUrl: string | null
  /** GOLEM_ARCHIVE: overrides `archive.place` of site.yaml; may hold a password. */
  archive: string | null
  /** GOLEM_SITE: the site file (default: site.yaml in the instance folder). Absolute. */
  siteFile: string
  /** GOLEM_INSTANCE: the instance folder (default: the one the site file is in). Absolute. */
  instanceDir: string | null
  /** GOLEM_HOST: name of this machine as `host` in site.yaml has it (default: its host name). */
  host: string
  /** GOLEM_LOG_LEVEL (default info). */
  logLevel: LogLevel
  /** GOLEM_SIMULATED: address of each simulated device by name, a JSON object; `golem up` sets it. */
  simulated: Readonly<Record<string, string>> | null
}

/**
 * Reads the environment; no other package does.
 *
 * @param variables - instead of those of the process
 * @throws SiteFaults that name the variables
 */
export function readEnvironment(variables: Variables = process.env): Environment {
  const faults: Fault[] = []
  const fault = (path: string, message: string): void => {
    faults.push({ file: 'environment', line: 1, column: 1, path, message })
  }
  const get = (name: string): string | undefined => variables[name]?.trim() || undefined

  const redisUrl = get('REDIS_URL') ?? null
  const redisFault = redisUrl === null ? null : redisUrlFault(redisUrl)
  if (redisFault !== null) fault('REDIS_URL', redisFault)

  const level = get('GOLEM_LOG_LEVEL') ?? 'info'
  const logLevel = LOG_LEVELS.find((known) => known === level)
  if (!logLevel) {
    fault('GOLEM_LOG_LEVEL', `"${clip(level)}" is no log level. Use one of ${LOG_LEVELS.join(', ')}.`)
  }

  const simulated = readSimulated(get('GOLEM_SIMULATED'), (message) => fault('GOLEM_SIMULATED', message))
  if (faults.length > 0) throw new SiteFaults(faults)
  const instance = get('GOLEM_INSTANCE')
  return {
    redisUrl,
    archive: get('GOLEM_ARCHIVE') ?? null,
    siteFile: resolve(get('GOLEM_SITE') ?? join(instance ?? 'instance', 'site.yaml')),
    instanceDir: instance === undefined ? null : resolve(instance),
    host: get('GOLEM_HOST') ?? hostname(),
    logLevel: logLevel ?? 'info',
    simulated,
  }
}

function readSimulated(
  text: string | undefined,
  fault: (message: string) => void,
): Readonly<Record<string, string>> | null {
  if (text === undefined) return null
  const form = 'It has to be a JSON object of addresses by name, e.g. {"relay-1":"http://127.0.0.1:4001"}.'
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    fault(`${form} It is not JSON: ${messageOf(error)}.`)
    return null
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    fault(form)
    return null
  }
  const simulated: [string, string][] = []
  for (const [name, address] of Object.entries(parsed)) {
    const wrong = simulatedAddressFault(address)
    if (wrong !== null) fault(`${clip(name)}: ${wrong}`)
    else simulated.push([name, String(address)])
  }
  return Object.fromEntries(simulated)
}

function simulatedAddressFault(address: unknown): string | null {
  if (typeof address !== 'string') return 'its address has to be a text.'
  try {
    return parseAddress(address).kind === 'sim' ? `"${clip(address)}" is itself simulated.` : null
  } catch (error) {
    return messageOf(error)
  }
}
