import type { Value } from '@golem/core'
import type { Given, Program, Step, StepList } from '../recipe.ts'
import { contains } from './advance.ts'
import type { Owed, Sequence, StepNode } from './state.ts'

type Values = Readonly<Record<string, Value>>

/** More values than this are not gone through for an estimate. */
const MOST_VALUES = 1_000

/** What can be said ahead: `null` is what can't be known. */
export class Estimate {
  readonly #program: Program
  readonly #utcMs: number
  readonly #active: number

  constructor(program: Program, utcMs: number, active: number) {
    this.#program = program
    this.#utcMs = utcMs
    this.#active = active
  }

  /** How many steps that contain no others will be begun. */
  countIn(steps: StepList, values: Values): number | null {
    return sum(steps.map((index) => this.#count(this.#at(index), values)))
  }

  /** How long steps take that have not begun, in ms. */
  msOf(steps: StepList, values: Values): number | null {
    return sum(steps.map((index) => this.#ms(this.#at(index), values)))
  }

  /** How long the rest of a list takes that is under way, in ms. */
  msLeftIn(sequence: Sequence, values: Values): number | null {
    const { node, index, steps } = sequence
    const rest = this.msOf(steps.slice(node ? index + 1 : index), values)
    return node ? sum([this.#msLeft(node, values), rest]) : rest
  }

  msLeftOf(owed: Owed, parameters: Values): number | null {
    const values = owed.variables ?? parameters
    if (owed.sequence) return this.msLeftIn(owed.sequence, values)
    const call = owed.call === null ? undefined : this.#at(owed.call)
    return this.msOf(call?.verb === 'call' ? call.finally : this.#program.finally, values)
  }

  #at(index: number): Step {
    const step = this.#program.steps[index]
    if (!step) throw new Error(`the program of ${this.#program.recipe} has no step ${index}`)
    return step
  }

  #count(step: Step, values: Values): number | null {
    if (!contains(step)) return 1
    switch (step.verb) {
      case 'repeat': {
        const rounds = 'times' in step.end ? number(step.end.times, values) : null
        return product(rounds, this.countIn(step.steps, values))
      }
      case 'forEach':
        return product(valuesOf(step.values, values)?.length ?? null, this.countIn(step.steps, values))
      case 'parallel':
        return sum(step.branches.map((branch) => this.countIn(branch, values)))
      case 'if': {
        const [yes, no] = [this.countIn(step.yes, values), this.countIn(step.no, values)]
        return yes === no ? yes : null
      }
      case 'call':
        return sum([this.countIn(step.steps, values), this.countIn(step.finally, values)])
      default:
        return null
    }
  }

  #ms(step: Step, values: Values): number | null {
    switch (step.verb) {
      case 'set':
      case 'do':
      case 'note':
        return 0
      case 'wait':
        return 'ms' in step.for ? number(step.for.ms, values) : null
      case 'until':
        return null
      case 'repeat': {
        if ('forMs' in step.end) return number(step.end.forMs, values)
        if (!('times' in step.end)) return null
        return this.#rounds(number(step.end.times, values), step, values)
      }
      case 'forEach': {
        const all = valuesOf(step.values, values)
        return all && sum(all.map((value) => this.msOf(step.steps, { ...values, [step.variable]: value })))
      }
      case 'ramp':
        return number(step.overMs, values)
      case 'measure': {
        const samples = number(step.samples, values)
        if (samples === 1) return 0
        if (samples === null || step.everyMs === undefined) return null
        return product(samples - 1, number(step.everyMs, values))
      }
      case 'parallel':
        return longest(step.branches.map((branch) => this.msOf(branch, values)))
      case 'if': {
        const [yes, no] = [this.msOf(step.yes, values), this.msOf(step.no, values)]
        return yes === no ? yes : null
      }
      case 'control':
        return 'forMs' in step.end ? number(step.end.forMs, values) : null
      case 'call': {
        const inside = callValues(step, values)
        return sum([this.msOf(step.steps, inside), this.msOf(step.finally, inside)])
      }
    }
  }

  #rounds(rounds: number | null, step: Extract<Step, { verb: 'repeat' }>, values: Values): number | null {
    if (rounds === null) return null
    if (rounds <= 0) return 0
    return sum([product(rounds - 1, this.#apart(step, values)), this.msOf(step.steps, values)])
  }

  /** From the beginning of one round to that of the next. */
  #apart(step: Extract<Step, { verb: 'repeat' }>, values: Values): number | null {
    const once = this.msOf(step.steps, values)
    const every = step.everyMs === undefined ? 0 : number(step.everyMs, values)
    if (once === null || every === null) return null
    return every === 0 ? once : Math.max(1, Math.ceil(once / every)) * every
  }

  #msLeft(node: StepNode, values: Values): number | null {
    const step = this.#at(node.step)
    const since = (whole: number | null): number | null =>
      whole === null ? null : Math.max(0, node.sinceActive + whole - this.#active)
    if (node.leaving) return sum(node.leaving.owed.map((owed) => this.msLeftOf(owed, values)))
    switch (step.verb) {
      case 'wait':
        if ('ms' in step.for) return since(number(step.for.ms, values))
        return node.numbers['mark'] === undefined ? null : Math.max(0, node.numbers['mark'] - this.#utcMs)
      case 'repeat': {
        if (!('times' in step.end)) return since(this.#ms(step, values))
        const times = number(step.end.times, values)
        if (times === null) return null
        const rest = times - node.count - (node.body ? 1 : 0)
        const body = node.body ? this.msLeftIn(node.body, values) : 0
        if (rest <= 0 || body === null) return body
        const apart = this.#apart(step, values)
        const next = node.body
          ? sum([node.numbers['beganActive'] ?? this.#active, apart])
          : (node.dueActive ?? this.#active)
        const wait = next === null ? null : Math.max(body, next - this.#active)
        return sum([wait, this.#rounds(rest, step, values)])
      }
      case 'forEach': {
        const all = valuesOf(step.values, values)
        const inside = { ...values, ...node.variables }
        const rest = all?.slice(node.count + (node.body ? 1 : 0))
        return sum([
          node.body ? this.msLeftIn(node.body, inside) : 0,
          rest
            ? sum(rest.map((value) => this.msOf(step.steps, { ...values, [step.variable]: value })))
            : null,
        ])
      }
      case 'parallel':
        return longest((node.branches ?? []).map((branch) => this.msLeftIn(branch, values)))
      case 'if':
        return node.body ? this.msLeftIn(node.body, values) : this.#ms(step, values)
      case 'call': {
        const inside = node.variables ?? values
        if (!node.body) return this.#ms(step, values)
        return sum([this.msLeftIn(node.body, inside), this.msOf(step.finally, inside)])
      }
      default:
        return since(this.#ms(step, values))
    }
  }
}

function callValues(step: Extract<Step, { verb: 'call' }>, values: Values): Values {
  const inside: Record<string, Value> = { ...step.defaults }
  for (const [name, given] of Object.entries(step.with)) {
    const value = known(given, values)
    if (value !== undefined) inside[name] = value
  }
  return inside
}

function known(given: Given<Value>, values: Values): Value | undefined {
  if (typeof given !== 'object' || !('variable' in given)) return given
  return Object.hasOwn(values, given.variable) ? values[given.variable] : undefined
}

function number(given: Given<number>, values: Values): number | null {
  const value = known(given, values)
  return typeof value === 'number' ? value : null
}

/** The values of a forEach; null: not known, or too many. */
export function valuesOf(
  given: Extract<Step, { verb: 'forEach' }>['values'],
  values: Values,
): readonly Value[] | null {
  if (!('from' in given)) {
    const all = given.map((each) => known(each, values))
    return all.every((each) => each !== undefined) ? all : null
  }
  const [from, to, step] = [number(given.from, values), number(given.to, values), number(given.step, values)]
  if (from === null || to === null || step === null || step === 0) return null
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (count < 0 || count > MOST_VALUES) return null
  return Array.from({ length: count }, (_, index) => Number((from + index * step).toPrecision(12)))
}

function sum(parts: readonly (number | null)[]): number | null {
  return parts.reduce<number | null>((all, part) => (all === null || part === null ? null : all + part), 0)
}

function longest(parts: readonly (number | null)[]): number | null {
  return parts.reduce<number | null>(
    (most, part) => (most === null || part === null ? null : Math.max(most, part)),
    0,
  )
}

function product(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a * b
}
