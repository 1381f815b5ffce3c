import { describeFault, type Fault } from '@golem/config'
import { type InstrumentDescription, messageOf, type Value } from '@golem/core'
import { checkGiven, keyOf } from '../engine/index.ts'
import type { CallStep, Given, Inhibited, Program, Recipe, RestartPolicy, Step } from '../recipe.ts'
import { unknownName } from './build-steps.ts'
import { checkRecipe } from './check.ts'
import { mapStep, refsOfStep } from './refs.ts'
import { isPlain } from './variables.ts'

/** Recipes that call recipes: no deeper than this. */
const DEEPEST_CALL = 8
/** The most steps of a program, the called ones counted each time. */
const MOST_STEPS = 2_000

export interface LinkOptions {
  /** The recipes that can be called, by id. */
  recipes: ReadonlyMap<string, Recipe>
  /** Instruments for its roles, where a run binds others than the defaults. */
  bindings?: Readonly<Record<string, string>>
  /** What the instruments are: then it is checked against them, and what takes whole numbers is given such. */
  descriptions?: ReadonlyMap<string, InstrumentDescription>
}

/** A program, or what is in the way of one. */
export type Linked = { program: Program; faults: readonly [] } | { program: null; faults: readonly Fault[] }

interface Frame {
  recipe: Recipe
  /** Instrument of each role. */
  bound: Readonly<Record<string, string>>
  /** Ids of the recipes that are being put in, the outermost first. */
  chain: readonly string[]
}

/** Puts a recipe together with what it calls, and binds its roles: what a run carries out. */
export function link(recipe: Recipe, options: LinkOptions): Linked {
  const faults: Fault[] = []
  const fault = (at: Recipe, message: string, place = { line: 1, column: 1 }): void => {
    faults.push({ file: at.file, ...place, path: '', message })
  }
  for (const role of Object.keys(options.bindings ?? {})) {
    if (Object.hasOwn(recipe.roles, role)) continue
    fault(
      recipe,
      `${recipe.label} has no role to bind: ${unknownName('role', role, Object.keys(recipe.roles))}`,
    )
  }
  const steps: Step[] = []
  const put = ({ recipe: source, bound, chain }: Frame): number => {
    const offset = steps.length
    if (options.descriptions) faults.push(...checkRecipe(source, options.descriptions, bound))
    // The called ones come behind: the places of these are known before.
    steps.push(
      ...source.steps.map((step) => withWholeNumbers(mapStep(step, instrumentIn(bound), offset), options)),
    )
    for (const [index, step] of source.steps.entries()) {
      if (step.verb !== 'call') continue
      const called = options.recipes.get(step.recipe)
      const why = called ? whyNotCalled(called, step, chain, steps.length) : unknownRecipe(step, options)
      if (why !== null) fault(source, why, step.place)
      else if (called) {
        const inside = bindingsOf(called, step, instrumentIn(bound))
        const base = put({ recipe: called, bound: inside, chain: [...chain, called.id] })
        const values = valuesFor(step, called, (message) => fault(source, message, step.place))
        steps[offset + index] = { ...callOf(step, called, base), with: values }
      }
    }
    if (chain.length > 1) inhibitIn(steps, source, bound, offset)
    return offset
  }
  const bound = bindingsOf(recipe, { instruments: options.bindings ?? {} }, (id) => id)
  put({ recipe, bound, chain: [recipe.id] })
  if (steps.length > MOST_STEPS) {
    fault(recipe, `With all it calls it has ${steps.length} steps; at most ${MOST_STEPS} are allowed.`)
  }
  if (faults.length > 0) return { program: null, faults: unique(faults) }
  const { id, label, parameters, finally: last, onRestart = 'resume' } = recipe
  const stages = recipe.stages.map((stage) => ({ ...stage, inhibitAlarms: within(stage, bound) }))
  const inhibitAlarms = within(recipe, bound)
  const head = { recipe: id, label, parameters, onRestart, inhibitAlarms }
  return { program: { ...head, steps, stages, finally: last, ...usedBy(steps) }, faults: [] }
}

function within(
  { inhibitAlarms }: Pick<Recipe, 'inhibitAlarms'>,
  bound: Readonly<Record<string, string>>,
): Inhibited[] {
  const instrument = instrumentIn(bound)
  return inhibitAlarms.map((each) => ({ ...each, instrument: instrument(each.instrument) }))
}

