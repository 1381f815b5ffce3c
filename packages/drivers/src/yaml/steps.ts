import type { Path } from '@golem/config'
import type { LineIo } from '@golem/core'
import type { ErrorQueue } from './error-queue.ts'
import type { RawStep } from './line-schema.ts'
import { readPattern } from './patterns.ts'
import { type LineContext, ms, readQuestion, splitFields, throwIfRefused } from './question.ts'
import { readTemplate, type Values } from './template.ts'
import type { ValueForm } from './values.ts'

/** Answers of earlier steps by the names the model gives them. */
export type Captured = Record<string, string>

/** A sequence of a model file, ready to be run. */
export interface Steps {
  run: (io: LineIo, values: Values) => Promise<Captured>
  /** Names that its answers get. */
  names: readonly string[]
  /** It sends something besides questions. */
  sends: boolean
}

type Step = (io: LineIo, values: Values, captured: Captured) => Promise<void>
type Forms = Readonly<Record<string, ValueForm>>

/** Compiles a sequence. @param errors - what `check: true` looks into */
export function readSteps(
  raw: readonly (string | RawStep)[],
  forms: Forms,
  path: Path,
  context: LineContext,
  errors: ErrorQueue | undefined,
): Steps {
  const names: string[] = []
  let sends = false
  const steps = raw.map((entry, index): Step => {
    const step = typeof entry === 'string' ? { send: entry } : entry
    const place = [...path, index]
    checkKind(step, place, context)
    sends ||= step.send !== undefined || (step.bytes !== undefined && step.pattern === undefined)
    if (step.send !== undefined) {
      const at = typeof entry === 'string' ? place : [...place, 'send']
      return readSend({ ...step, send: step.send }, forms, place, at, context)
    }
    if (step.ask !== undefined || (step.bytes !== undefined && step.pattern !== undefined)) {
      return readAskStep(step, forms, place, context, names)
    }
    if (step.bytes !== undefined) {
      const template = readTemplate(step.bytes, forms, [...place, 'bytes'], context.report)
      return (io, values) => io.sendBytes(Buffer.from(template(values), 'latin1'))
    }
    const waitMs = ms(step.wait)
    if (waitMs !== undefined) return (io) => io.sleep(waitMs)
    if (step.check === true && !errors) {
      context.report([...place, 'check'], 'There is no error queue to look into: the model has no "errors".')
    }
    return async (io) => errors?.check(io, 'it')
  })
  return {
    names,
    sends,
    run: async (io, values) => {
      const captured: Captured = {}
      for (const step of steps) await step(io, values, captured)
      return captured
    },
  }
}

function checkKind(step: RawStep, place: Path, { report }: LineContext): void {
  const kinds = (['send', 'ask', 'bytes', 'wait', 'check'] as const).filter((key) => step[key] !== undefined)
  if (kinds.length === 1) return
  report(
    place,
    kinds.length === 0
      ? 'The step does nothing. Give it one of send, ask, bytes, wait or check.'
      : `The step has ${kinds.join(' and ')}: make it ${kinds.length} steps.`,
  )
}

function readSend(
  step: RawStep & { send: string },
  forms: Forms,
  place: Path,
  at: Path,
  context: LineContext,
): Step {
  const template = readTemplate(step.send, forms, at, context.report)
  const deliver = readDelivery(step, place, context)
  return (io, values) => deliver(io, template(values))
}

/** Sends a line, and waits for what acknowledges it where the model says that something does. */
export function readDelivery(
  raw: { expect?: string; refused?: string; timeout?: string },
  place: Path,
  { report }: LineContext,
): (io: LineIo, line: string) => Promise<void> {
  const expected =
    raw.expect === undefined ? undefined : readPattern(raw.expect, [...place, 'expect'], report)
  const refused =
    raw.refused === undefined ? undefined : readPattern(raw.refused, [...place, 'refused'], report)
  if (raw.refused !== undefined && raw.expect === undefined) {
    report([...place, 'refused'], '"refused" needs "expect": without it no answer is waited for.', 'key')
  }
  const timeoutMs = ms(raw.timeout)
  const options = {
    accept: (line: string) => Boolean(expected?.regex.test(line) || refused?.regex.test(line)),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  return async (io, line) => {
    if (expected) throwIfRefused(refused, await io.ask(line, options), line)
    else await io.send(line)
  }
}

function readAskStep(step: RawStep, forms: Forms, place: Path, context: LineContext, names: string[]): Step {
  const { fields, separator = ',' } = step
  const ask = readQuestion(step, forms, place, context)
  names.push(...ask.groups, ...(fields ?? []).filter((name) => name !== null))
  return async (io, values, captured) => {
    const groups = await ask(io, values)
    Object.assign(captured, groups)
    if (!fields) return
    const parts = splitFields(groups[''] ?? '', separator)
    for (const [index, name] of fields.entries()) {
      if (name !== null) captured[name] = parts[index] ?? ''
    }
  }
}
