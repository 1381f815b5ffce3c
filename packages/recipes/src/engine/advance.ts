import { formatDuration } from '@golem/config'
import type { CallStep, Step } from '../recipe.ts'
import { type Advance, type Context, type Scope, StepFailure } from './context.ts'
import { leave, owedIn } from './leave.ts'
import { type Owed, type Sequence, sequenceOf, type StepNode } from './state.ts'
import { advanceDo, advanceSet } from './steps/commands.ts'
import { advanceControl } from './steps/control.ts'
import { advanceForEach, advanceRepeat } from './steps/loops.ts'
import { advanceMeasure } from './steps/measure.ts'
import { advanceRamp } from './steps/ramp.ts'
import { advanceIf, advanceUntil, advanceWait } from './steps/waits.ts'

/** What holds where nothing was put around: the parameters of the run. */
export function scopeOf(ctx: Context, variables: Record<string, unknown> | null): Scope {
  return { values: (variables as Scope['values'] | null) ?? ctx.state.parameters, loops: {} }
}

/** Carries out steps one after the other, as far as it goes now. */
export function advanceSequence(ctx: Context, sequence: Sequence, scope: Scope): Advance {
  while (sequence.index < sequence.steps.length) {
    const advance = advanceOne(ctx, sequence, scope)
    if (advance !== 'done') return advance
  }
  return 'done'
}

/**
 * The lists of `finally` that are owed, each to its end: what goes wrong in one step is no reason to leave out the next.
 *
 * @param onFailure - is told each failure
 */
export function advanceOwed(
  ctx: Context,
  owed: Owed[],
  onFailure: (message: string) => void,
): 'busy' | 'done' {
  for (;;) {
    const [first] = owed
    if (!first) return 'done'
    const { call, variables } = first
    const sequence = (first.sequence ??= sequenceOf(
      call === null ? ctx.program.finally : (ctx.stepAt(call) as CallStep).finally,
    ))
    const scope = scopeOf(ctx, variables)
    while (sequence.index < sequence.steps.length) {
      const advance = advanceOne(ctx, sequence, scope)
      if (advance === 'busy') return 'busy'
      if (advance === 'done') continue
      onFailure(advance.failed)
      sequence.node = null
      sequence.index++
    }
    owed.shift()
  }
}

function advanceOne(ctx: Context, sequence: Sequence, scope: Scope): Advance {
  // In a parallel step another branch may just have been refused by a stop.
  if (ctx.state.hold) return 'busy'
  if (!sequence.node) {
    if (!ctx.mayBegin()) return 'busy'
    sequence.node = beginStep(ctx, sequence.steps[sequence.index] ?? -1)
  }
  const { node } = sequence
  const step = ctx.stepAt(node.step)
  const advance = advanceNode(ctx, node, step, scope)
  if (advance === 'busy') return 'busy'
  if (advance !== 'done') {
    const message = step.name === undefined ? advance.failed : `${step.name}: ${advance.failed}`
    if (step.onFailure !== 'continue') return { failed: message }
    ctx.emitEvent('failure', `${message} The run goes on, as the recipe says.`)
  }
  sequence.node = null
  sequence.index++
  return 'done'
}

function beginStep(ctx: Context, index: number): StepNode {
  const step = ctx.stepAt(index)
  if (!contains(step)) ctx.state.begun++
  return { step: index, sinceActive: ctx.active, count: 0, numbers: {}, seen: {}, held: {} }
}

/** Does it consist of other steps? Such steps are not counted. */
export function contains({ verb }: Step): boolean {
  return verb === 'repeat' || verb === 'forEach' || verb === 'parallel' || verb === 'if' || verb === 'call'
}

