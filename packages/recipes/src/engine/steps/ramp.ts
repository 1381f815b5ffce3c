import type { RampStep } from '../../recipe.ts'
import { expectReadings, newReading } from '../conditions.ts'
import { type Advance, type Context, keyOf, type Scope, StepFailure } from '../context.ts'
import type { StepNode } from '../state.ts'
import { precise } from './loops.ts'
import { advanceOutput } from './output.ts'

export function advanceRamp(ctx: Context, node: StepNode, step: RampStep, scope: Scope): Advance {
  const line = lineOf(ctx, node, step, scope)
  if (!line) return 'busy'
  const { from, to, over, every, start } = line
  if (node.skip) {
    delete node.wanted
    return advanceOutput(ctx, node, step.target, true)
  }
  const { numbers } = node
  const elapsed = ctx.active - start
  const due = node.dueActive ?? start
  if (ctx.active >= due && numbers['last'] === undefined) {
    const value = elapsed >= over ? to : from + ((to - from) * elapsed) / over
    node.wanted = step.integer ? Math.round(value) : precise(value)
    // Whatever the period: the end is on time.
    if (elapsed >= over) numbers['last'] = 1
    else node.dueActive = start + Math.min((Math.floor(elapsed / every) + 1) * every, over)
  }
  const written = advanceOutput(ctx, node, step.target, true)
  if (written !== 'done' || numbers['last'] !== undefined) return written
  ctx.wakeIn((node.dueActive ?? start) - ctx.active)
  return 'busy'
}

/** What was worked out when it began; null: it has not yet been read where it begins. */
function lineOf(
  ctx: Context,
  node: StepNode,
  step: RampStep,
  scope: Scope,
): { from: number; to: number; over: number; every: number; start: number } | null {
  const { numbers } = node
  if (numbers['start'] === undefined) {
    const from = step.from === undefined ? whereItIs(ctx, node, step) : ctx.number(step.from, scope, '"from"')
    if (from === null) return null
    numbers['from'] = from
    numbers['to'] = ctx.number(step.to, scope, '"to"')
    numbers['over'] = ctx.number(step.overMs, scope, '"over"')
    numbers['every'] = Math.max(100, ctx.number(step.everyMs, scope, '"every"'))
    numbers['start'] = ctx.active
  }
  return numbers as { from: number; to: number; over: number; every: number; start: number }
}

function whereItIs(ctx: Context, node: StepNode, { target }: RampStep): number | null {
  const reading = newReading(ctx, node, target)
  if (!reading) {
    expectReadings(ctx, node, [target], node.sinceActive)
    return null
  }
  if (typeof reading.value !== 'number') throw new StepFailure(`${keyOf(target)} is no number.`)
  node.written = reading.value
  return reading.value
}
