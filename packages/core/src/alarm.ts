import type { Value } from './description.ts'

/** From the least: somebody should know; somebody should look today; somebody should come now. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const

export type Severity = (typeof SEVERITIES)[number]

/**
 * active: it is so; returned: it is no longer so, but it is latched, or nobody has acknowledged it; normal: it is not
 * so, or it was and is settled.
 */
export type AlarmCondition = 'normal' | 'active' | 'returned'

/** A condition that calls a person. Times are ISO 8601 UTC. */
export interface AlarmRecord {
  /** e.g. `lamp.temperature.high`, `worker.pi-2`, `run.r-17.failed` */
  id: string
  /** What it watches. */
  instrument?: string
  parameter?: string
  severity: Severity
  condition: AlarmCondition
  /** What is wrong, as a sentence with value and limit. */
  message: string
  /** What to do about it. */
  guidance?: string
  value?: Value | null
  /** When it became active the last time, and when it ceased to be. */
  since: string
  returnedAt?: string
  acknowledged: { by: string; at: string; note: string } | null
  /** It is known, but nobody is called: why, as a sentence. */
  inhibited?: string
  /** How often it became active since it was last normal. */
  count: number
}
