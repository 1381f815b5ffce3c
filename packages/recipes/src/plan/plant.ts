import type { InstrumentDescription, ParameterDescription, Value } from '@golem/core'
import { keyOf, type Scope } from '../engine/context.ts'
import type { Comparison, Given, RecipeCondition } from '../recipe.ts'

/** What stands behind the instruments, e.g. a chamber; times in ms since the beginning. */
export interface PlantModel {
  /** @returns undefined: it knows nothing of this reading */
  read(key: string, ms: number): Value | undefined
  write(key: string, value: Value, ms: number): void
}

/** Instruments that are not there: what was written comes back, and what nobody knows is assumed. */
export class Plant {
  readonly #values: Map<string, Value>
  readonly #given: ReadonlySet<string>
  readonly #descriptions: ReadonlyMap<string, InstrumentDescription> | undefined
  readonly #model: PlantModel | undefined
  /** What was assumed of readings, as `instrument.parameter`, the last of each. */
  readonly assumed = new Map<string, Value>()
  /** What the run has written and not brought back to where it is safe, by `instrument.parameter`. */
  readonly left = new Map<string, Value>()

  /** @param given - values of readings, by `instrument.parameter`: these stay */
  constructor(
    given: Readonly<Record<string, Value>>,
    descriptions: ReadonlyMap<string, InstrumentDescription> | undefined,
    model: PlantModel | undefined,
  ) {
    this.#model = model
    this.#values = new Map(Object.entries(given))
    this.#given = new Set(this.#values.keys())
    this.#descriptions = descriptions
  }

  /** What a reading shows. */
  read(key: string, ms: number): Value {
    const known = (this.#given.has(key) ? undefined : this.#model?.read(key, ms)) ?? this.#values.get(key)
    if (known !== undefined) return known
    const value = usualOf(this.#description(key))
    this.assume(key, value)
    return value
  }

  write(key: string, value: Value, ms: number): void {
    this.#model?.write(key, value, ms)
    // A reading that was given is another's word against the run's: the page would show that too.
    if (!this.#given.has(key)) this.#values.set(key, value)
    this.assumed.delete(key)
    const description = this.#description(key)
    // What a stop leaves as it is, e.g. a limit or a range, is no danger when it stays.
    const isSetting =
      description !== undefined && description.safe === undefined && typeof value !== 'boolean'
    const safe = description?.safe ?? offOf(value)
    if (isSetting || safe === value) this.left.delete(key)
    else this.left.set(key, value)
  }

  /** Whatever the run waits for comes true, where nobody said what the readings are. */
  fulfil(condition: RecipeCondition, scope: Scope['values']): void {
    if ('all' in condition) for (const part of condition.all) this.fulfil(part, scope)
    else if ('any' in condition) {
      const [first] = condition.any
      if (first) this.fulfil(first, scope)
    } else this.#satisfy(condition.compare, scope)
  }

  assume(key: string, value: Value): void {
    this.#values.set(key, value)
    this.assumed.set(key, value)
  }

  isGiven(key: string): boolean {
    return this.#given.has(key)
  }

  #satisfy(compare: Comparison, scope: Scope['values']): void {
    const key = keyOf(compare.reading)
    const isKnown = this.#values.has(key) && !this.assumed.has(key)
    if (isKnown) return
    const value = satisfying(compare, this.#description(key), scope)
    if (value !== undefined) this.assume(key, value)
  }

  #description(key: string): ParameterDescription | undefined {
    const dot = key.indexOf('.')
    return this.#descriptions?.get(key.slice(0, dot))?.parameters[key.slice(dot + 1)]
  }
}

/** A value for which a comparison holds; undefined: none is known. */
function satisfying(
  { above, below, between, equals, notEquals }: Comparison,
  description: ParameterDescription | undefined,
  scope: Scope['values'],
): Value | undefined {
  const known = <T extends Value>(given: Given<T> | undefined): Value | undefined =>
    given !== undefined && typeof given === 'object' && 'variable' in given ? scope[given.variable] : given
  const [low, high] = between ? [known(between[0]), known(between[1])] : [known(above), known(below)]
  if (equals !== undefined) return known(equals)
  if (notEquals !== undefined) {
    const not = known(notEquals)
    if (typeof not === 'boolean') return !not
    if (typeof not === 'number') return not + 1
    return (description?.choices ?? ['other', 'another']).find((choice) => choice !== not)
  }
  if (typeof low === 'number') return typeof high === 'number' ? (low + high) / 2 : low + 1
  return typeof high === 'number' ? high - 1 : undefined
}

/** What a reading shows of which nothing is known. */
function usualOf(description: ParameterDescription | undefined): Value {
  const { type = 'number', min, max, choices } = description ?? {}
  if (type === 'boolean') return false
  if (type === 'choice') return choices?.[0] ?? ''
  if (type === 'text') return ''
  if (type === 'array') return []
  return min !== undefined && min > 0 ? min : max !== undefined && max < 0 ? max : 0
}

function offOf(value: Value): Value {
  if (typeof value === 'boolean') return false
  return typeof value === 'number' ? 0 : value
}