/** In a recipe that is called, what it and its stages inhibit stands at their steps. */
function inhibitIn(
  steps: Step[],
  source: Recipe,
  bound: Readonly<Record<string, string>>,
  offset: number,
): void {
  const always = within(source, bound)
  const lists = [
    ...source.stages.map((stage) => ({ list: stage.steps, alarms: [...always, ...within(stage, bound)] })),
    { list: source.finally, alarms: always },
  ]
  for (const { list, alarms } of lists) {
    for (const index of alarms.length > 0 ? list : []) {
      const step = steps[offset + index]
      if (step) steps[offset + index] = { ...step, inhibitAlarms: alarms }
    }
  }
}

/** A recipe that is called twice has its faults once. */
function unique(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [describeFault(fault), fault])).values()]
}

function usedBy(steps: readonly Step[]): Pick<Program, 'commands' | 'reads'> {
  const refs = steps.map(refsOfStep)
  const commands = refs.flatMap(({ writes, actions }) => [...writes, ...actions].map((ref) => ref.instrument))
  return {
    commands: [...new Set(commands)].sort(),
    reads: [...new Set(refs.flatMap(({ reads }) => reads.map(keyOf)))].sort(),
  }
}

const instrumentIn =
  (bound: Readonly<Record<string, string>>) =>
  (name: string): string =>
    (Object.hasOwn(bound, name) ? bound[name] : undefined) ?? name

function bindingsOf(
  recipe: Recipe,
  { instruments }: Pick<CallStep, 'instruments'>,
  outside: (name: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recipe.roles).map(([role, { default: id }]) => {
      const given = Object.hasOwn(instruments, role) ? instruments[role] : undefined
      return [role, given === undefined ? id : outside(given)]
    }),
  )
}

function unknownRecipe(step: CallStep, { recipes }: LinkOptions): string {
  return unknownName('recipe without faults', step.recipe, [...recipes.keys()])
}

function whyNotCalled(
  called: Recipe,
  step: CallStep,
  chain: readonly string[],
  steps: number,
): string | null {
  if (chain.includes(called.id)) {
    return `The recipes call each other in a circle: ${[...chain, called.id].join(' calls ')}.`
  }
  if (chain.length >= DEEPEST_CALL) return `Recipes call each other more than ${DEEPEST_CALL} deep.`
  if (steps > MOST_STEPS) return `With all that is called there are more than ${MOST_STEPS} steps.`
  for (const name of Object.keys(step.with)) {
    if (!Object.hasOwn(called.parameters, name)) {
      return `${called.id}: ${unknownName('parameter', name, Object.keys(called.parameters))}`
    }
  }
  for (const [name, { default: value }] of Object.entries(called.parameters)) {
    if (value === undefined && !Object.hasOwn(step.with, name)) {
      return `${called.id} needs a value for "${name}". Add it to "with".`
    }
  }
  for (const role of Object.keys(step.instruments)) {
    if (!Object.hasOwn(called.roles, role)) {
      return `${called.id}: ${unknownName('role', role, Object.keys(called.roles))}`
    }
  }
  return null
}

/** What is given to a recipe that is called; a plain value is checked as if a person gave it. */
function valuesFor(
  step: CallStep,
  called: Recipe,
  fault: (message: string) => void,
): Record<string, Given<Value>> {
  const values: Record<string, Given<Value>> = {}
  for (const [name, given] of Object.entries(step.with)) {
    values[name] = given
    if (!isPlain(given)) continue
    try {
      Object.assign(values, checkGiven(called.parameters, { [name]: given }))
    } catch (error) {
      fault(`${called.id}: ${messageOf(error)}`)
    }
  }
  return values
}

function callOf(step: CallStep & Step, called: Recipe, base: number): CallStep & Step {
  const defaults: Record<string, Value> = {}
  for (const [name, { default: value }] of Object.entries(called.parameters)) {
    if (value !== undefined) defaults[name] = value
  }
  const policy: RestartPolicy | undefined = step.onRestart ?? called.onRestart
  return {
    ...step,
    ...(policy === undefined ? {} : { onRestart: policy }),
    steps: called.stages.flatMap((stage) => stage.steps.map((index) => index + base)),
    finally: called.finally.map((index) => index + base),
    defaults,
  }
}

function withWholeNumbers(step: Step, { descriptions }: LinkOptions): Step {
  const isWhole = ({ instrument, name }: { instrument: string; name: string }): boolean =>
    descriptions?.get(instrument)?.parameters[name]?.type === 'integer'
  if (step.verb === 'ramp') return { ...step, integer: isWhole(step.target) }
  if (step.verb !== 'control' || step.law.kind !== 'pid') return step
  return { ...step, law: { ...step.law, integer: isWhole(step.output) } }
}
