import type { Value } from './description.ts'
import type { InterlockView } from './interlock.ts'
import type { OutputState } from './output.ts'
import type { PowerReturn } from './power-return.ts'

/** good: read from the instrument within the time its poll period promises; stale: older; bad: the instrument itself says it is no value. */
export type Quality = 'good' | 'stale' | 'bad'

/** A parameter's value with time and quality. A value is never older than it says. */
export interface Reading {
  /** The last value known; null when there never was one. With quality `bad` it is the last good one. */
  value: Value | null
  /** When `value` was read, ISO 8601 UTC; null when there never was a value. */
  at: string | null
  quality: Quality
  /** Why it is not good, as a sentence. */
  error?: string
}

/**
 * connecting: not yet spoken to; ok: answers; degraded: answers sometimes, or some readings are bad;
 * lost: silent for several polls, or its worker is gone; stopped: its worker was stopped in an orderly way.
 */
export type Condition = 'connecting' | 'ok' | 'degraded' | 'lost' | 'stopped'

/** All readings and the condition of an instrument at one time, as its worker writes it. */
export interface Snapshot {
  id: string
  condition: Condition
  /** ISO 8601 UTC */
  conditionSince: string
  /** A sentence about the condition. */
  message: string
  /** When this was written, ISO 8601 UTC; of older golems: absent. */
  writtenAt?: string
  /** Id of the worker process that owns its link; null when none does. */
  owner: string | null
  /** Last good exchange, ISO 8601 UTC; null when there never was one. */
  seenAt: string | null
  /** A reading older than this is stale, in ms. */
  staleAfterMs: number
  /** The same for parameters that the site reads at a period of their own, in ms. */
  staleAfterMsOf?: Readonly<Record<string, number>>
  readings: Readonly<Record<string, Reading>>
  /** Interlocks that concern its outputs; absent: there are none. */
  interlocks?: readonly InterlockView[]
  /** A question that waits for a person. */
  powerReturn?: PowerReturn
  /** Its outputs that have rules; absent: it has none. */
  outputs?: Readonly<Record<string, OutputState>>
}
