import type { WireFault } from '@golem/simulator'
import { FAULT_CASES } from './fault-cases.ts'

/**
 * Faults at random as a bad line has them: what costs a time-out is rarer than what does not.
 *
 * @param without - cases that have no meaning on this transport, by name
 */
export function seededFaults(
  replyTimeoutMs: number,
  without: Readonly<Record<string, string>> = {},
): readonly WireFault[] {
  const absent = new Set(
    FAULT_CASES.filter(({ name }) => Object.hasOwn(without, name)).map(
      ({ fault }) => fault(replyTimeoutMs).kind,
    ),
  )
  const often = 0.01
  const seldom = 0.0004
  const faults: readonly WireFault[] = [
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
  return faults.filter(({ kind }) => !absent.has(kind))
}
