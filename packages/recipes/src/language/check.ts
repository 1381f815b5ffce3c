import { clip, didYouMean, type Fault } from '@golem/config'
import {
  ALARM_KINDS,
  checkValue,
  type InstrumentDescription,
  messageOf,
  type ParameterDescription,
  type Value,
  type ValueDescription,
  valueInWords,
} from '@golem/core'
import type { Given, Inhibited, Place, Recipe, RecipeCondition, Ref, Step, StepList } from '../recipe.ts'
import { isPlain, type Variables, variablesOf, type VariableType, withLoop } from './variables.ts'

export type Descriptions = ReadonlyMap<string, InstrumentDescription>

/**
 * Checks a recipe against the instruments it speaks of: do they exist, can what it writes be written, are values within
 * their limits?
 *
 * @param descriptions - of all instruments of the site, with its limits
 * @param bindings - instruments for its roles, where they are others than the defaults; null: whoever runs it will say
 */
export function checkRecipe(
  recipe: Recipe,
  descriptions: Descriptions,
  bindings: Readonly<Record<string, string | null>> = {},
): Fault[] {
  const check = new Check(recipe, descriptions, bindings)
  check.alarms(recipe.inhibitAlarms)
  for (const { steps, inhibitAlarms } of recipe.stages) {
    check.alarms(inhibitAlarms)
    check.steps(steps, variablesOf(recipe.parameters))
  }
  check.steps(recipe.finally, variablesOf(recipe.parameters))
  return check.faults
}

class Check {
  readonly faults: Fault[] = []
  readonly #recipe: Recipe
  readonly #descriptions: Descriptions
  readonly #bindings: Readonly<Record<string, string | null>>
  #at: { place: Place } | undefined

  constructor(recipe: Recipe, descriptions: Descriptions, bindings: Readonly<Record<string, string | null>>) {
    this.#recipe = recipe
    this.#descriptions = descriptions
    this.#bindings = bindings
  }

  steps(list: StepList, variables: Variables): void {
    for (const index of list) {
      const step = this.#recipe.steps[index]
      if (step) this.#step(step, variables)
    }
  }

