import {
  type Address,
  GolemError,
  isOfOneMachine,
  linkOf,
  messageOf,
  type Model,
  parseAddress,
} from '@golem/core'
import { readAlarms } from './check-alarms.ts'
import { readArchiveRule } from './check-archive.ts'
import { readUses } from './check-calibrations.ts'
import { readGateway, type SiteGateway } from './check-gateway.ts'
import { checkAgainstModel } from './check-model.ts'
import { checkRulesKept, readRules } from './check-rules.ts'
import { didYouMean } from './did-you-mean.ts'
import { formatDuration, parseDuration } from './duration.ts'
import type { Variables } from './environment.ts'
import { clip } from './in-words.ts'
import { readSecretFile } from './secret.ts'
import type { RawInstrument, RawParameter } from './site-schema.ts'
import { DEFAULT_GROUP, type InstrumentConfig, type ParameterOverride } from './site.ts'
import type { Path } from './yaml-source.ts'

/** Notes a fault at a place of the site file. */
export type Report = (path: Path, message: string, at?: 'key' | 'value') => void

/** What reading an instrument needs to know of the world around it. */
export interface Surroundings {
  report: Report
  variables: Variables
  instanceDir: string
  simulated: Readonly<Record<string, string>> | undefined
  models: ReadonlyMap<string, Model> | undefined
  /** What the site says of all gateway ports. */
  siteGateway?: SiteGateway | undefined
}

const DEFAULT_POLL_MS = 1000
const POLL_MIN_MS = 100
const POLL_MAX_MS = 3_600_000

/**
 * Reads the list of instruments. What is faulty is reported, and stands in the result with placeholders: that
 * result is good for finding further faults only.
 */
export function readInstruments(
  raw: readonly (RawInstrument | undefined)[],
  around: Surroundings,
): InstrumentConfig[] {
  const instruments = raw.map((one, index) => readInstrument(one ?? {}, ['instruments', index], around))
  checkIds(instruments, around.report)
  checkLinks(instruments, around.report)
  return instruments
}

function readInstrument(raw: RawInstrument, path: Path, around: Surroundings): InstrumentConfig {
  const { report } = around
  const endpoint = readEndpoint(raw.address, [...path, 'address'], around)
  const id = raw.id ?? ''
  checkAgainstModel(raw, endpoint, path, around)
  checkRulesKept(raw, endpoint, around.siteGateway?.readOnly, path, report)
  return {
    id,
    label: raw.label ?? id,
    group: raw.group ?? DEFAULT_GROUP,
    model: raw.model ?? '',
    address: raw.address ?? '',
    endpoint: endpoint ?? { kind: 'sim', name: '' },
    link: endpoint ? linkName(parseAddress(raw.address ?? ''), raw.host ?? null) : '',
    host: raw.host ?? null,
    pollEveryMs: readPollEvery(raw.pollEvery, [...path, 'pollEvery'], report) ?? DEFAULT_POLL_MS,
    onStop: raw.onStop ?? 'hold',
    ...(raw.onPowerReturn === undefined ? {} : { onPowerReturn: raw.onPowerReturn }),
    auth: readCredentials(raw.auth, endpoint, [...path, 'auth'], around),
    gateway: readGateway(raw, endpoint, path, around),
    options: raw.options ?? {},
    parameters: mapEntries(raw.parameters, (parameter, name) =>
      readOverride(parameter, [...path, 'parameters', name], report),
    ),
    actions: raw.actions ?? {},
    ...(raw.calibrations === undefined ? {} : { calibrations: readUses(raw.calibrations) }),
  }
}

function readEndpoint(
  text: string | undefined,
  path: Path,
  { report, simulated }: Surroundings,
): Address | null {
  if (text === undefined) return null
  try {
    const address = parseAddress(text)
    if (address.kind !== 'sim' || simulated === undefined) return address
    const where = Object.hasOwn(simulated, address.name) ? simulated[address.name] : undefined
    if (where !== undefined) return parseAddress(where)
    const known = didYouMean(address.name, Object.keys(simulated))
    report(path, `The simulator has no device "${address.name}".${known}`)
  } catch (error) {
    report(
      path,
      error instanceof GolemError ? error.message : `"${clip(text)}" is no address: ${messageOf(error)}.`,
    )
  }
  return null
}

/** Reads `pollEvery`; undefined when it is not there or not right. */
function readPollEvery(text: string | undefined, path: Path, report: Report): number | undefined {
  return text === undefined ? undefined : readDuration(text, [POLL_MIN_MS, POLL_MAX_MS], path, report)
}

/** Reads a duration that has passed the schema and checks its bounds, in ms. */
export function readDuration(
  text: string,
  [least, most]: readonly [number, number],
  path: Path,
  report: Report,
): number | undefined {
  const ms = parseDuration(text)
  if (ms !== null && ms >= least && ms <= most) return ms
  report(path, `${text} is out of bounds. Write ${formatDuration(least)} to ${formatDuration(most)}.`)
  return undefined
}

function readOverride(raw: RawParameter, path: Path, report: Report): ParameterOverride {
  const { pollEvery, alarms, archive, maxOn, minOn, minOff, rearm, slew, count, ...rest } = raw
  const rules = readRules({ maxOn, minOn, minOff, rearm, slew, count }, path, report)
  const pollEveryMs = readPollEvery(pollEvery, [...path, 'pollEvery'], report)
  return {
    ...rest,
    ...(pollEveryMs === undefined ? {} : { pollEveryMs }),
    ...(rules === undefined ? {} : { rules }),
    ...(alarms === undefined ? {} : { alarms: readAlarms(alarms, [...path, 'alarms'], report) }),
    ...(archive === undefined ? {} : { archive: readArchiveRule(archive, [...path, 'archive'], report) }),
  }
}

