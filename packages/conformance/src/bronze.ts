import {
  type AnyParameterSpec,
  type ArgumentDescription,
  type Driver,
  isFault,
  type Model,
  valueInWords,
} from '@golem/core'
import type { Bench } from './bench.ts'
import { settle } from './manner.ts'
import type { Finding } from './report.ts'
import { agrees, testValues } from './test-values.ts'

/** Is the description whole: what a person at the page needs in order to set the instrument without harm? */
export function checkDescription(model: Model, driver: Driver): Finding {
  const missing: string[] = []
  if (model.source.trim() === '') missing.push('the model has no source')
  const parameters = Object.entries<AnyParameterSpec>(driver.parameters)
  if (parameters.length + Object.keys(driver.actions).length === 0) {
    missing.push('there is nothing to read, write or do')
  }
  for (const [name, spec] of parameters) missing.push(...missingOf(name, spec, driver))
  for (const [name, { label, arguments: args = {} }] of Object.entries(driver.actions)) {
    if (label.trim() === '') missing.push(`the action ${name} has no label`)
    for (const [argument, spec] of Object.entries<ArgumentDescription>(args)) {
      if (spec.label.trim() === '') missing.push(`${argument} of the action ${name} has no label`)
    }
  }
  return missing.length === 0
    ? finding('description', 'passed', 'labels, limits, safe values or reasons, source')
    : finding('description', 'failed', missing.join('; '))
}

function missingOf(name: string, spec: AnyParameterSpec, driver: Driver): string[] {
  const missing: string[] = []
  if (spec.label.trim() === '') missing.push(`${name} has no label`)
  if (spec.type === 'choice' && (spec.choices ?? []).length === 0) missing.push(`${name} has no choices`)
  if (!spec.write) return missing
  const numeric = spec.type === 'number' || spec.type === 'integer'
  if (numeric && (spec.min === undefined || spec.max === undefined)) {
    missing.push(`${name} has no limits`)
  }
  if (spec.safe === undefined && spec.note === undefined && !driver.makeSafe) {
    missing.push(`${name} has neither a safe value nor a note that says why it needs none`)
  }
  return missing
}

/** Does it identify the instrument and read everything? */
export async function checkReading(bench: Bench): Promise<Finding[]> {
  const { why, readings } = await settle(bench, [])
  if (why !== null) {
    return [
      finding('identifies', 'failed', why),
      finding('reads everything', 'failed', 'it was never reached'),
    ]
  }
  const readable = Object.entries<AnyParameterSpec>(bench.driver.parameters).filter(
    ([, spec]) => spec.readable !== false,
  )
  // What is known only after it was set is read in the check of writing; what is a fault is a reading too.
  const silent: string[] = []
  const wrong: string[] = []
  const rest = await settle(
    bench,
    readable.filter(([, spec]) => !spec.write && !spec.note).map(([name]) => name),
    3,
  )
  for (const [name, spec] of readable) {
    const value = rest.readings[name] ?? readings[name]
    if (value === undefined) {
      if (!spec.write && !spec.note) silent.push(name)
    } else if (!isFault(value) && !fits(spec, value)) {
      wrong.push(`${name} was read as ${valueInWords(value)}, which is no ${spec.type} of its description`)
    }
  }
  if (silent.length > 0) wrong.push(`no reading of ${silent.join(', ')}`)
  return [
    finding('identifies', 'passed', 'it was reached and found to be what it should be'),
    wrong.length === 0
      ? finding('reads everything', 'passed', `${readable.length} parameters`)
      : finding('reads everything', 'failed', wrong.join('; ')),
  ]
}

function fits(spec: AnyParameterSpec, value: unknown): boolean {
  switch (spec.type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'integer':
      return Number.isInteger(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'choice':
      return typeof value === 'string' && (spec.choices ?? []).includes(value)
    case 'text':
      return typeof value === 'string'
    case 'array':
      return Array.isArray(value)
  }
}

/** Writes two values to everything that can be written, and reads each back. */
export async function checkWriting(bench: Bench): Promise<Finding> {
  const writable = Object.entries<AnyParameterSpec>(bench.driver.parameters).filter(([, spec]) => spec.write)
  if (writable.length === 0) {
    return finding('writes everything', 'does not apply', 'nothing can be written')
  }
  const wrong: string[] = []
  for (const [name, spec] of writable) {
    const values = testValues(spec).slice(0, 2)
    if (values.length === 0) wrong.push(`${name} takes no two values`)
    for (const value of values) {
      const { error } = await bench.write(name, value)
      const words = `${name} = ${valueInWords(value)}`
      if (error) {
        wrong.push(`${words}: ${error.code} (${error.message})`)
        break
      }
      if (spec.readable === false) continue
      const { why, readings } = await settle(bench, [name])
      const got = readings[name]
      if (why !== null || got === undefined || isFault(got)) {
        wrong.push(`${words}, then it was not read: ${why ?? 'a fault'}`)
      } else if (!agrees(spec, value, got)) {
        wrong.push(`${words}, then it was read as ${valueInWords(got)}`)
      }
    }
  }
  return wrong.length === 0
    ? finding('writes everything', 'passed', `${writable.length} parameters, each read back`)
    : finding('writes everything', 'failed', wrong.join('; '))
}

function finding(check: string, status: Finding['status'], reason: string): Finding {
  return { level: 'bronze', check, status, reason }
}