function advanceNode(ctx: Context, node: StepNode, step: Step, scope: Scope): Advance {
  if (node.leaving) return finishLeaving(ctx, node.leaving)
  let advance: Advance
  try {
    advance = advanceVerb(ctx, node, step, scope)
    if (advance === 'busy' && !ctx.state.hold) advance = timeLimit(ctx, node, step, scope)
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    advance = { failed: error.message }
  }
  if (advance === 'busy') return 'busy'
  // What the recipes that were called want done at the end is done before anything else.
  const owed = owedIn(ctx, node)
  leave(ctx, node)
  if (owed.length === 0) return advance
  node.leaving = { message: advance === 'done' ? null : advance.failed, owed }
  return finishLeaving(ctx, node.leaving)
}

function finishLeaving(ctx: Context, leaving: NonNullable<StepNode['leaving']>): Advance {
  const advance = advanceOwed(ctx, leaving.owed, (message) => {
    ctx.emitEvent('failure', message)
    leaving.message ??= message
  })
  if (advance === 'busy') return 'busy'
  return leaving.message === null ? 'done' : { failed: leaving.message }
}

function timeLimit(ctx: Context, node: StepNode, step: Step, scope: Scope): Advance {
  if (step.timeoutMs === undefined) return 'busy'
  const limit = ctx.number(step.timeoutMs, scope, '"timeout"')
  const left = Math.max(node.sinceActive + limit, ctx.state.graceActive) - ctx.active
  if (left > 0) {
    ctx.wakeIn(left)
    return 'busy'
  }
  const message = `It was not over within ${formatDuration(limit)}.`
  if (step.verb !== 'until' || step.onTimeout === 'fail') return { failed: message }
  ctx.emitEvent('note', `${message} The run goes on, as the recipe says.`)
  return 'done'
}

function advanceVerb(ctx: Context, node: StepNode, step: Step, scope: Scope): Advance {
  const inside = (sequence: Sequence, within: Scope): Advance => advanceSequence(ctx, sequence, within)
  switch (step.verb) {
    case 'set':
      return advanceSet(ctx, node, step, scope)
    case 'do':
      return advanceDo(ctx, node, step, scope)
    case 'wait':
      return advanceWait(ctx, node, step, scope)
    case 'until':
      return advanceUntil(ctx, node, step, scope)
    case 'repeat':
      return advanceRepeat(ctx, node, step, scope, inside)
    case 'forEach':
      return advanceForEach(ctx, node, step, scope, inside)
    case 'ramp':
      return advanceRamp(ctx, node, step, scope)
    case 'measure':
      return advanceMeasure(ctx, node, step, scope)
    case 'parallel':
      return advanceParallel(ctx, node, step.branches, scope)
    case 'control':
      return advanceControl(ctx, node, step, scope)
    case 'note':
      ctx.emitEvent('note', String(ctx.value(step.text, scope)))
      return 'done'
    case 'if': {
      if (!node.body) {
        const chosen = advanceIf(ctx, node, step, scope)
        if (chosen === 'busy') return 'busy'
        node.body = sequenceOf(step[chosen.branch])
      }
      return inside(node.body, scope)
    }
    case 'call':
      return inside(bodyOfCall(ctx, node, step, scope), scopeOf(ctx, node.variables ?? {}))
  }
}

function bodyOfCall(ctx: Context, node: StepNode, step: CallStep, scope: Scope): Sequence {
  if (!node.body) {
    const values = { ...step.defaults }
    for (const [name, given] of Object.entries(step.with)) values[name] = ctx.value(given, scope)
    node.variables = values
    node.body = sequenceOf(step.steps)
  }
  return node.body
}

function advanceParallel(
  ctx: Context,
  node: StepNode,
  branches: readonly (readonly number[])[],
  scope: Scope,
): Advance {
  node.branches ??= branches.map(sequenceOf)
  let busy = false
  for (const branch of node.branches) {
    const advance = advanceSequence(ctx, branch, scope)
    if (advance === 'busy') busy = true
    else if (advance !== 'done') return advance
  }
  return busy ? 'busy' : 'done'
}
