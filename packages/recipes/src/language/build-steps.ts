import { didYouMean, type Path } from '@golem/config'
import type { Value } from '@golem/core'
import type { Action, ControlStep, ForEachStep, Given, Place, RepeatStep, Step, StepList } from '../recipe.ts'
import { buildControl } from './build-control.ts'
import type { Values } from './build-values.ts'
import type { RawEnd, RawStep, RawValue, RawVerbs } from './raw.ts'
import { VERBS } from './schema.ts'
import { type Variables, withLoop } from './variables.ts'

const PATIENCE_MS = 60_000
/** Steps inside steps inside steps: more than this nobody can follow. */
const DEEPEST = 20

type Verb = keyof RawVerbs

/** Turns the steps of a file into the list of all steps of the recipe. */
export class StepsBuilder {
  readonly steps: Step[] = []
  readonly #values: Values
  readonly #place: (path: Path) => Place
  /** Did the schema find something below this place? Then what is missing there is no fault of its own. */
  readonly #isFaulty: (path: Path) => boolean

  constructor(values: Values, place: (path: Path) => Place, isFaulty: (path: Path) => boolean) {
    this.#values = values
    this.#place = place
    this.#isFaulty = isFaulty
  }

  list(
    raw: readonly (RawStep | undefined)[] | undefined,
    path: Path,
    variables: Variables,
    depth = 0,
  ): StepList {
    if (depth > DEEPEST) {
      this.#values.report(path, `Steps stand in each other more than ${DEEPEST} deep. Use "call".`, 'key')
      return []
    }
    return (raw ?? []).flatMap((each, index) => {
      const place = [...path, index]
      const verb = each && this.#verbOf(each, place)
      if (!each || verb === null || verb === undefined) return []
      const action = this.#action(each, verb, [...place, verb], variables, depth + 1)
      return [this.steps.push({ ...action, ...this.#common(each, verb, place, variables) }) - 1]
    })
  }

  #verbOf(raw: RawStep, path: Path): Verb | null {
    const verbs = (Object.keys(VERBS) as Verb[]).filter((verb) => raw[verb] !== undefined)
    const [verb] = verbs
    if (verb !== undefined && verbs.length === 1) return verb
    if (verb === undefined) {
      const known = Object.keys(VERBS).join(', ')
      if (!this.#isFaulty(path))
        this.#values.report(path, `This step does nothing. It needs one of ${known}.`)
      return null
    }
    this.#values.report(
      path,
      `A step does one thing, this one has ${verbs.join(' and ')}. Make a step of each.`,
      'key',
    )
    return null
  }

  #common(raw: RawStep, verb: Verb, path: Path, variables: Variables) {
    const inside = verb === 'until' ? raw.until : undefined
    if (inside?.timeout !== undefined && raw.timeout !== undefined) {
      this.#values.report([...path, 'timeout'], 'There are two timeouts. Keep one of them.', 'key')
    }
    if (verb === 'until' && inside?.timeout === undefined && raw.timeout === undefined) {
      if (!this.#isFaulty(path)) {
        this.#values.report(
          [...path, 'until'],
          'How long is it waited for at most? Add "timeout: 5 min", or "timeout: none".',
          'key',
        )
      }
    }
    if (raw.patience !== undefined && verb !== 'set' && verb !== 'do') {
      this.#values.report(
        [...path, 'patience'],
        '"patience" goes with "set" and "do" only. Remove it.',
        'key',
      )
    }
    const given = raw.timeout ?? (inside?.timeout === 'none' ? undefined : inside?.timeout)
    const place = raw.timeout === undefined ? [...path, 'until', 'timeout'] : [...path, 'timeout']
    return {
      ...(raw.name === undefined ? {} : { name: raw.name }),
      ...(raw.onRestart === undefined ? {} : { onRestart: raw.onRestart }),
      onFailure: raw.onFailure ?? ('fail' as const),
      ...(given === undefined ? {} : { timeoutMs: this.#values.duration(given, place, variables, 1) }),
      place: this.#place(path),
    }
  }

  #action(raw: RawStep, verb: Verb, path: Path, variables: Variables, depth: number): Action {
    const values = this.#values
    const patienceMs =
      raw.patience === undefined
        ? PATIENCE_MS
        : values.duration(raw.patience, [...path.slice(0, -1), 'patience'], variables)
    switch (verb) {
      case 'set': {
        const writes = Object.entries(raw.set ?? {}).map(([name, value]) => ({
          target: values.ref(name),
          value: values.value(value, [...path, name], variables),
        }))
        return { verb, writes, patienceMs }
      }
      case 'do':
        return {
          verb,
          action: values.ref(raw.do?.action),
          arguments: this.#table(raw.do?.arguments, [...path, 'arguments'], variables),
          patienceMs,
        }
      case 'wait': {
        const wait = raw.wait ?? ''
        if (typeof wait === 'string') return { verb, for: { ms: values.duration(wait, path, variables) } }
        const alignedMs = values.duration(wait.aligned, [...path, 'aligned'], variables, 1000)
        return {
          verb,
          for: { alignedMs, offsetMs: values.duration(wait.offset, [...path, 'offset'], variables) },
        }
      }
      case 'until':
        return {
          verb,
          condition: values.condition(raw.until, path, variables),
          onTimeout: raw.until?.onTimeout ?? 'fail',
        }
      case 'repeat':
        return this.#repeat(raw.repeat ?? {}, path, variables, depth)
      case 'forEach':
        return this.#forEach(raw.forEach ?? {}, path, variables, depth)
      case 'ramp': {
        const { parameter, from, to, over, every } = raw.ramp ?? {}
        return {
          verb,
          target: values.ref(parameter),
          ...(from === undefined ? {} : { from: values.number(from, [...path, 'from'], variables) }),
          to: values.number(to, [...path, 'to'], variables),
          overMs: values.duration(over, [...path, 'over'], variables),
          everyMs: values.duration(every, [...path, 'every'], variables, 100),
          integer: false,
        }
      }
      case 'measure': {
        const { readings, samples = 1, every } = raw.measure ?? {}
        return {
          verb,
          readings: (readings ?? []).map((each) => values.ref(each)),
          samples: values.number(samples, [...path, 'samples'], variables, { min: 1, integer: true }),
          ...(every === undefined ? {} : { everyMs: values.duration(every, [...path, 'every'], variables) }),
        }
      }
      case 'parallel':
        return {
          verb,
          branches: (raw.parallel ?? []).map((branch, index) =>
            this.list(branch?.steps, [...path, index, 'steps'], variables, depth),
          ),
        }
      case 'if':
        return {
          verb,
          condition: values.condition(raw.if?.condition, [...path, 'condition'], variables),
          yes: this.list(raw.if?.then, [...path, 'then'], variables, depth),
          no: this.list(raw.if?.else, [...path, 'else'], variables, depth),
        }
      case 'control':
        return buildControl(
          values,
          raw.control ?? {},
          path,
          variables,
          this.#controlEnd(raw.control ?? {}, path, variables),
        )
      case 'note':
        return { verb, text: values.text(raw.note ?? '', path, variables) }
      case 'call':
        return {
          verb,
          recipe: raw.call?.recipe ?? '',
          with: this.#table(raw.call?.with, [...path, 'with'], variables),
          instruments: raw.call?.instruments ?? {},
          steps: [],
          finally: [],
          defaults: {},
        }
    }
  }

