import type { ErrorCode } from '@golem/core'
import type { WireFault } from '@golem/simulator'

/** One way for things to go wrong, and how a driver may end under it. */
export interface FaultCase {
  name: string
  /** Without `from` and `times`: those are the scenario's. */
  fault: (replyTimeoutMs: number) => WireFault
  /** The answer comes in time: everything has to work as ever. */
  harmless?: boolean
  /** It can't be limited to single requests. */
  lasting?: boolean
  /** Honest ends; done with right values is always one. */
  codes: readonly ErrorCode[]
  /** During it a stop's bytes can't arrive, or can't be seen to. */
  deaf?: boolean
}

const NO_ANSWER: readonly ErrorCode[] = ['LINK_DOWN', 'REPLY_TIMEOUT']
const LOST: readonly ErrorCode[] = [...NO_ANSWER, 'LINK_LOST']
/** A read-back that shows the old value after the write got lost. */
const NOT_ARRIVED: readonly ErrorCode[] = [...LOST, 'READBACK_MISMATCH']
/** How a driver may end when the answer was spoilt. */
export const SPOILT: readonly ErrorCode[] = [...NOT_ARRIVED, 'REPLY_MALFORMED', 'WRONG_INSTRUMENT']

/** Lines, so that readers of lines take them for answers; and none of them a value. */
const STRAY_LINES = '\u0001\u00fe~#x\u0007\r\n??;\r\n'

export const FAULT_CASES: readonly FaultCase[] = [
  { name: 'delay', fault: () => ({ kind: 'delay', ms: 100 }), codes: [], harmless: true },
  { name: 'jitter', fault: () => ({ kind: 'jitter', ms: 40 }), codes: [], harmless: true },
  { name: 'slow drip', fault: () => ({ kind: 'drip', ms: 1 }), codes: [], harmless: true },
  { name: 'silence', fault: () => ({ kind: 'silence' }), codes: LOST },
  { name: 'drop', fault: () => ({ kind: 'drop' }), codes: NOT_ARRIVED },
  {
    name: 'late answer',
    fault: (replyTimeoutMs) => ({ kind: 'late', ms: Math.round(replyTimeoutMs * 1.3) + 100 }),
    codes: SPOILT,
  },
  { name: 'duplicate', fault: () => ({ kind: 'duplicate' }), codes: SPOILT },
  { name: 'cut', fault: () => ({ kind: 'cut' }), codes: SPOILT },
  { name: 'garbage before', fault: () => ({ kind: 'garbage' }), codes: SPOILT },
  {
    name: 'stray lines before',
    fault: () => ({ kind: 'garbage', bytes: STRAY_LINES }),
    codes: SPOILT,
  },
  { name: 'garbage inside', fault: () => ({ kind: 'garbage', where: 'inside' }), codes: SPOILT },
  {
    name: 'garbage instead',
    fault: () => ({ kind: 'garbage', where: 'instead', bytes: STRAY_LINES }),
    codes: SPOILT,
  },
  { name: 'wrong terminator', fault: () => ({ kind: 'terminator' }), codes: SPOILT },
  { name: 'half-open connection', fault: () => ({ kind: 'halfOpen' }), codes: NOT_ARRIVED, deaf: true },
  { name: 'refuse', fault: () => ({ kind: 'refuse' }), codes: LOST, lasting: true, deaf: true },
]
