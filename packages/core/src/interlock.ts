import type { Value } from './description.ts'

/** When a watched reading is as it must not be. Numbers in the unit of the parameter. */
export type WatchedCondition =
  /** `hysteresis`: how far back from the limit it has to be before it is over. */
  { is: 'above' | 'below'; limit: number; hysteresis: number } | { is: 'equals' | 'notEquals'; value: Value }

/** One reading that an interlock looks at. */
export type WatchedReading = WatchedCondition & {
  instrument: string
  parameter: string
  /** It has to be so, or not to be known, for this long without a break, in ms. */
  forMs: number
  /** A reading older than this is not known, in ms. */
  maxAgeMs: number
}

/** An output, or an action, of an instrument. */
export interface InterlockTarget {
  instrument: string
  /** Of a parameter or an action. */
  name: string
  /** Only this value of the parameter is meant; absent: every value but its safe one. */
  value?: Value
}

/** A rule across instruments, kept by the workers that own the outputs. */
export interface InterlockRule {
  name: string
  watch: { all: boolean; readings: readonly WatchedReading[] }
  /** What is not carried out while it is so. */
  refuse: readonly InterlockTarget[]
  /** What is written at once when it becomes so. */
  trip: readonly (InterlockTarget & { value: Value })[]
  /** Actions that are carried out also while an output of their instrument is held. */
  allow: readonly InterlockTarget[]
  /** What a watched reading that is not known does: as if it were so; only refuse; nothing. */
  stale: 'trip' | 'refuse' | 'ignore'
  /** A trip stays until a person resets it. */
  latch: boolean
  /** What to do about it, as a sentence. */
  guidance?: string
}

/**
 * clear: all is well; waiting: not heard of all it watches yet, nothing but safe values is let through; holds: it is so;
 * unknown: what it watches is not known; latched: it has tripped, is over, and waits for a person.
 */
export type InterlockCondition = 'clear' | 'waiting' | 'holds' | 'unknown' | 'latched'

/** An interlock as the worker of one instrument keeps it there. */
export interface InterlockView {
  name: string
  condition: InterlockCondition
  /** ISO 8601 UTC */
  since: string
  /** What is so, as a sentence. */
  message: string
  /** Parameters and actions of this instrument that it refuses now. */
  refused: readonly string[]
  /** Parameters of this instrument that it holds at a value now. */
  held: Readonly<Record<string, Value>>
}

/** What the site knows of the trips of an interlock. Times are ISO 8601 UTC. */
export interface InterlockRecord {
  name: string
  /** null: it has not tripped, or was reset. */
  tripped: InterlockTrip | null
  reset: InterlockReset | null
  guidance?: string
}

export interface InterlockTrip {
  id: string
  at: string
  /** What was so, as a sentence. */
  message: string
  /** The worker that noticed it first. */
  worker: string
}

export interface InterlockReset {
  /** Id of the trip. */
  trip: string
  at: string
  by: string
  note: string
}
