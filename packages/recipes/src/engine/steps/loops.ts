import type { Value } from '@golem/core'
import type { ForEachStep, RepeatStep } from '../../recipe.ts'
import { judge } from '../conditions.ts'
import { type Advance, type Context, type Scope, StepFailure } from '../context.ts'
import { sequenceOf, type Sequence, type StepNode } from '../state.ts'

/** Carries out what stands inside a step. */
export type Inside = (sequence: Sequence, scope: Scope) => Advance

/** Rounds begin at least this far apart, in ms: a loop that does not wait does not fill the log. */
const SHORTEST_ROUND_MS = 100
/** The most values of a forEach. */
const MOST_VALUES = 100_000

export function advanceRepeat(
  ctx: Context,
  node: StepNode,
  step: RepeatStep,
  scope: Scope,
  inside: Inside,
): Advance {
  for (;;) {
    // Also while a round is under way, so that what has to be so for some time is followed.
    const enough = isEnough(ctx, node, step, scope)
    if (node.body) {
      const advance = inside(node.body, scope)
      if (advance !== 'done') return advance
      delete node.body
      node.count++
      delete node.dueActive
      continue
    }
    if (enough && (node.count > 0 || !('until' in step.end))) return 'done'
    node.dueActive ??= nextRound(ctx, node, step, scope)
    const wait = node.dueActive - ctx.active
    if (wait > 0 && !node.skip) {
      ctx.wakeIn(wait)
      if ('forMs' in step.end) ctx.wakeIn(forEnd(ctx, node, step.end.forMs, scope) - ctx.active)
      return 'busy'
    }
    delete node.skip
    if (!ctx.mayBegin()) return 'busy'
    node.numbers['beganActive'] = ctx.active
    node.body = sequenceOf(step.steps)
  }
}

function forEnd(
  ctx: Context,
  node: StepNode,
  given: Extract<RepeatStep['end'], { forMs: unknown }>['forMs'],
  scope: Scope,
): number {
  return node.sinceActive + ctx.number(given, scope, '"for"')
}

function isEnough(ctx: Context, node: StepNode, { end }: RepeatStep, scope: Scope): boolean {
  if ('times' in end) return node.count >= ctx.number(end.times, scope, '"times"')
  if ('forMs' in end) return ctx.active >= forEnd(ctx, node, end.forMs, scope)
  return 'until' in end && judge(ctx, node, end.until, scope) === true
}

/** When the next round begins: marks that passed while a round took longer are left out. */
function nextRound(ctx: Context, node: StepNode, { everyMs }: RepeatStep, scope: Scope): number {
  const { beganActive } = node.numbers
  if (beganActive === undefined) return ctx.active
  if (everyMs === undefined) return beganActive + SHORTEST_ROUND_MS
  const every = Math.max(SHORTEST_ROUND_MS, ctx.number(everyMs, scope, '"every"'))
  const rounds = Math.max(1, Math.ceil((ctx.active - node.sinceActive) / every))
  const next = node.sinceActive + rounds * every
  // The round may have begun a moment before its mark was over.
  return next - beganActive < every / 2 ? next + every : next
}

export function advanceForEach(
  ctx: Context,
  node: StepNode,
  step: ForEachStep,
  scope: Scope,
  inside: Inside,
): Advance {
  for (;;) {
    if (!node.body) {
      const value = valueAt(ctx, node, step, scope)
      if (value === undefined) return 'done'
      if (!ctx.mayBegin()) return 'busy'
      node.variables = { [step.variable]: value }
      node.body = sequenceOf(step.steps)
    }
    const loops = { ...scope.loops, ...node.variables }
    const advance = inside(node.body, { values: { ...scope.values, ...node.variables }, loops })
    if (advance !== 'done') return advance
    delete node.body
    node.count++
  }
}

function valueAt(ctx: Context, node: StepNode, { values }: ForEachStep, scope: Scope): Value | undefined {
  if (!('from' in values)) {
    const given = values[node.count]
    return given === undefined ? undefined : ctx.value(given, scope)
  }
  const { numbers } = node
  // Worked out once: a parameter that is changed in the middle would leave out values or bring them again.
  numbers['from'] ??= ctx.number(values.from, scope, '"from"')
  numbers['step'] ??= ctx.number(values.step, scope, '"step"')
  const { from, step } = numbers as { from: number; step: number }
  numbers['values'] ??= countOf(from, ctx.number(values.to, scope, '"to"'), step)
  return node.count < numbers['values'] ? precise(from + node.count * step) : undefined
}

function countOf(from: number, to: number, step: number): number {
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (step === 0 || count < 1) {
    throw new StepFailure(`From ${from} in steps of ${step} one does not get to ${to}.`)
  }
  if (count > MOST_VALUES)
    throw new StepFailure(`These are ${count} values; at most ${MOST_VALUES} are allowed.`)
  return count
}

/** Without the noise of binary fractions: 0.1 + 0.2 is 0.3. */
export function precise(value: number): number {
  return Number(value.toPrecision(12))
}
