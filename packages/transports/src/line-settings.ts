import { type Address, GolemError, type LineDriver, nameOf } from '@golem/core'
import { MAX_LINE } from './line-framing.ts'

/** What all instruments of a line have in common: how it is set, and what cuts its lines. */
export type LineSettings = LineDriver['link']

/** What is the largest that any of its instruments needs. */
export interface LineLimits {
  quietMs: number
  gapMs: number
  maxLineLength: number
}

const SERIAL = ['baudRate', 'dataBits', 'parity', 'stopBits', 'flowControl', 'dtr', 'rts'] as const

/** The settings that differ are named so in messages. */
const NAMES = {
  baudRate: 'speeds',
  dataBits: 'data bits',
  parity: 'parities',
  stopBits: 'stop bits',
  flowControl: 'flow controls',
  dtr: 'DTR wires',
  rts: 'RTS wires',
} as const

const DEFAULTS = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' } as const

/** The settings of a line for one of its instruments: what its address says, else its driver. */
export function settingsFor(driver: LineDriver, endpoint: Address): LineSettings {
  return endpoint.kind === 'serial' ? { ...driver.link, ...endpoint } : driver.link
}

/** @throws CONFIG_INVALID when two instruments can't share the line */
export function checkSame(where: string, endpoint: Address, one: LineSettings, other: LineSettings): void {
  const differs: string[] = SERIAL.filter((name) => {
    const usual = { ...DEFAULTS, dtr: undefined, rts: undefined }[name]
    return endpoint.kind === 'serial' && (one[name] ?? usual) !== (other[name] ?? usual)
  }).map((name) => NAMES[name])
  const ends = ({ sendTerminator, receiveTerminator, receiveFrame }: LineSettings): string =>
    JSON.stringify([sendTerminator, receiveTerminator, receiveFrame?.header, receiveFrame?.length])
  if (ends(one) !== ends(other)) differs.push('line ends')
  if (differs.length === 0) return
  throw new GolemError(
    'CONFIG_INVALID',
    `Two models on ${where} need different ${differs.join(' and ')}: give each instrument a line of its own, or write the same settings in both addresses (${nameOf(endpoint)}?baud=...).`,
  )
}

/** The limits of a line when one more instrument is on it. */
export function widened(limits: LineLimits | undefined, settings: LineSettings): LineLimits {
  const { quietMs, gapMs = 0, maxLineLength = MAX_LINE } = settings
  return {
    quietMs: Math.max(limits?.quietMs ?? 0, quietMs),
    gapMs: Math.max(limits?.gapMs ?? 0, gapMs),
    maxLineLength: Math.max(limits?.maxLineLength ?? 0, maxLineLength),
  }
}
