import { type ActionSpec, GolemError, isFault, type LineIo, type Value } from '@golem/core'
import type { Path } from '@golem/config'
import { checkForm, describeActionOf } from './compile.ts'
import type { ErrorQueue } from './error-queue.ts'
import type { RawLineAction, RawResult } from './line-schema.ts'
import { type LineContext, readNumbersQuestion, readQuestion } from './question.ts'
import { type Captured, readSteps } from './steps.ts'
import type { Values } from './template.ts'
import { changed, fromNumbers, fromWire, parseNumber, type ValueForm } from './values.ts'

/** Compiles an action: its steps, the error queue, and what it brings. */
export function readAction(
  name: string,
  action: RawLineAction,
  context: LineContext,
  errors: ErrorQueue | undefined,
): ActionSpec<LineIo> {
  const place = ['actions', name]
  const forms = action.arguments ?? {}
  if (!action.steps && !action.result) {
    context.report(place, 'The action does nothing: give it "steps", or a "result" with its question.', 'key')
  }
  const steps = readSteps(action.steps ?? [], forms, [...place, 'steps'], context, errors)
  const result = action.result && readResult(action.result, forms, steps.names, [...place, 'result'], context)
  const last = readSteps(action.finally ?? [], forms, [...place, 'finally'], context, errors)
  const text = JSON.stringify([action.steps, action.result, action.finally])
  for (const argument of Object.keys(forms)) {
    if (!text.includes(`{${argument}}`)) {
      context.report([...place, 'arguments', argument], `The argument is used nowhere: {${argument}}.`, 'key')
    }
  }
  return {
    ...describeActionOf(action),
    run: async (io, args) => {
      let value: Value | undefined
      try {
        const captured = await steps.run(io, args)
        if (steps.sends) await errors?.check(io, name)
        value = await result?.(io, args, captured)
      } catch (error) {
        // Where this fails too, what went wrong first says more.
        await last.run(io, args).catch(() => undefined)
        throw error
      }
      await last.run(io, args)
      if (last.sends) await errors?.check(io, name)
      return value
    },
  }
}

type Result = (io: LineIo, args: Values, captured: Captured) => Promise<Value>

function readResult(
  raw: RawResult,
  forms: Readonly<Record<string, ValueForm>>,
  names: readonly string[],
  place: Path,
  context: LineContext,
): Result {
  const { report } = context
  checkForm(raw, place, report)
  if (raw.type !== 'array' || raw.pattern !== undefined) {
    for (const key of ['block', 'minus', 'times', 'plus'] as const) {
      if (raw[key] !== undefined) report([...place, key], `Only an array has "${key}".`, 'key')
    }
    const ask = readQuestion(raw, forms, place, context)
    return async (io, args) => said(fromWire(raw, (await ask(io, args))[''] ?? ''))
  }
  for (const [key, factors] of [
    ['minus', raw.minus ?? []],
    ['times', raw.times === undefined ? [] : [raw.times]],
    ['plus', raw.plus ?? []],
  ] as const) {
    const unknown = factors.find((each) => typeof each === 'string' && !names.includes(each))
    if (unknown === undefined) continue
    const known = names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`
    report([...place, key], `No step before gives the name "${unknown}"; ${known}.`)
  }
  const ask = readNumbersQuestion(raw, forms, place, context)
  return async (io, args, captured) => {
    const correct = correctionOf(raw, captured)
    const numbers = fromNumbers(raw, await ask(io, args))
    return said(isFault(numbers) || !correct ? numbers : changed(numbers, correct))
  }
}

/** An action was done, though what it brings is no value: then it brings the reason. */
function said(value: Value | { fault: string }): Value {
  return isFault(value) ? value.fault : value
}

/** (number − minus) × times + plus, with what the instrument answered before. @throws REPLY_MALFORMED */
function correctionOf(
  { minus = [], times, plus = [] }: RawResult,
  captured: Captured,
): ((value: number) => number) | undefined {
  if (minus.length === 0 && times === undefined && plus.length === 0) return undefined
  const numberOf = (factor: string | number): number => {
    const value = typeof factor === 'number' ? factor : parseNumber(captured[factor] ?? '')
    if (value !== undefined && Number.isFinite(value)) return value
    throw new GolemError('REPLY_MALFORMED', `The answer has no number for "${factor}".`)
  }
  const sum = (factors: readonly (string | number)[]): number =>
    factors.reduce<number>((total, factor) => total + numberOf(factor), 0)
  const subtracted = sum(minus)
  const factor = times === undefined ? 1 : numberOf(times)
  const added = sum(plus)
  return (value) => (value - subtracted) * factor + added
}
