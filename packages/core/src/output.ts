import type { Value } from './description.ts'

/**
 * What a site demands of an output, beyond its limits: enforced by the worker that owns it. An output is on when it is
 * not at its safe value.
 */
export interface OutputRules {
  /** On for longer than this, it is brought to its safe value, in ms. */
  maxOnMs?: number
  /** Once on, it is switched off no sooner than this, in ms; emergency stop, interlocks and `maxOn` are not held up. */
  minOnMs?: number
  /** Once off, it is switched on no sooner than this, in ms. */
  minOffMs?: number
  /** Its instrument switches it off by itself after this time, in ms; its worker switches it on again at half of it. */
  rearmMs?: number
  /** How fast it may change, in its unit: `step` at once, and after that so much more each second. */
  slew?: { perSecond: number; step: number }
  count?: CountRules
}

/** What is counted of an output that wears out, or uses something up. What has no limit is only counted. */
export interface CountRules {
  onTime?: { limitMs?: number; warnAtMs?: number }
  /** How often it was switched on. */
  cycles?: { limit?: number; warnAt?: number }
  /** In litres, from its time on. */
  volume?: { litresPerMinute: number; limit?: number; warnAt?: number }
  /** Whether it is still switched on when a limit is reached; either way people are told. */
  atLimit: 'refuse' | 'tell'
}

export type CountLevel = 'ok' | 'warn' | 'limit'

/** What has been counted of an output. */
export interface OutputCount {
  onTimeS: number
  cycles: number
  litres?: number
  /** When the counting began, or was last reset, ISO 8601 UTC. */
  since: string
  level: CountLevel
}

/** The action by which counters are reset, of each instrument that has some: golem's own, nothing is sent. */
export const RESET_COUNTERS = 'resetCounters'

/** How an output that has rules stands, as its worker knows it. */
export interface OutputState {
  /** null: not known yet. */
  on: boolean | null
  /** Since when it has been seen so, ISO 8601 UTC. */
  since: string
  /** When it was last known to be otherwise (at the latest `since`): from here `maxOn` counts. */
  countedFrom: string
  /** When it was last seen so. */
  seenAt: string
  /** When `maxOn` brings it to its safe value. */
  offBy?: string
  /** Until when `minOn` or `minOff` keep it as it is. */
  heldUntil?: string
  /** The value that it is kept at by `rearm`. */
  kept?: Value
  count?: OutputCount
}
