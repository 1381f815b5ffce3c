import type { Ref } from '../../recipe.ts'
import type { Advance, Context } from '../context.ts'
import type { StepNode } from '../state.ts'
import { describeOutcome, isAway, isHalted } from './commands.ts'

/** After so many writes in a row that were not done, a ramp or controller gives up. */
const MOST_MISSES = 3
/** For how long an instrument that is away is waited for, in ms. */
const PATIENCE_MS = 60_000
const AGAIN_MS = 2_000

/**
 * Brings an output to `node.wanted` for steps that write again and again. Each write is a decision of its own on what is
 * known then: one that was not done is no reason to give up, the next one is made as if the output were unknown.
 *
 * @returns done: nothing is under way, and what is wanted (if anything) was written
 */
export function advanceOutput(ctx: Context, node: StepNode, { target }: { target: Ref }): Advance {
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
    } else {
      delete node.written
      const message = describeOutcome(command.instrument, command.target, outcome)
      if (isHalted(ctx, outcome, message)) return 'busy'
      const sinceActive = node.away?.sinceActive ?? ctx.active
      const misses = (node.numbers['misses'] ?? 0) + (isAway(outcome) ? 0 : 1)
      node.numbers['misses'] = misses
      if (misses >= MOST_MISSES) return { failed: `${message} Write ${misses} in a row that was not done.` }
      if (ctx.active - sinceActive >= PATIENCE_MS) return { failed: `${message} That for too long.` }
      ctx.emitEvent('failure', message)
      node.away = { sinceActive, againActive: ctx.active + AGAIN_MS, message }
    }
  }
  if (node.wanted === undefined || node.wanted === node.written) return 'done'
  const wait = (node.away?.againActive ?? 0) - ctx.active
  if (wait > 0) ctx.wakeIn(wait)
  else ctx.emitCommand(node, target.instrument, { parameter: target.name, value: node.wanted })
  return 'busy'
}