function readCredentials(
  raw: RawInstrument['auth'],
  endpoint: Address | null,
  path: Path,
  { report, variables, instanceDir }: Surroundings,
): InstrumentConfig['auth'] {
  if (raw === undefined) return null
  if (endpoint !== null && !['http', 'mqtt', 'sim'].includes(endpoint.kind)) {
    report(
      path,
      `Only instruments at http:// and mqtt:// addresses can have "auth", not one at ${endpoint.kind}. Remove it.`,
      'key',
    )
  }
  const { user = '', passwordFile, passwordEnv } = raw
  if (user.includes(':') && endpoint?.kind !== 'mqtt')
    report([...path, 'user'], 'HTTP allows no colon in a user name. Choose another one.')
  if ((passwordFile === undefined) === (passwordEnv === undefined)) {
    report(path, 'Write either passwordFile or passwordEnv: one of them, and not both.', 'key')
  }
  if (passwordFile !== undefined) {
    const read = readSecretFile(passwordFile, instanceDir)
    if ('secret' in read) return { user, password: read.secret }
    report([...path, 'passwordFile'], read.fault)
  }
  if (passwordEnv !== undefined) {
    const password = Object.hasOwn(variables, passwordEnv) ? variables[passwordEnv] : undefined
    if (password) return { user, password }
    report(
      [...path, 'passwordEnv'],
      `The environment has no variable ${passwordEnv}. Set it to the password.`,
    )
  }
  return null
}

/**
 * The name of the connection in leases and journals, the same at each start and on each machine. A simulated device
 * has another port each time: its own name stands for it. A device file is one of its machine: /dev/ttyUSB0 of
 * another machine is another link.
 */
function linkName(address: Address, host: string | null): string {
  if (host === null || !isOfOneMachine(address)) return linkOf(address)
  const [kind, ...rest] = linkOf(address).split(':')
  return [kind, host, ...rest].join(':')
}

function checkIds(instruments: readonly InstrumentConfig[], report: Report): void {
  const seen = new Map<string, number>()
  for (const [index, { id }] of instruments.entries()) {
    if (id === '') continue
    const first = seen.get(id)
    if (first === undefined) seen.set(id, index)
    else {
      report(
        ['instruments', index, 'id'],
        `instruments[${first}] has the id "${id}" already. Give each instrument its own.`,
      )
    }
  }
}

/** A link has one owner on one host and one speed, whatever hangs on it. */
function checkLinks(instruments: readonly InstrumentConfig[], report: Report): void {
  const firsts = new Map<string, InstrumentConfig[]>()
  for (const [index, instrument] of instruments.entries()) {
    if (instrument.link === '') continue
    const place = linkOf(instrument.endpoint)
    const others = firsts.get(place) ?? []
    firsts.set(place, others)
    // Ports of one name on two machines are two ports; one that names no machine may be either.
    const first = others.find(
      ({ link, host }) => link === instrument.link || host === null || instrument.host === null,
    )
    if (first === undefined) {
      others.push(instrument)
      continue
    }
    const shared = `It shares the link ${place} with "${first.id}"`
    if (first.host !== instrument.host) {
      report(
        ['instruments', index, 'host'],
        `${shared}, but ${inHostWords(instrument.host)}, and the other one ${inHostWords(first.host)}. A link hangs on one machine: write the same "host" in both.`,
      )
    }
    if (first.endpoint.kind !== instrument.endpoint.kind) {
      report(
        ['instruments', index, 'address'],
        `${shared}, but the two do not speak alike (${first.endpoint.kind} and ${instrument.endpoint.kind}). Give each a connection of its own.`,
      )
    }
    if (instrument.endpoint.kind === 'mqtt' && !sameAuth(first.auth, instrument.auth)) {
      report(
        ['instruments', index],
        `${shared} with another "auth". A broker has one connection: write the same in both.`,
      )
    }
    const differing = differingSettings(first.endpoint, instrument.endpoint)
    if (differing !== null) {
      report(
        ['instruments', index, 'address'],
        `${shared} with other line settings (${differing}). Write the same ones in both.`,
      )
    }
  }
}

function sameAuth(a: InstrumentConfig['auth'], b: InstrumentConfig['auth']): boolean {
  return a?.user === b?.user && a?.password === b?.password
}

/** The line settings in which two addresses of one port differ, in words; null when in none. */
function differingSettings(a: Address, b: Address): string | null {
  const [first, second] = [settingsOf(a), settingsOf(b)]
  const keys = [...new Set([...Object.keys(first), ...Object.keys(second)])].sort()
  const differing = keys.filter((key) => first[key] !== second[key])
  if (differing.length === 0) return null
  return differing.map((key) => `${key}: ${second[key] ?? 'none'} and ${first[key] ?? 'none'}`).join(', ')
}

function settingsOf(address: Address): Record<string, string> {
  const place = address.kind === 'modbus' ? address.place : address
  const settings = Object.entries(place.kind === 'serial' ? place : {}).filter(
    ([key]) => key !== 'kind' && key !== 'path',
  )
  if (address.kind === 'modbus') settings.push(['framing', address.framing])
  if (address.kind === 'mqtt') settings.push(['tls', address.tls])
  return Object.fromEntries(settings.map(([key, value]) => [key, String(value)]))
}

function inHostWords(host: string | null): string {
  return host === null ? 'names no host' : `names the host ${host}`
}

function mapEntries<T, R>(
  table: Readonly<Record<string, T>> | undefined,
  change: (entry: T, name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(table ?? {}).map(([name, entry]) => [name, change(entry, name)]))
}
