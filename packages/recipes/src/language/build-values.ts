import { clip, didYouMean, formatDuration, parseDuration, type Path } from '@golem/config'
import type { Value } from '@golem/core'
import { type Comparison, type Given, LONGEST_MS, type RecipeCondition, type Ref } from '../recipe.ts'
import type { RawCondition, RawNumber, RawValue } from './raw.ts'
import type { Report } from './report.ts'
import { isPlain, type Variables } from './variables.ts'

/** How a place of a faulty value is filled: the recipe is not used, but the rest of it is looked through. */
const NOTHING: Ref = { instrument: '', name: '' }

interface NumberRule {
  min?: number
  integer?: boolean
}

/** Turns what is written into values, and reports what can't be meant. */
export class Values {
  readonly report: Report

  constructor(report: Report) {
    this.report = report
  }

  /** `instrument.name`, split at the first dot. */
  ref(written: string | undefined): Ref {
    const dot = written?.indexOf('.') ?? -1
    return written === undefined || dot < 0
      ? NOTHING
      : { instrument: written.slice(0, dot), name: written.slice(dot + 1) }
  }

  /** A value; `$name` is a variable, and `$$` at the beginning of a text stands for one `$`. */
  value(raw: RawValue | undefined, path: Path, variables: Variables): Given<Value> {
    if (typeof raw !== 'string' || !raw.startsWith('$')) return raw ?? 0
    if (raw.startsWith('$$')) return raw.slice(1)
    return this.#variable(raw, path, variables)
  }

  number(raw: RawNumber | undefined, path: Path, variables: Variables, rule: NumberRule = {}): Given<number> {
    if (raw === undefined) return 0
    if (typeof raw === 'string') {
      const given = this.#variable(raw, path, variables)
      const type = variables.get(given.variable)?.type
      if (type !== undefined && !['number', 'integer', 'mixed'].includes(type)) {
        this.report(path, `A number belongs here, and ${raw} is ${inWords(type)}.`)
      }
      return given
    }
    if (rule.integer && !Number.isInteger(raw))
      this.report(path, `This has to be a whole number, not ${raw}.`)
    if (rule.min !== undefined && raw < rule.min)
      this.report(path, `This has to be at least ${rule.min}, not ${raw}.`)
    return raw
  }

  /** A time in ms. */
  duration(raw: string | undefined, path: Path, variables: Variables, least = 0): Given<number> {
    if (raw === undefined) return 0
    if (raw.startsWith('$')) {
      const given = this.#variable(raw, path, variables)
      const type = variables.get(given.variable)?.type
      if (type !== undefined && type !== 'duration') {
        this.report(path, `A time belongs here, and ${raw} is ${inWords(type)}. Make it a duration.`)
      }
      return given
    }
    const ms = parseDuration(raw)
    if (ms === null) {
      this.report(path, `"${clip(raw)}" is no time. Write a number and ms, s, min or h.`)
      return 0
    }
    if (ms < least) this.report(path, `This time has to be at least ${least} ms.`)
    if (ms > LONGEST_MS) this.report(path, `This time is longer than ${formatDuration(LONGEST_MS)}.`)
    return ms
  }

  text(raw: string, path: Path, variables: Variables): Given<string> {
    return this.value(raw, path, variables) as Given<string>
  }

  condition(raw: RawCondition | undefined, path: Path, variables: Variables): RecipeCondition {
    const kinds = (['reading', 'all', 'any'] as const).filter((kind) => raw?.[kind] !== undefined)
    if (raw && kinds.length !== 1) {
      this.report(path, 'A condition has one of "reading", "all" and "any".', 'key')
    }
    const kind = kinds[0] ?? 'reading'
    if (!raw || kind === 'reading') return { compare: this.#comparison(raw ?? {}, path, variables) }
    for (const key of ['above', 'below', 'between', 'equals', 'notEquals', 'for'] as const) {
      if (raw[key] !== undefined) {
        this.report([...path, key], `"${key}" goes with a "reading", not with "${kind}".`, 'key')
      }
    }
    const parts = (raw[kind] ?? []).map((part, index) =>
      this.condition(part, [...path, kind, index], variables),
    )
    return kind === 'all' ? { all: parts } : { any: parts }
  }

  #comparison(raw: RawCondition, path: Path, variables: Variables): Comparison {
    const how = (['between', 'equals', 'notEquals'] as const).filter((key) => raw[key] !== undefined)
    const limits = raw.above !== undefined || raw.below !== undefined
    if (raw.reading !== undefined && how.length + (limits ? 1 : 0) !== 1) {
      this.report(
        path,
        'A reading is compared in one way: with "above", "below" or both, "between", "equals" or "notEquals".',
        'key',
      )
    }
    const comparison: Comparison = { reading: this.ref(raw.reading) }
    for (const key of ['above', 'below'] as const) {
      if (raw[key] !== undefined) comparison[key] = this.number(raw[key], [...path, key], variables)
    }
    const { above, below } = comparison
    if (typeof above === 'number' && typeof below === 'number' && above >= below) {
      this.report([...path, 'above'], `Nothing is above ${above} and below ${below}.`)
    }
    if (raw.between) {
      const [low, high] = [0, 1].map((index) =>
        this.number(raw.between?.[index], [...path, 'between', index], variables),
      )
      comparison.between = [low ?? 0, high ?? 0]
      if (typeof low === 'number' && typeof high === 'number' && low > high) {
        this.report([...path, 'between'], `The lower end (${low}) comes first, then the upper (${high}).`)
      }
    }
    for (const key of ['equals', 'notEquals'] as const) {
      if (raw[key] === undefined) continue
      if (typeof raw[key] === 'object') this.report([...path, key], 'A list is not compared.')
      comparison[key] = this.value(raw[key], [...path, key], variables)
    }
    if (raw.for !== undefined) comparison.forMs = this.duration(raw.for, [...path, 'for'], variables)
    return comparison
  }

  #variable(raw: string, path: Path, variables: Variables): { variable: string } {
    const variable = raw.slice(1)
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(variable)) {
      this.report(
        path,
        `"${clip(raw)}" is no $name: a name stands alone. A text that begins with $ is written with $$.`,
      )
    } else if (!variables.has(variable)) {
      const hint = didYouMean(variable, [...variables.keys()])
      this.report(path, `There is no parameter or variable "${clip(variable)}" here.${hint}`)
    }
    return { variable }
  }
}

/** Is it a plain number that breaks an order, e.g. of two limits? */
export function isAbove(low: Given<number>, high: Given<number>): boolean {
  return isPlain(low) && isPlain(high) && low >= high
}

function inWords(type: string): string {
  return type === 'text' ||
    type === 'number' ||
    type === 'boolean' ||
    type === 'choice' ||
    type === 'duration'
    ? `a ${type}`
    : type === 'integer'
      ? 'an integer'
      : type
}
