import { messageOf } from '@golem/core'
import { readDuration, type Report } from './check-instrument.ts'
import type { Variables } from './environment.ts'
import { clip } from './in-words.ts'
import type { RawNotifier } from './notify-schema.ts'
import { readSecretFile } from './secret.ts'
import type { NotifierConfig, NotifierTarget } from './site.ts'
import type { Path } from './yaml-source.ts'

const MIN_MS = 60_000
const DAY_MS = 24 * 3_600_000
const DEFAULT_RATE = { messages: 6, perMs: 10 * MIN_MS }
const TELEGRAM = 'https://api.telegram.org'
const PORTS: Readonly<Record<string, number>> = { 'smtp:': 25, 'smtps:': 465 }

/** Keys that belong to one kind only. */
const OWN_KEYS = {
  email: ['server', 'from', 'to', 'user', 'secretFile', 'secretEnv'],
  webhook: ['url', 'urlFile', 'urlEnv', 'secretFile', 'secretEnv'],
  telegram: ['url', 'chat', 'secretFile', 'secretEnv'],
} as const

/** A secret is named, but not to be had. */
const FAULTY = Symbol('faulty')

interface Around {
  report: Report
  variables: Variables
  instanceDir: string
}

/** Reads who is told of alarms. What is faulty is reported, and left out where nothing can stand for it. */
export function readNotifiers(raw: readonly (RawNotifier | undefined)[], around: Around): NotifierConfig[] {
  const names = new Set<string>()
  return raw.flatMap((one, index) => {
    const path = ['notify', index]
    if (!one?.name || !one.kind) return []
    if (names.has(one.name)) {
      around.report(
        [...path, 'name'],
        `There is another notifier named "${one.name}". Give each its own name.`,
      )
    }
    names.add(one.name)
    checkKeys(one, one.kind, path, around.report)
    const target = readTarget(one, path, around)
    return target === null ? [] : [readNotifier(one.name, target, one, path, around.report)]
  })
}

function readNotifier(
  name: string,
  target: NotifierTarget,
  raw: RawNotifier,
  path: Path,
  report: Report,
): NotifierConfig {
  const { severities, repeat, escalateAfter, followUps = true, rate = {}, quiet } = raw
  const duration = (text: string | undefined, least: number, key: Path): number | undefined =>
    text === undefined ? undefined : readDuration(text, [least, DAY_MS], [...path, ...key], report)
  return {
    name,
    target,
    severities: severities?.filter((one) => one !== undefined) ?? ['warning', 'critical'],
    repeatMs: duration(repeat, MIN_MS, ['repeat']) ?? null,
    escalateAfterMs: duration(escalateAfter, 1000, ['escalateAfter']) ?? 0,
    followUps,
    rate: {
      messages: rate.messages ?? DEFAULT_RATE.messages,
      perMs: duration(rate.per, 1000, ['rate', 'per']) ?? DEFAULT_RATE.perMs,
    },
    quiet: readQuiet(quiet, [...path, 'quiet'], report),
  }
}

function readQuiet(raw: RawNotifier['quiet'], path: Path, report: Report): NotifierConfig['quiet'] {
  if (raw?.from === undefined || raw.until === undefined) return null
  const { timeZone = 'UTC' } = raw
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone })
  } catch {
    report([...path, 'timeZone'], `"${clip(timeZone)}" is no time zone. Write one like Europe/Berlin.`)
    return null
  }
  if (raw.from === raw.until) {
    report(
      [...path, 'until'],
      'Quiet hours that end when they begin are none. Correct them or remove "quiet".',
    )
  }
  return { from: minuteOf(raw.from), until: minuteOf(raw.until), timeZone }
}

function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}

function checkKeys(raw: RawNotifier, kind: keyof typeof OWN_KEYS, path: Path, report: Report): void {
  const own: readonly string[] = OWN_KEYS[kind]
  const others = new Set<string>(Object.values(OWN_KEYS).flat())
  for (const key of Object.keys(raw)) {
    if (!others.has(key) || own.includes(key)) continue
    report([...path, key], `A notifier of the kind ${kind} has no "${key}". Remove it.`, 'key')
  }
}

