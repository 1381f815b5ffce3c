import type { IfStep, UntilStep, WaitStep } from '../../recipe.ts'
import { expectReadings, judge, refsOf } from '../conditions.ts'
import { type Advance, type Context, type Scope, StepFailure } from '../context.ts'
import { nextMark } from '../marks.ts'
import type { StepNode } from '../state.ts'

/** A mark missed by less than this share of the period still counts. */
const LATE_SHARE = 0.1
/** How often a step that waits for the clock looks whether it was set, in ms. */
const LOOK_AT_CLOCK_MS = 30_000

export function advanceWait(ctx: Context, node: StepNode, step: WaitStep, scope: Scope): Advance {
  if (node.skip) return 'done'
  const left =
    'ms' in step.for
      ? node.sinceActive + ctx.number(step.for.ms, scope, 'the time to wait') - ctx.active
      : untilMark(ctx, node, step.for, scope)
  if (left <= 0) return 'done'
  ctx.wakeIn('ms' in step.for ? left : Math.min(left, LOOK_AT_CLOCK_MS))
  return 'busy'
}

function untilMark(
  ctx: Context,
  node: StepNode,
  { alignedMs, offsetMs }: Extract<WaitStep['for'], { alignedMs: unknown }>,
  scope: Scope,
): number {
  const every = ctx.number(alignedMs, scope, '"aligned"')
  if (!(every > 0)) throw new StepFailure('"aligned" has to be longer than nothing.')
  const mark = (): number => nextMark(ctx.now.utcMs, every, ctx.number(offsetMs, scope, '"offset"'))
  const { mark: known, lookedActive } = node.numbers
  delete node.numbers['lookedActive']
  const late = known === undefined ? 0 : ctx.now.utcMs - known
  // After a pause or an interruption a mark that is long past is left out. A mark more than a period ahead: the clock
  // was set back, or the period is another one now.
  const missed = lookedActive !== undefined && late > every * LATE_SHARE
  const target = known === undefined || missed || -late > every ? mark() : known
  node.numbers['mark'] = target
  return target - ctx.now.utcMs
}

export function advanceUntil(ctx: Context, node: StepNode, step: UntilStep, scope: Scope): Advance {
  return judge(ctx, node, step.condition, scope) === true || node.skip ? 'done' : 'busy'
}

/** Decides once, as soon as it can be known. */
export function advanceIf(
  ctx: Context,
  node: StepNode,
  step: IfStep,
  scope: Scope,
): { branch: 'yes' | 'no' } | 'busy' {
  const truth = judge(ctx, node, step.condition, scope)
  if (truth === null) {
    expectReadings(ctx, node, refsOf(step.condition), node.sinceActive)
    return 'busy'
  }
  return { branch: truth ? 'yes' : 'no' }
}