  alarms(inhibited: readonly Inhibited[]): void {
    for (const alarm of inhibited) {
      this.#at = alarm
      const { instrument: id, name } = alarm
      const parameter = ALARM_KINDS.reduce((rest, kind) => rest.replace(new RegExp(`\\.${kind}$`), ''), name)
      const instrument = this.#instrument(id)
      if (!instrument || name === 'lost' || own(instrument.parameters, name)) continue
      if (own(instrument.parameters, parameter)) continue
      this.#fault(
        `${nameOf(alarm)} is no alarm: after ${id} comes "lost", or a parameter, and then perhaps one of ${ALARM_KINDS.join(', ')}.${didYouMean(parameter, Object.keys(instrument.parameters))}`,
      )
    }
  }

  #step(step: Step, variables: Variables): void {
    this.#at = step
    switch (step.verb) {
      case 'set':
        for (const { target, value } of step.writes) this.#write(target, value, variables)
        return
      case 'do':
        return this.#action(step.action, step.arguments, variables)
      case 'until':
        return this.#condition(step.condition, variables)
      case 'repeat':
        if ('until' in step.end) this.#condition(step.end.until, variables)
        return this.steps(step.steps, variables)
      case 'forEach':
        return this.steps(step.steps, withLoop(step, variables))
      case 'ramp':
        this.#number(step.target)
        if (step.from === undefined) this.#read(step.target)
        else this.#write(step.target, step.from, variables)
        return this.#write(step.target, step.to, variables)
      case 'measure':
        for (const ref of step.readings) this.#read(ref)
        return
      case 'parallel':
        for (const branch of step.branches) this.steps(branch, variables)
        return
      case 'if':
        this.#condition(step.condition, variables)
        this.steps(step.yes, variables)
        return this.steps(step.no, variables)
      case 'control':
        return this.#control(step, variables)
      case 'call':
        for (const id of Object.values(step.instruments)) this.#instrument(id)
        return
      case 'wait':
      case 'note':
    }
  }

  #control(step: Extract<Step, { verb: 'control' }>, variables: Variables): void {
    const reading = this.#read(step.reading)
    if (reading && !isNumeric(reading)) {
      this.#fault(`${nameOf(step.reading)} is no number (${reading.type}): it can't be controlled.`)
    }
    const { law } = step
    const written: Given<Value>[] = law.kind === 'pid' ? [law.outputMin, law.outputMax] : [law.on, law.off]
    if (law.kind === 'pid') this.#number(step.output)
    for (const value of [...written, step.blind.value]) this.#write(step.output, value, variables)
    if ('until' in step.end) this.#condition(step.end.until, variables)
  }

  #condition(condition: RecipeCondition, variables: Variables): void {
    if (!('compare' in condition)) {
      for (const part of 'all' in condition ? condition.all : condition.any) this.#condition(part, variables)
      return
    }
    const { reading, equals, notEquals } = condition.compare
    const parameter = this.#read(reading)
    if (!parameter) return
    const same = equals ?? notEquals
    // Limits are for what is written; what is read may be outside.
    const { type, choices } = parameter
    const anything = { type, ...(choices === undefined ? {} : { choices }) }
    if (same !== undefined) this.#fits(nameOf(reading), anything, same, variables)
    else if (!isNumeric(parameter)) {
      this.#fault(`${nameOf(reading)} is no number (${parameter.type}): compare it with "equals".`)
    }
  }

  #write(ref: Ref, value: Given<Value>, variables: Variables): void {
    const parameter = this.#parameter(ref)
    if (!parameter) return
    if (!parameter.writable) this.#fault(`${nameOf(ref)} can only be read.`)
    else this.#fits(nameOf(ref), parameter, value, variables)
  }

  #read(ref: Ref): ParameterDescription | undefined {
    const parameter = this.#parameter(ref)
    if (parameter?.readable === false) this.#fault(`${nameOf(ref)} can't be read.`)
    return parameter
  }

  #number(ref: Ref): void {
    const parameter = this.#parameter(ref, false)
    if (parameter && !isNumeric(parameter)) this.#fault(`${nameOf(ref)} is no number (${parameter.type}).`)
  }

  #action(ref: Ref, given: Readonly<Record<string, Given<Value>>>, variables: Variables): void {
    const instrument = this.#instrument(ref.instrument)
    const action = instrument && own(instrument.actions, ref.name)
    if (!instrument) return
    if (!action) {
      const hint = didYouMean(ref.name, Object.keys(instrument.actions))
      return this.#fault(`${instrument.id} has no action "${clip(ref.name)}".${hint}`)
    }
    for (const [name, value] of Object.entries(given)) {
      const argument = own(action.arguments, name)
      if (argument) this.#fits(`${nameOf(ref)}.${name}`, argument, value, variables)
      else {
        const hint = didYouMean(name, Object.keys(action.arguments))
        this.#fault(`${nameOf(ref)} has no argument "${clip(name)}".${hint}`)
      }
    }
    for (const [name, { default: value }] of Object.entries(action.arguments)) {
      if (value === undefined && !Object.hasOwn(given, name)) {
        this.#fault(`${nameOf(ref)} needs the argument "${name}". Add it to "arguments".`)
      }
    }
  }

  #parameter(ref: Ref, report = true): ParameterDescription | undefined {
    const instrument = this.#instrument(ref.instrument, report)
    const parameter = instrument && own(instrument.parameters, ref.name)
    if (instrument && !parameter && report) {
      const hint = didYouMean(ref.name, Object.keys(instrument.parameters))
      this.#fault(`${instrument.id} has no parameter "${clip(ref.name)}".${hint}`)
    }
    return parameter
  }

  #instrument(name: string, report = true): InstrumentDescription | undefined {
    const role = own(this.#recipe.roles, name)
    const bound = own(this.#bindings, name)
    if (role && bound === null) return undefined
    const id = role ? (bound ?? role.default) : name
    const instrument = this.#descriptions.get(id)
    if (instrument || !report) return instrument
    const known = [...Object.keys(this.#recipe.roles), ...this.#descriptions.keys()]
    const what = role
      ? `There is no instrument "${clip(id)}" for the role "${name}".`
      : `There is no instrument or role "${clip(name)}".`
    this.#fault(`${what}${didYouMean(id, known)}`)
    return undefined
  }

  #fits(where: string, allowed: ValueDescription, given: Given<Value>, variables: Variables): void {
    if (isPlain(given)) return this.#value(where, allowed, given, '')
    const variable = variables.get(given.variable)
    if (!variable) return
    const name = `$${given.variable}`
    if (!mayBe(variable, allowed)) {
      return this.#fault(`${where} takes ${inWords(allowed)}, and ${name} is ${variable.type}.`)
    }
    for (const value of variable.values) this.#value(where, allowed, value, ` (${name})`)
    for (const key of ['min', 'max'] as const) {
      const [may, limit] = [variable[key], allowed[key]]
      if (may === undefined || limit === undefined) continue
      if (key === 'min' ? may < limit : may > limit) {
        this.#fault(
          `${name} may be ${may}, but ${where} takes ${key === 'min' ? 'at least' : 'at most'} ${limit}.`,
        )
      }
    }
    const odd = (variable.choices ?? []).filter((choice) => !(allowed.choices ?? [choice]).includes(choice))
    if (odd.length > 0) {
      this.#fault(`${name} may be ${odd.join(', ')}; ${where} takes ${(allowed.choices ?? []).join(', ')}.`)
    }
  }

  #value(where: string, allowed: ValueDescription, value: Value, note: string): void {
    try {
      checkValue(where, allowed, value, '')
    } catch (error) {
      this.#fault(`${messageOf(error).replace(/\.$/, '')}${note}.`)
    }
  }

  #fault(message: string): void {
    const { file } = this.#recipe
    const { line, column } = this.#at?.place ?? { line: 1, column: 1 }
    // A ramp or a controller names the same parameter several times.
    const known = this.faults.some((fault) => fault.line === line && fault.message === message)
    if (!known) this.faults.push({ file, line, column, path: '', message })
  }
}

function isNumeric({ type }: ValueDescription): boolean {
  return type === 'number' || type === 'integer'
}

/** May a variable of this type stand for such a value at all? */
function mayBe({ type }: VariableType, allowed: ValueDescription): boolean {
  if (type === 'mixed') return true
  if (allowed.type === 'number') return type === 'number' || type === 'integer'
  if (allowed.type === 'integer') return type === 'integer' || type === 'number'
  if (allowed.type === 'choice') return type === 'choice' || type === 'text'
  if (allowed.type === 'text') return type === 'text' || type === 'choice'
  return type === allowed.type
}

function inWords({ type, choices }: ValueDescription): string {
  return type === 'choice' ? `one of ${valueInWords((choices ?? []).join(', '))}` : `a value of type ${type}`
}

function nameOf({ instrument, name }: Ref): string {
  return `${instrument}.${name}`
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
