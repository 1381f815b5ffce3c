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

/** What a rule of a parameter watches for, from what is furthest out to what is only odd. */
export const ALARM_KINDS = ['lowLow', 'highHigh', 'low', 'high', 'deviation', 'state', 'stale'] as const

export type AlarmKind = (typeof ALARM_KINDS)[number]

/** Times are in ms, numbers in the unit of the parameter. */
interface RuleCommon {
  severity: Severity
  /** It has to be so for this long before it is an alarm. */
  delayMs: number
  /** It has to be over for this long before the alarm has returned. */
  offDelayMs: number
  /** It stays until somebody has acknowledged it after it was over. */
  latch: boolean
  /** What to do about it, for whoever is called. */
  guidance?: string
  /** Nobody is called while a run of these recipes goes on; with a stage: while it is there. */
  inhibitDuring: readonly { recipe: string; stage?: string }[]
}

/** What is watched for. */
export type AlarmLimit =
  | {
      kind: 'lowLow' | 'low' | 'high' | 'highHigh'
      at: number
      /** How far back from the limit it has to be before it is over. */
      hysteresis: number
    }
  | {
      kind: 'deviation'
      /** A number, or another reading. */
      from: number | { instrument: string; parameter: string }
      by: number
      hysteresis: number
    }
  /** `equals`: it is one of these; `notEquals`: it is none of these. */
  | { kind: 'state'; equals: readonly Value[] }
  | { kind: 'state'; notEquals: readonly Value[] }
  /** Not read for this long, or the instrument itself says that it has no value. */
  | { kind: 'stale'; afterMs: number }

/** When a parameter's value calls a person. */
export type AlarmRule = RuleCommon & AlarmLimit
