import type { ControlStep, Hysteresis, Pid } from '../../recipe.ts'
import { isGood, judge } from '../conditions.ts'
import { type Advance, type Context, keyOf, type Scope, StepFailure } from '../context.ts'
import type { StepNode } from '../state.ts'
import { precise } from './loops.ts'
import { advanceOutput } from './output.ts'

/** A gap of more periods than this is no time step: integral and derivative do not know what was in it. */
const MOST_PERIODS = 5

/** Acts on each new good reading; without one for long enough the output goes to where the recipe wants it then. */
export function advanceControl(ctx: Context, node: StepNode, step: ControlStep, scope: Scope): Advance {
  const over = isOver(ctx, node, step, scope)
  // After a write that was not done the next one waits for the next reading: what was decided on the last one is old.
  const decided = !over && decide(ctx, node, step, scope)
  if (over) delete node.wanted
  const written = advanceOutput(ctx, node, step.output, decided)
  return written === 'done' && !over ? 'busy' : written
}

function isOver(ctx: Context, node: StepNode, { end }: ControlStep, scope: Scope): boolean {
  if (node.skip) return true
  if ('until' in end) return judge(ctx, node, end.until, scope) === true
  if (!('forMs' in end)) return false
  const left = node.sinceActive + ctx.number(end.forMs, scope, '"for"') - ctx.active
  if (left > 0) ctx.wakeIn(left)
  return left <= 0
}

/** @returns whether what is wanted was decided on what is known now */
function decide(ctx: Context, node: StepNode, step: ControlStep, scope: Scope): boolean {
  const { numbers } = node
  const value = newValue(ctx, node, step)
  if (value !== null) {
    if (numbers['blind'] === 1)
      ctx.emitEvent('go', `There are good readings of ${keyOf(step.reading)} again.`)
    numbers['goodActive'] = ctx.active
    numbers['blind'] = 0
    if (step.law.kind === 'pid') stepPid(ctx, node, step.law, value, scope)
    else stepHysteresis(ctx, node, step.law, value, scope)
    return true
  }
  const afterMs = ctx.number(step.blind.afterMs, scope, '"after"')
  const good = Math.max(numbers['goodActive'] ?? node.sinceActive, numbers['lookedActive'] ?? 0)
  const left = good + afterMs - ctx.active
  if (left > 0) {
    ctx.wakeIn(left)
    return false
  }
  if (numbers['blind'] !== 1) {
    numbers['blind'] = 1
    for (const name of ['integral', 'last', 'actedActive']) Reflect.deleteProperty(numbers, name)
    const place = ctx.value(step.blind.value, scope)
    ctx.emitEvent(
      'failure',
      `No good reading of ${keyOf(step.reading)} for ${afterMs / 1000} s: ${keyOf(step.output)} goes to ${String(place)}.`,
    )
  }
  node.wanted = ctx.value(step.blind.value, scope)
  return true
}

/** A good, plausible reading that has not been acted on. */
function newValue(ctx: Context, node: StepNode, { reading: ref, plausible }: ControlStep): number | null {
  const reading = ctx.look(ref)
  const key = keyOf(ref)
  const seen = (node.seen[key] ??= reading?.at ?? '')
  if (!isGood(reading, ctx.now) || reading.at === seen) return null
  node.seen[key] = reading.at
  if (typeof reading.value !== 'number') throw new StepFailure(`${key} is no number.`)
  const [lowest, highest] = plausible ?? [-Infinity, Infinity]
  return reading.value >= lowest && reading.value <= highest ? reading.value : null
}

function stepHysteresis(ctx: Context, node: StepNode, law: Hysteresis, value: number, scope: Scope): void {
  const low = ctx.number(law.low, scope, '"low"')
  const high = ctx.number(law.high, scope, '"high"')
  if (low > high) throw new StepFailure(`The low limit (${low}) is above the high one (${high}).`)
  if (value < low) node.wanted = ctx.value(law.cooling ? law.off : law.on, scope)
  else if (value > high) node.wanted = ctx.value(law.cooling ? law.on : law.off, scope)
  // In between it stays as it is; when that is not known, it is off.
  else node.wanted ??= node.written ?? ctx.value(law.off, scope)
}

function stepPid(ctx: Context, node: StepNode, law: Pid, value: number, scope: Scope): void {
  const { numbers } = node
  const given = (
    name: 'kp' | 'ki' | 'kd' | 'setpoint' | 'outputMin' | 'outputMax' | 'everyMs' | 'deadband',
  ) => ctx.number(law[name], scope, `"${name}"`)
  const [least, most] = [given('outputMin'), given('outputMax')]
  if (least > most) throw new StepFailure(`The least output (${least}) is above the greatest (${most}).`)
  const every = Math.max(100, given('everyMs'))
  const { actedActive, last } = numbers
  if (actedActive !== undefined && ctx.active - actedActive < every * 0.9) return
  const gap = actedActive === undefined ? Infinity : ctx.active - actedActive
  const seconds = gap > MOST_PERIODS * every ? 0 : gap / 1000
  const sign = law.reverse ? -1 : 1
  const proportional = sign * given('kp') * (given('setpoint') - value)
  const derivative = seconds > 0 && last !== undefined ? (sign * given('kd') * (last - value)) / seconds : 0
  const before = numbers['integral'] ?? 0
  const grown = before + sign * given('ki') * (given('setpoint') - value) * seconds
  const free = proportional + grown + derivative
  // Anti-windup: at its limit the output asks for no more of what it can't give.
  const pushes = (free > most && grown > before) || (free < least && grown < before)
  const integral = clamp(pushes ? before : grown, Math.min(least, 0), Math.max(most, 0))
  numbers['integral'] = integral
  numbers['last'] = value
  numbers['actedActive'] = ctx.active
  const output = clamp(proportional + integral + derivative, least, most)
  const wanted = law.integer ? clamp(Math.round(output), Math.ceil(least), Math.floor(most)) : precise(output)
  const near = typeof node.written === 'number' && Math.abs(wanted - node.written) < given('deadband')
  node.wanted = near && node.written !== undefined ? node.written : wanted
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
