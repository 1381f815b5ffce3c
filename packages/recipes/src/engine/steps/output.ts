import type { Ref } from '../../recipe.ts'
import type { Advance, Context } from '../context.ts'
import type { StepNode } from '../state.ts'
import { describeOutcome, isHalted, notNow } from './commands.ts'

/** After so many writes in a row that were not done, a ramp or controller gives up. */
const MOST_MISSES = 3
/** For how long an instrument that is away is waited for, in ms. */
const PATIENCE_MS = 60_000
const AGAIN_MS = 2_000
/** What a rule of the site refuses, it refuses for a while: it is asked again after this long, in ms. */
const RULE_MS = 10_000

/**
 * Brings an output to `node.wanted` for steps that write again and again. Each write is a decision of its own on what is
 * known then: one that was not done is no reason to give up, the next one is made as if the output were unknown.
 *
 * @param mayRepeat - what is wanted may be written again now, after a write that was not done
 * @returns done: nothing is under way, and what is wanted (if anything) was written
 */
export function advanceOutput(ctx: Context, node: StepNode, target: Ref, mayRepeat: boolean): Advance {
  const { command } = node
  if (command?.unsent) delete node.command
  else if (command) {
    const { outcome } = command
    if (!outcome) return 'busy'
    delete node.command
    if (outcome.outcome === 'done') {
      node.written = 'value' in command.target ? command.target.value : ''
      node.numbers['misses'] = 0
      delete node.away
      delete node.numbers['awayActive']
    } else {
      delete node.written
      const message = describeOutcome(command.instrument, command.target, outcome)
      if (isHalted(ctx, outcome, message)) return 'busy'
      const why = notNow(outcome)
      const misses = (node.numbers['misses'] ?? 0) + (why === null ? 1 : 0)
      node.numbers['misses'] = misses
      if (misses >= MOST_MISSES) return { failed: `${message} Write ${misses} in a row that was not done.` }
      const sinceActive = why === 'away' ? (node.numbers['awayActive'] ?? ctx.active) : ctx.active
      node.numbers['awayActive'] = sinceActive
      if (ctx.active - sinceActive >= PATIENCE_MS) return { failed: `${message} That for too long.` }
      if (message !== node.away?.message) ctx.emitEvent('failure', message)
      const againActive = ctx.active + (why === 'rule' ? RULE_MS : AGAIN_MS)
      node.away = { sinceActive, againActive, message }
    }
  }
  if (node.wanted === undefined || node.wanted === node.written) return 'done'
  const wait = (node.away?.againActive ?? 0) - ctx.active
  if (wait > 0) ctx.wakeIn(wait)
  else if (mayRepeat || !node.away)
    ctx.emitCommand(node, target.instrument, { parameter: target.name, value: node.wanted })
  return 'busy'
}