function readTarget(raw: RawNotifier, path: Path, around: Around): NotifierTarget | null {
  const secret = readSecret(raw.secretFile, raw.secretEnv, path, ['secretFile', 'secretEnv'], around)
  if (secret === FAULTY) return null
  switch (raw.kind) {
    case 'email':
      return readEmail(raw, secret, path, around.report)
    case 'webhook': {
      const named = readSecret(raw.urlFile, raw.urlEnv, path, ['urlFile', 'urlEnv'], around)
      if (named === FAULTY) return null
      if ((named === null) === (raw.url === undefined)) {
        around.report(path, 'Write one of "url", "urlFile" and "urlEnv": where the webhook is called.', 'key')
        return null
      }
      const key = raw.url === undefined ? (raw.urlFile === undefined ? 'urlEnv' : 'urlFile') : 'url'
      const url = readUrl(named ?? raw.url ?? '', [...path, key], around.report)
      return url === null ? null : { kind: 'webhook', url, secret }
    }
    default: {
      const url = readUrl(raw.url ?? TELEGRAM, [...path, 'url'], around.report)
      if (raw.chat === undefined || secret === null) {
        around.report(
          path,
          'Telegram wants "chat", and the token of a bot: "secretFile" or "secretEnv".',
          'key',
        )
        return null
      }
      return url === null
        ? null
        : { kind: 'telegram', url: url.replace(/\/$/, ''), token: secret, chat: raw.chat }
    }
  }
}

function readEmail(
  raw: RawNotifier,
  secret: string | null,
  path: Path,
  report: Report,
): NotifierTarget | null {
  const { server, from, to, user } = raw
  const missing = Object.entries({ server, from, to }).flatMap(([key, value]) =>
    value === undefined ? [key] : [],
  )
  if (server === undefined || from === undefined || to === undefined) {
    report(path, `Mail wants ${missing.map((key) => `"${key}"`).join(', ')}. Add it.`, 'key')
    return null
  }
  if ((user === undefined) !== (secret === null)) {
    report(path, 'Write both "user" and the password ("secretFile" or "secretEnv"), or neither.', 'key')
  }
  const url = URL.canParse(server) ? new URL(server) : null
  const port = PORTS[url?.protocol ?? '']
  if (
    url === null ||
    port === undefined ||
    url.hostname === '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    report(
      [...path, 'server'],
      `"${clip(server)}" is no mail server. Write smtp://host:port or smtps://host:port.`,
    )
    return null
  }
  return {
    kind: 'email',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? port : Number(url.port),
    tls: url.protocol === 'smtps:',
    auth: user === undefined || secret === null ? null : { user, password: secret },
    from,
    to: to.filter((one) => one !== undefined),
  }
}

/** Reads an address; what is wrong is told without it, since it may be a secret. */
function readUrl(text: string, path: Path, report: Report): string | null {
  try {
    const url = new URL(text)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      report(path, 'This is no address of the web. Write https://...')
      return null
    }
    if (url.username !== '' || url.password !== '') {
      report(path, 'A user name or password in an address does not work here. Remove it.')
      return null
    }
    return text
  } catch (error) {
    report(path, `This is no address of the web: ${messageOf(error)}. Write https://...`)
    return null
  }
}

/** @returns null: none is named */
function readSecret(
  file: string | undefined,
  variable: string | undefined,
  path: Path,
  [fileKey, variableKey]: readonly [string, string],
  { report, variables, instanceDir }: Around,
): string | null | typeof FAULTY {
  if (file !== undefined && variable !== undefined) {
    report(path, `Write either ${fileKey} or ${variableKey}, and not both.`, 'key')
    return FAULTY
  }
  if (file !== undefined) {
    const read = readSecretFile(file, instanceDir)
    if ('secret' in read) return read.secret
    report([...path, fileKey], read.fault)
    return FAULTY
  }
  if (variable === undefined) return null
  const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined
  if (value) return value
  report([...path, variableKey], `The environment has no variable ${variable}. Set it.`)
  return FAULTY
}
