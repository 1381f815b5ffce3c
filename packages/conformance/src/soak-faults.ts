import type { WireFault } from '@golem/simulator'

/** Faults at random as a bad line has them: what costs a time-out is rarer than what does not. */
export function seededFaults(replyTimeoutMs: number): readonly WireFault[] {
  const often = 0.01
  const seldom = 0.0004
  return [
    { kind: 'duplicate', chance: often },
    { kind: 'garbage', chance: often },
    { kind: 'delay', ms: 15, chance: often },
    { kind: 'jitter', ms: 10, chance: often },
    { kind: 'cut', chance: often / 4 },
    { kind: 'late', ms: Math.round(replyTimeoutMs * 1.2), chance: seldom },
    { kind: 'silence', chance: seldom },
    { kind: 'drop', chance: seldom },
    { kind: 'halfOpen', chance: seldom / 2 },
  ]
}