  #table(
    raw: Record<string, RawValue> | undefined,
    path: Path,
    variables: Variables,
  ): Record<string, Given<Value>> {
    return Object.fromEntries(
      Object.entries(raw ?? {}).map(([name, value]) => [
        name,
        this.#values.value(value, [...path, name], variables),
      ]),
    )
  }

  #repeat(raw: RawVerbs['repeat'], path: Path, variables: Variables, depth: number): RepeatStep {
    const end = this.#end(raw, path, variables)
    const times =
      raw.times === undefined
        ? null
        : this.#values.number(raw.times, [...path, 'times'], variables, { min: 0, integer: true })
    const steps = this.list(raw.steps, [...path, 'steps'], variables, depth)
    if (raw.every === undefined && times === null && raw.steps && !this.#takeTime(steps)) {
      this.#values.report(path, 'This goes round and never waits. Add "every", or a step that waits.', 'key')
    }
    return {
      verb: 'repeat',
      end: times === null ? (end ?? { forever: true }) : { times },
      ...(raw.every === undefined
        ? {}
        : { everyMs: this.#values.duration(raw.every, [...path, 'every'], variables, 100) }),
      steps,
    }
  }

  /** The one end that is written; null: none, or times. */
  #end(raw: RawEnd, path: Path, variables: Variables): ControlStep['end'] | null {
    const ends = (['times', 'forever', 'for', 'until'] as const).filter((key) => raw[key] !== undefined)
    if (ends.length > 1) {
      this.#values.report(path, `This ends in several ways (${ends.join(', ')}). Keep one of them.`, 'key')
    }
    if (ends.length === 0 && !this.#isFaulty(path)) {
      this.#values.report(
        path,
        'When does this end? Add one of "times", "for", "until" and "forever: true".',
        'key',
      )
    }
    if (raw.until) return { until: this.#values.condition(raw.until, [...path, 'until'], variables) }
    if (raw.for !== undefined) return { forMs: this.#values.duration(raw.for, [...path, 'for'], variables) }
    return raw.forever ? { forever: true } : null
  }

  #controlEnd(raw: RawEnd, path: Path, variables: Variables): ControlStep['end'] {
    return this.#end(raw, path, variables) ?? { forever: true }
  }

  #forEach(raw: RawVerbs['forEach'], path: Path, variables: Variables, depth: number): ForEachStep {
    const values = this.#values
    const variable = raw.name ?? ''
    if (variables.has(variable)) {
      values.report([...path, 'name'], `There is a "${variable}" already here. Give this one another name.`)
    }
    const given = raw.in ?? []
    const place = [...path, 'in']
    const all: ForEachStep['values'] = Array.isArray(given)
      ? given.map((value, index) => values.value(value, [...place, index], variables))
      : {
          from: values.number(given.from, [...place, 'from'], variables),
          to: values.number(given.to, [...place, 'to'], variables),
          step: values.number(given.step ?? 1, [...place, 'step'], variables),
        }
    if ('from' in all) this.#checkRange(all, place)
    const step: ForEachStep = { verb: 'forEach', variable, values: all, steps: [] }
    return {
      ...step,
      steps: this.list(raw.steps, [...path, 'steps'], withLoop(step, variables), depth),
    }
  }

  #checkRange(
    { from, to, step }: { from: Given<number>; to: Given<number>; step: Given<number> },
    path: Path,
  ) {
    if (step === 0) this.#values.report([...path, 'step'], 'In steps of 0 one gets nowhere.')
    if (typeof from !== 'number' || typeof to !== 'number' || typeof step !== 'number' || step === 0) return
    const count = Math.floor((to - from) / step + 1e-9) + 1
    if (count < 1) {
      this.#values.report([...path, 'step'], `From ${from} in steps of ${step} one does not get to ${to}.`)
    } else if (count > 100_000) this.#values.report([...path, 'step'], `These are ${count} values, too many.`)
  }

  /** Is some time certain to pass in these steps? */
  #takeTime(steps: StepList): boolean {
    return steps.some((index) => {
      const step = this.steps[index]
      if (!step || step.verb === 'note') return false
      if (step.verb === 'repeat') return step.everyMs !== undefined || this.#takeTime(step.steps)
      if (step.verb === 'forEach') return this.#takeTime(step.steps)
      return step.verb !== 'parallel' || step.branches.some((branch) => this.#takeTime(branch))
    })
  }
}

/** What to say of a name that is none. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  return `There is no ${what} "${name.slice(0, 60)}".${didYouMean(name, known)}`
}
