import type { Value } from '@golem/core'
import type { RestartPolicy } from '../recipe.ts'

/*
 * A recipe file after its schema was checked: whatever is there has the right type, but anything may be missing that
 * was faulty.
 */

export type RawNumber = number | string
export type RawValue = Value

export interface RawCondition {
  reading?: string
  above?: RawNumber
  below?: RawNumber
  between?: RawNumber[]
  equals?: RawValue
  notEquals?: RawValue
  for?: string
  all?: RawCondition[]
  any?: RawCondition[]
}

export interface RawEnd {
  times?: RawNumber
  forever?: true
  for?: string
  until?: RawCondition
}

export interface RawVerbs {
  set: Record<string, RawValue>
  do: { action?: string; arguments?: Record<string, RawValue> }
  wait: string | { aligned?: string; offset?: string }
  until: RawCondition & { timeout?: string; onTimeout?: 'fail' | 'continue' }
  repeat: RawEnd & { every?: string; steps?: RawStep[] }
  forEach: {
    name?: string
    in?: RawValue[] | { from?: RawNumber; to?: RawNumber; step?: RawNumber }
    steps?: RawStep[]
  }
  ramp: { parameter?: string; from?: RawNumber; to?: RawNumber; over?: string; every?: string }
  measure: { readings?: string[]; samples?: RawNumber; every?: string }
  parallel: { steps?: RawStep[] }[]
  if: { condition?: RawCondition; then?: RawStep[]; else?: RawStep[] }
  control: RawControl
  note: string
  call: { recipe?: string; with?: Record<string, RawValue>; instruments?: Record<string, string> }
}

export interface RawControl extends RawEnd {
  kind?: 'hysteresis' | 'pid'
  reading?: string
  output?: string
  plausible?: [number, number]
  blind?: { after?: string; value?: RawValue }
  low?: RawNumber
  high?: RawNumber
  cooling?: boolean
  on?: RawValue
  off?: RawValue
  setpoint?: RawNumber
  kp?: RawNumber
  ki?: RawNumber
  kd?: RawNumber
  min?: RawNumber
  max?: RawNumber
  reverse?: boolean
  every?: string
  deadband?: RawNumber
}

export interface RawStep extends Partial<RawVerbs> {
  name?: string
  onRestart?: RestartPolicy
  onFailure?: 'fail' | 'continue'
  timeout?: string
  patience?: string
}

export interface RawParameter {
  type?: 'number' | 'integer' | 'boolean' | 'choice' | 'text' | 'duration'
  label?: string
  note?: string
  unit?: string
  min?: number | string
  max?: number | string
  choices?: string[]
  default?: number | boolean | string
}

export interface RawRecipe {
  label?: string
  note?: string
  parameters?: Record<string, RawParameter>
  instruments?: Record<string, { default?: string; label?: string }>
  onRestart?: RestartPolicy
  inhibitAlarms?: (string | undefined)[]
  stages?: { name?: string; inhibitAlarms?: (string | undefined)[]; steps?: RawStep[] }[]
  finally?: RawStep[]
}
