import type { Path } from '@golem/config'
import type { Value } from '@golem/core'
import type { ControlStep, Given, Hysteresis, Pid } from '../recipe.ts'
import { isAbove, type Values } from './build-values.ts'
import type { RawControl } from './raw.ts'
import type { Variables } from './variables.ts'

const BLIND_MS = 60_000
const HYSTERESIS = ['low', 'high', 'cooling', 'on', 'off'] as const
const PID = ['setpoint', 'kp', 'ki', 'kd', 'min', 'max', 'reverse', 'every', 'deadband'] as const
const NEEDED = { hysteresis: ['low', 'high'], pid: ['setpoint', 'kp', 'min', 'max', 'every'] } as const

export function buildControl(
  values: Values,
  raw: RawControl,
  path: Path,
  variables: Variables,
  end: ControlStep['end'],
): ControlStep {
  const kind = raw.kind ?? 'hysteresis'
  for (const key of kind === 'pid' ? HYSTERESIS : PID) {
    if (raw.kind !== undefined && raw[key] !== undefined) {
      values.report([...path, key], `"${key}" does not go with kind: ${kind}. Remove it.`, 'key')
    }
  }
  for (const key of raw.kind === undefined ? [] : NEEDED[kind]) {
    if (raw[key] === undefined) values.report(path, `kind: ${kind} needs "${key}". Add it.`, 'key')
  }
  const law = kind === 'pid' ? pid(values, raw, path, variables) : hysteresis(values, raw, path, variables)
  const [lowest, highest] = raw.plausible ?? []
  if (lowest !== undefined && highest !== undefined && lowest >= highest) {
    values.report([...path, 'plausible'], `The lower end comes first: ${highest} is not above ${lowest}.`)
  }
  const fallback: Given<Value> = law.kind === 'pid' ? law.outputMin : law.off
  return {
    verb: 'control',
    reading: values.ref(raw.reading),
    output: values.ref(raw.output),
    law,
    ...(raw.plausible ? { plausible: raw.plausible } : {}),
    blind: {
      afterMs:
        raw.blind?.after === undefined
          ? BLIND_MS
          : values.duration(raw.blind.after, [...path, 'blind', 'after'], variables, 1),
      value:
        raw.blind?.value === undefined
          ? fallback
          : values.value(raw.blind.value, [...path, 'blind', 'value'], variables),
    },
    end,
  }
}

function hysteresis(values: Values, raw: RawControl, path: Path, variables: Variables): Hysteresis {
  const low = values.number(raw.low, [...path, 'low'], variables)
  const high = values.number(raw.high, [...path, 'high'], variables)
  if (raw.low !== undefined && raw.high !== undefined && isAbove(low, high)) {
    values.report([...path, 'high'], '"high" has to be above "low".')
  }
  return {
    kind: 'hysteresis',
    low,
    high,
    cooling: raw.cooling ?? false,
    on: values.value(raw.on ?? true, [...path, 'on'], variables),
    off: values.value(raw.off ?? false, [...path, 'off'], variables),
  }
}

function pid(values: Values, raw: RawControl, path: Path, variables: Variables): Pid {
  const number = (key: 'setpoint' | 'kp' | 'ki' | 'kd' | 'min' | 'max' | 'deadband', min?: number) =>
    values.number(raw[key] ?? 0, [...path, key], variables, min === undefined ? {} : { min })
  const [outputMin, outputMax] = [number('min'), number('max')]
  if (raw.min !== undefined && raw.max !== undefined && isAbove(outputMin, outputMax)) {
    values.report([...path, 'max'], '"max" has to be above "min".')
  }
  return {
    kind: 'pid',
    setpoint: number('setpoint'),
    // Which way it works is said by "reverse", not by a sign.
    kp: number('kp', 0),
    ki: number('ki', 0),
    kd: number('kd', 0),
    outputMin,
    outputMax,
    reverse: raw.reverse ?? false,
    everyMs: values.duration(raw.every, [...path, 'every'], variables, 100),
    deadband: number('deadband', 0),
    integer: false,
  }
}
