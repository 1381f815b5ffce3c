import { GolemError } from '@golem/core'

/**
 * What can go wrong with a device.
 *
 * - `delay`: answers after `ms` (default 1000)
 * - `late`: answers, but only when the reader has given up (default 6500 ms, on a serial line 2600 ms)
 * - `silence`: accepts the request and never answers
 * - `refuse`: connection refused; a serial port has vanished
 * - `garbage`: answers nonsense; with `raw` on HTTP: bytes that are not HTTP
 * - `cut`: the answer breaks off in the middle; HTTP: the connection is closed
 * - `wrongValue`: a well-formed answer with wrong content: `value` (default 999) in `fields` of a reading
 *   (default all that are measured), another value than asked for in the acknowledgement of a command
 * - `stuck`: acknowledges as asked and does nothing
 * - `http500`: status 500
 * - `reboot`: starts anew; away for `seconds` (default 3), outputs off; ends by itself
 * - `duplicate`: the answer comes twice
 * - `hugeReply`: the answer is `bytes` long (default 1200000)
 * - `exception`: Modbus: does nothing and answers with exception `value` (default 4)
 * - `wrongUnit`: Modbus: answers as if it were another unit
 * - `sensorMissing`: all sensors of a relay board read -255; a lamp reboots when `/info` is asked
 */
export const FAULT_KINDS = [
  'delay',
  'late',
  'silence',
  'refuse',
  'garbage',
  'cut',
  'wrongValue',
  'stuck',
  'http500',
  'reboot',
  'duplicate',
  'hugeReply',
  'sensorMissing',
  'exception',
  'wrongUnit',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Fault {
  kind: FaultKind
  /** delay, late */
  ms?: number
  /** reboot */
  seconds?: number
  /** hugeReply */
  bytes?: number
  /** wrongValue */
  value?: number
  /** wrongValue: names as in the answer, e.g. `int_temp`, `ch0`, `co2`. */
  fields?: readonly string[]
  /** garbage */
  raw?: boolean
  /** Only the next so many requests (that match). */
  times?: number
  /** Only requests of this method (or serial letter), of this path without query. */
  match?: { method?: string; path?: string }
  /**
   * Does the device carry out what it was asked, although the answer is spoilt? Default true; false for
   * `http500` and `stuck`.
   */
  act?: boolean
}

const NUMBERS = ['ms', 'seconds', 'bytes', 'value', 'times'] as const
const KEYS = new Set<string>(['kind', ...NUMBERS, 'fields', 'raw', 'match', 'act'])
/** Faults of the connection: they hold for the device, not for single requests. */
const CONNECTION_FAULTS = new Set<FaultKind>(['refuse', 'reboot'])
const MAX_REPLY_BYTES = 16 * 1024 * 1024

/**
 * Reads a fault that came from outside.
 *
 * @throws INVALID_REQUEST naming the field
 */
export function parseFault(given: unknown): Fault {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid('', 'a fault is an object, e.g. {"kind":"delay","ms":3000}')
  }
  const fault = given as Record<string, unknown>
  for (const key of Object.keys(fault)) {
    if (!KEYS.has(key)) throw invalid(key, `a fault has no "${key}". It may have ${[...KEYS].join(', ')}`)
  }
  const kind = FAULT_KINDS.find((each) => each === fault['kind'])
  if (!kind) throw invalid('kind', `"kind" has to be one of ${FAULT_KINDS.join(', ')}`)
  for (const key of NUMBERS) checkNumber(key, fault[key])
  for (const key of ['raw', 'act']) {
    if (fault[key] !== undefined && typeof fault[key] !== 'boolean')
      throw invalid(key, `"${key}" is true or false`)
  }
  const { fields, match } = fault
  if (
    fields !== undefined &&
    !(Array.isArray(fields) && fields.every((field) => typeof field === 'string'))
  ) {
    throw invalid('fields', '"fields" is a list of names')
  }
  if (match !== undefined) checkMatch(match)
  if (CONNECTION_FAULTS.has(kind) && (match !== undefined || fault['times'] !== undefined)) {
    throw invalid('kind', `"${kind}" concerns the connection and can't be limited by "times" or "match"`)
  }
  return { ...(fault as Omit<Fault, 'kind'>), kind }
}

function checkNumber(key: (typeof NUMBERS)[number], value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(key, `"${key}" is a number`)
  if (key === 'value') return
  const [min, max] = { ms: [0, 3_600_000], seconds: [0, 3600], bytes: [1, MAX_REPLY_BYTES], times: [1, 1e9] }[
    key
  ] as [number, number]
  if (value < min || value > max) throw invalid(key, `"${key}" is ${min} to ${max}, not ${value}`)
}

function checkMatch(match: unknown): void {
  const entries = typeof match === 'object' && match !== null ? Object.entries(match) : null
  const good = entries?.every(
    ([key, value]) => (key === 'method' || key === 'path') && typeof value === 'string',
  )
  if (!good) throw invalid('match', '"match" is an object with "method" and "path", both texts')
}

function invalid(field: string, message: string): GolemError {
  return new GolemError('INVALID_REQUEST', `${message}.`, { field: `/${field}` })
}

/** The fault that is set on a device, and for how many requests it still holds. */
export class FaultSlot {
  #fault: Fault | null = null
  #left = Infinity

  set(fault: Fault | null): void {
    this.#fault = fault
    this.#left = fault?.times ?? Infinity
  }

  /** What is set now, with the requests that are left in `times`. */
  get current(): Fault | null {
    if (this.#fault === null || this.#fault.times === undefined) return this.#fault
    return { ...this.#fault, times: this.#left }
  }

  /** The fault that applies to a request, which uses up one of its times. `path` may have a query. */
  take(request: { method: string; path: string }): Fault | null {
    const fault = this.#fault
    if (fault === null) return null
    const { method, path } = fault.match ?? {}
    if (method !== undefined && method !== request.method) return null
    if (path !== undefined && path !== request.path.split('?', 1)[0]) return null
    this.#left -= 1
    if (this.#left <= 0) this.#fault = null
    return fault
  }
}

/** Does the device do what it is asked under this fault? */
export function acts(fault: Fault | null): boolean {
  return fault?.act ?? !(fault?.kind === 'http500' || fault?.kind === 'stuck')
}

/** A text of this length that means nothing. */
export function padding(bytes: number): string {
  return 'x'.repeat(bytes)
}
