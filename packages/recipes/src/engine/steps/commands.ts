import {
  type CommandTarget,
  describeTarget,
  type ErrorCode,
  type Outcome,
  type OutcomeKind,
  type Value,
} from '@golem/core'
import type { DoStep, SetStep } from '../../recipe.ts'
import { type Advance, type Context, type Scope } from '../context.ts'
import type { StepNode } from '../state.ts'

/** After a refusal because something is away it is tried again after this long, in ms. */
const AGAIN_MS = 2_000

/**
 * Refused, so certainly never sent, because something was away or full for the moment. `WORKER_LOST` is a refusal when
 * the worker's journal shows that it ended before anything was sent.
 */
const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'COMMAND_EXPIRED',
  'LEASE_LOST',
  'LINK_DOWN',
  'QUEUE_DOWN',
  'QUEUE_FULL',
  'TOO_MANY_REQUESTS',
  'WORKER_AWAY',
  'WORKER_LOST',
  'WORKER_STOPPING',
])

/** A rule of the site does not allow it just now: an interlock, the least time an output has to stay on or off. */
const RULE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['INTERLOCKED', 'OUTPUT_RULE'])
/** At the end of a run an output that may not be switched off yet is waited for at least so long, in ms. */
const RULE_AT_END_MS = 600_000

/**
 * Why a command was not sent, if that may be otherwise soon: then it is made anew, as a command of its own. null: it is
 * over.
 */
export function notNow({ outcome, effect, code }: Outcome): 'away' | 'rule' | null {
  if (outcome !== 'refused' || effect !== 'none' || code === undefined) return null
  if (RULE.has(code)) return 'rule'
  return AWAY.has(code) ? 'away' : null
}

const ENDED: Readonly<Record<OutcomeKind, string>> = {
  done: 'was done',
  refused: 'was refused',
  failed: 'failed',
  unknown: 'has an unknown outcome and is not sent again',
}

/** One command with its outcome in sight: `done` when it was carried out. */
export function advanceCommand(
  ctx: Context,
  node: StepNode,
  instrument: string,
  target: CommandTarget,
  patienceMs: number,
): Advance {
  const { command, away } = node
  if (command?.unsent) delete node.command
  else if (command) {
    const { outcome } = command
    if (!outcome) return 'busy'
    delete node.command
    if (outcome.outcome === 'done') {
      delete node.away
      return 'done'
    }
    const message = describeOutcome(command.instrument, command.target, outcome)
    if (isHalted(ctx, outcome, message)) return 'busy'
    const sinceActive = away?.sinceActive ?? ctx.active
    const why = notNow(outcome)
    const atEnd = why === 'rule' && ctx.state.phase === 'finally'
    const patience = atEnd ? Math.max(patienceMs, RULE_AT_END_MS) : patienceMs
    if (why === null || ctx.active - sinceActive >= patience) return { failed: message }
    node.away = { sinceActive, againActive: ctx.active + AGAIN_MS, message }
  }
  const wait = (node.away?.againActive ?? 0) - ctx.active
  if (wait > 0) ctx.wakeIn(wait)
  else ctx.emitCommand(node, instrument, target)
  return 'busy'
}

/** Refused because a stop is in force: the run stands still until a person decides; nothing has been sent. */
export function isHalted(ctx: Context, { outcome, code }: Outcome, message: string): boolean {
  if (outcome !== 'refused' || code !== 'STOPPED') return false
  ctx.hold('paused', `${message} Release the stop, then resume, stop or abort the run.`)
  return true
}

export function describeOutcome(instrument: string, target: CommandTarget, outcome: Outcome): string {
  const why = outcome.message ?? outcome.code ?? 'no reason was given'
  return `${instrument}: ${describeTarget(target)} ${ENDED[outcome.outcome]}: ${why.replace(/\.?$/, '.')}`
}

export function advanceSet(ctx: Context, node: StepNode, step: SetStep, scope: Scope): Advance {
  const patienceMs = ctx.number(step.patienceMs, scope, '"patience"')
  for (;;) {
    const write = step.writes[node.count]
    if (!write) return 'done'
    const { instrument, name } = write.target
    const target = { parameter: name, value: ctx.value(write.value, scope) }
    const advance = advanceCommand(ctx, node, instrument, target, patienceMs)
    if (advance !== 'done') return advance
    node.count++
  }
}

export function advanceDo(ctx: Context, node: StepNode, step: DoStep, scope: Scope): Advance {
  const given: Record<string, Value> = {}
  for (const [name, value] of Object.entries(step.arguments)) given[name] = ctx.value(value, scope)
  const target = { action: step.action.name, arguments: given }
  return advanceCommand(
    ctx,
    node,
    step.action.instrument,
    target,
    ctx.number(step.patienceMs, scope, '"patience"'),
  )
}
