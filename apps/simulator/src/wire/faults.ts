import { GolemError } from '@golem/core'
import { type Random, seededRandom } from '../random.ts'

/**
 * What can go wrong on a wire. Where a device of the simulator has the same fault, it has the same name.
 *
 * - `delay`: the answer comes `ms` later (default 200)
 * - `jitter`: each piece of the answer comes up to `ms` later (default 50), in order
 * - `late`: the answer comes when the reader has given up (`ms`, default 6500)
 * - `silence`: the request arrives, the answer does not
 * - `drop`: the request does not arrive
 * - `duplicate`: the answer comes twice
 * - `cut`: half the answer comes, then the connection ends
 * - `garbage`: stray bytes (`bytes`) `before` the answer, `inside` or `instead` of it (`where`, default before)
 * - `terminator`: the answer ends wrongly
 * - `halfOpen`: from here on this connection is dead in both directions, without a word; others are not
 * - `refuse`: no connection can be made, those there are end
 * - `offline`: a device behind a broker loses its connection without a good-bye, so that the broker tells its last will;
 *   nothing on other wires
 * - `drip`: the answer comes byte by byte, `ms` apart (default 1)
 * - `stuck`: the request does not arrive, and is answered as it was the last time
 * - `wrongIdentity`: another instrument answers
 * - `reboot`: the device starts anew at this request and has lost its settings
 */
export const WIRE_FAULT_KINDS = [
  'delay',
  'jitter',
  'late',
  'silence',
  'drop',
  'duplicate',
  'cut',
  'garbage',
  'terminator',
  'halfOpen',
  'refuse',
  'offline',
  'drip',
  'stuck',
  'wrongIdentity',
  'reboot',
] as const

export type WireFaultKind = (typeof WIRE_FAULT_KINDS)[number]

export interface WireFault {
  kind: WireFaultKind
  /** delay, jitter, late, drip */
  ms?: number
  /** garbage: what comes; each character is one byte (latin1) */
  bytes?: string
  /** garbage */
  where?: 'before' | 'inside' | 'instead'
  /** terminator: what it makes of the answer, in place of what its language has for a wrong end. */
  spoil?: (answer: Buffer) => Buffer
  /** The first request it concerns, counted from 1 as of now, of those that match (default 1). */
  from?: number
  /** For so many requests (default: all from there on). */
  times?: number
  /** Each of them meets it with this probability, 0 to 1 (default 1). */
  chance?: number
  /** Only requests for which this holds; a request comes whole, and empty where the device speaks by itself. */
  match?: (request: Buffer) => boolean
}

const DEFAULT_MS: Partial<Record<WireFaultKind, number>> = { delay: 200, jitter: 50, late: 6500, drip: 1 }
export const DEFAULT_GARBAGE = '\u0001\u00fe~#x\u0007 5;'

/** How long this fault holds something up, in ms. */
export function msOf(fault: WireFault): number {
  return fault.ms ?? DEFAULT_MS[fault.kind] ?? 0
}

interface Entry {
  fault: WireFault
  seen: number
  used: number
}

/** The faults that are to come, request by request. */
export class FaultScript {
  readonly #entries: readonly Entry[]
  readonly random: Random

  /**
   * @param faults - of several that concern the same request, the first holds
   * @param seed - of chance and jitter
   * @throws INVALID_REQUEST for a number that can't be
   */
  constructor(faults: readonly WireFault[] = [], seed = 1) {
    for (const fault of faults) checkFault(fault)
    this.#entries = faults.map((fault) => ({ fault, seen: 0, used: 0 }))
    this.random = seededRandom(seed)
  }

  /** Is no connection to be had? */
  get refuses(): boolean {
    return this.#entries.some(({ fault }) => fault.kind === 'refuse')
  }

  /** The fault of the next request; counts it. */
  take(request: Buffer): WireFault | null {
    let found: WireFault | null = null
    for (const entry of this.#entries) {
      const { fault } = entry
      if (fault.match && !fault.match(request)) continue
      entry.seen += 1
      const { from = 1, times = Infinity, chance = 1 } = fault
      if (found || entry.seen < from || entry.used >= times) continue
      if (chance < 1 && this.random.next() >= chance) continue
      entry.used += 1
      found = fault
    }
    return found
  }
}

function checkFault({ kind, ms, from, times, chance, match }: WireFault): void {
  const invalid = (field: string, message: string): GolemError =>
    new GolemError('INVALID_REQUEST', `${message}.`, { field: `/${field}` })
  if (!WIRE_FAULT_KINDS.includes(kind)) {
    throw invalid('kind', `"${String(kind)}" is none of ${WIRE_FAULT_KINDS.join(', ')}`)
  }
  if (ms !== undefined && !(ms >= 0 && ms <= 3_600_000))
    throw invalid('ms', `"ms" is 0 to 3600000, not ${ms}`)
  if (chance !== undefined && !(chance >= 0 && chance <= 1))
    throw invalid('chance', `"chance" is 0 to 1, not ${chance}`)
  for (const [name, value] of [
    ['from', from],
    ['times', times],
  ] as const) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw invalid(name, `"${name}" is a whole number from 1, not ${value}`)
  }
  if ((kind === 'refuse' || kind === 'offline') && (from ?? times ?? chance ?? match) !== undefined) {
    throw invalid('kind', `"${kind}" concerns the connection and can't be limited to requests`)
  }
}
