import type { Comparison, RecipeCondition, Ref } from '../recipe.ts'
import { type Context, keyOf, type Scope, StepFailure } from './context.ts'
import type { StepNode } from './state.ts'
import type { AgedReading, Now } from './types.ts'

/** A step that only looks gives up after this long without a good reading, unless it has a `timeout`, in ms. */
const BLIND_MS = 60_000

export type GoodReading = AgedReading & { value: NonNullable<AgedReading['value']>; at: string }

/** Is it a value one may act on: good, and no older than promised? A time too far in the future is no better. */
export function isGood(reading: AgedReading | undefined, now: Now): reading is GoodReading {
  if (reading?.quality !== 'good' || reading.value === null || reading.at === null) return false
  return Math.abs(now.utcMs - Date.parse(reading.at)) <= reading.staleAfterMs
}

/**
 * A good reading that came in after the step began (or after the one in `node.seen`). What was there before says
 * nothing about what the steps before this one have done.
 */
export function newReading(ctx: Context, node: StepNode, ref: Ref): GoodReading | null {
  const reading = ctx.look(ref)
  const key = keyOf(ref)
  node.seen[key] ??= reading?.at ?? ''
  return isGood(reading, ctx.now) && reading.at !== node.seen[key] ? reading : null
}

/** Fails a step that has been waiting for new good readings for too long. */
export function expectReadings(
  ctx: Context,
  node: StepNode,
  refs: readonly Ref[],
  sinceActive: number,
): void {
  if (ctx.stepAt(node.step).timeoutMs !== undefined) return
  const patience = Math.max(BLIND_MS, ...refs.map((ref) => 2 * (ctx.look(ref)?.staleAfterMs ?? 0)))
  const since = Math.max(sinceActive, node.numbers['lookedActive'] ?? 0)
  const left = since + patience - ctx.active
  if (left > 0) return ctx.wakeIn(left)
  const blind = refs.filter((ref) => !newReading(ctx, node, ref))
  throw new StepFailure(
    `No new good reading of ${blind.map((ref) => whyBlind(ctx, ref)).join(', ')} for ${Math.round(patience / 1000)} s.`,
  )
}

function whyBlind(ctx: Context, ref: Ref): string {
  const reading = ctx.look(ref)
  if (!reading) return `${keyOf(ref)} (there is none)`
  return `${keyOf(ref)} (${reading.error ?? `${reading.quality}, from ${reading.at ?? 'never'}`})`
}

/**
 * Judges a condition.
 *
 * @returns null: it can't be known, because readings are missing, stale, bad, or from before the step
 */
export function judge(
  ctx: Context,
  node: StepNode,
  condition: RecipeCondition,
  scope: Scope,
  path = '',
): boolean | null {
  if ('compare' in condition) return judgeComparison(ctx, node, condition.compare, scope, path)
  const parts = 'all' in condition ? condition.all : condition.any
  // Each one is looked at, so that what has to be so for some time is followed.
  const found = parts.map((part, index) => judge(ctx, node, part, scope, `${path}/${index}`))
  const decisive = !('all' in condition)
  if (found.includes(decisive)) return decisive
  return found.includes(null) ? null : !decisive
}

function judgeComparison(
  ctx: Context,
  node: StepNode,
  comparison: Comparison,
  scope: Scope,
  path: string,
): boolean | null {
  const reading = newReading(ctx, node, comparison.reading)
  const so = reading && compare(ctx, comparison, reading, scope)
  if (!reading || !so || comparison.forMs === undefined) {
    delete node.held[path]
    return so
  }
  const { active } = ctx
  const held = (node.held[path] ??= { sinceActive: active, provenActive: active, at: reading.at })
  // Nobody looked for longer than a reading lasts: what was in between is not known.
  if (active - held.provenActive > reading.staleAfterMs) held.sinceActive = active
  if (reading.at !== held.at || held.sinceActive === active) {
    held.at = reading.at
    held.provenActive = active
  }
  return held.provenActive - held.sinceActive >= ctx.number(comparison.forMs, scope, '"for"')
}

function compare(ctx: Context, comparison: Comparison, { value }: GoodReading, scope: Scope): boolean {
  const { above, below, between, equals, notEquals } = comparison
  if (equals !== undefined) return value === ctx.value(equals, scope)
  if (notEquals !== undefined) return value !== ctx.value(notEquals, scope)
  if (typeof value !== 'number') {
    throw new StepFailure(`${keyOf(comparison.reading)} is ${JSON.stringify(value)}, no number to compare.`)
  }
  const limit = (given: NonNullable<typeof above>): number => ctx.number(given, scope, 'a limit')
  if (between !== undefined) return value >= limit(between[0]) && value <= limit(between[1])
  if (above !== undefined && !(value > limit(above))) return false
  return below === undefined || value < limit(below)
}

/** The readings of a condition. */
export function refsOf(condition: RecipeCondition): Ref[] {
  if ('compare' in condition) return [condition.compare.reading]
  return ('all' in condition ? condition.all : condition.any).flatMap(refsOf)
}
