import type { RecipeCondition, Ref, Step, StepList } from '../recipe.ts'

/** Everything a step itself names of instruments; not what the steps in it do. */
export interface StepRefs {
  writes: readonly Ref[]
  actions: readonly Ref[]
  reads: readonly Ref[]
}

export function refsOfStep(step: Step): StepRefs {
  const none = { writes: [], actions: [], reads: [] }
  switch (step.verb) {
    case 'set':
      return { ...none, writes: step.writes.map(({ target }) => target) }
    case 'do':
      return { ...none, actions: [step.action] }
    case 'until':
    case 'if':
      return { ...none, reads: refsOfCondition(step.condition) }
    case 'repeat':
      return { ...none, reads: 'until' in step.end ? refsOfCondition(step.end.until) : [] }
    case 'ramp':
      return { ...none, writes: [step.target], reads: step.from === undefined ? [step.target] : [] }
    case 'measure':
      return { ...none, reads: step.readings }
    case 'control': {
      const until = 'until' in step.end ? refsOfCondition(step.end.until) : []
      return { ...none, writes: [step.output], reads: [step.reading, ...until] }
    }
    default:
      return none
  }
}

export function refsOfCondition(condition: RecipeCondition): Ref[] {
  if ('compare' in condition) return [condition.compare.reading]
  return ('all' in condition ? condition.all : condition.any).flatMap(refsOfCondition)
}

/** The lists of steps that stand in a step. */
export function listsIn(step: Step): readonly StepList[] {
  switch (step.verb) {
    case 'repeat':
    case 'forEach':
      return [step.steps]
    case 'parallel':
      return step.branches
    case 'if':
      return [step.yes, step.no]
    case 'call':
      return [step.steps, step.finally]
    default:
      return []
  }
}

/** A step with its instruments and the places of its steps exchanged. */
export function mapStep(step: Step, instrument: (name: string) => string, offset: number): Step {
  const ref = ({ instrument: from, name }: Ref): Ref => ({ instrument: instrument(from), name })
  const list = (steps: StepList): StepList => steps.map((index) => index + offset)
  const condition = (given: RecipeCondition): RecipeCondition => {
    if ('compare' in given) return { compare: { ...given.compare, reading: ref(given.compare.reading) } }
    return 'all' in given ? { all: given.all.map(condition) } : { any: given.any.map(condition) }
  }
  switch (step.verb) {
    case 'set':
      return { ...step, writes: step.writes.map(({ target, value }) => ({ target: ref(target), value })) }
    case 'do':
      return { ...step, action: ref(step.action) }
    case 'until':
      return { ...step, condition: condition(step.condition) }
    case 'repeat': {
      const end = 'until' in step.end ? { until: condition(step.end.until) } : step.end
      return { ...step, end, steps: list(step.steps) }
    }
    case 'forEach':
      return { ...step, steps: list(step.steps) }
    case 'ramp':
      return { ...step, target: ref(step.target) }
    case 'measure':
      return { ...step, readings: step.readings.map(ref) }
    case 'parallel':
      return { ...step, branches: step.branches.map(list) }
    case 'if':
      return { ...step, condition: condition(step.condition), yes: list(step.yes), no: list(step.no) }
    case 'control': {
      const end = 'until' in step.end ? { until: condition(step.end.until) } : step.end
      return { ...step, reading: ref(step.reading), output: ref(step.output), end }
    }
    case 'wait':
    case 'note':
    case 'call':
      return step
  }
}
