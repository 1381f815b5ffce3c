import { isoTime, type Value } from '@golem/core'
import type { MeasureStep, Step } from '../../recipe.ts'
import { expectReadings, type GoodReading, newReading } from '../conditions.ts'
import { type Advance, type Context, keyOf, type Scope } from '../context.ts'
import type { StepNode } from '../state.ts'
import { precise } from './loops.ts'

export function advanceMeasure(
  ctx: Context,
  node: StepNode,
  step: MeasureStep & Step,
  scope: Scope,
): Advance {
  const samples = ctx.number(step.samples, scope, '"samples"')
  const wait = (node.dueActive ?? node.sinceActive) - ctx.active
  if (!node.skip && wait > 0) {
    ctx.wakeIn(wait)
    return 'busy'
  }
  const found = step.readings.map((ref) => newReading(ctx, node, ref))
  if (!node.skip && found.every((reading) => reading !== null)) takeSample(ctx, node, step, found, scope)
  if (node.count < samples && !node.skip) {
    if ((node.dueActive ?? 0) <= ctx.active) {
      expectReadings(ctx, node, step.readings, Math.max(node.dueActive ?? 0, node.sinceActive, lastOf(node)))
    } else ctx.wakeIn((node.dueActive ?? 0) - ctx.active)
    return 'busy'
  }
  if (node.count > 0) ctx.emitRow(rowOf(ctx, node, step, scope))
  return 'done'
}

/** When the last sample was taken. */
const lastOf = (node: StepNode): number => node.numbers['sampledActive'] ?? 0

function takeSample(
  ctx: Context,
  node: StepNode,
  step: MeasureStep,
  found: readonly GoodReading[],
  scope: Scope,
): void {
  node.sums ??= {}
  for (const [index, ref] of step.readings.entries()) {
    const reading = found[index]
    if (!reading) continue
    const key = keyOf(ref)
    const sum = (node.sums[key]?.sum ?? 0) + (typeof reading.value === 'number' ? reading.value : 0)
    node.sums[key] = { last: reading.value, sum }
    node.seen[key] = reading.at
  }
  node.count++
  node.numbers['sampledActive'] = ctx.active
  node.numbers['sampledUtc'] = ctx.now.utcMs
  if (step.everyMs === undefined) return
  const every = ctx.number(step.everyMs, scope, '"every"')
  if (every > 0) {
    const since = node.sinceActive
    node.dueActive = since + (Math.floor((ctx.active - since) / every) + 1) * every
  }
}

function rowOf(ctx: Context, node: StepNode, step: MeasureStep & Step, scope: Scope) {
  const values: Record<string, Value> = {}
  for (const [key, { last, sum }] of Object.entries(node.sums ?? {})) {
    values[key] = typeof last === 'number' ? precise(sum / node.count) : last
  }
  const stage = ctx.state.phase === 'stages' ? ctx.program.stages[ctx.state.stage]?.name : undefined
  return {
    table: step.name ?? stage ?? 'finally',
    at: isoTime(node.numbers['sampledUtc'] ?? ctx.now.utcMs),
    values,
    samples: node.count,
    variables: scope.loops,
  }
}
