import type { RunEnd } from '@golem/core'
import type { Context } from './context.ts'
import { leaveAll, leaveSequence, owedIn } from './leave.ts'
import { allNodes, sequenceOf } from './state.ts'

/** Begins a stage; after the last one comes `finally`. */
export function toStage(ctx: Context, index: number): void {
  const { state, program } = ctx
  state.stage = index
  const stage = program.stages[index]
  if (!stage) return toFinally(ctx, 'completed', 'All its steps were done.')
  state.message = `Stage ${index + 1} of ${program.stages.length}: ${stage.name}.`
  state.current = sequenceOf(stage.steps)
  ctx.emitEvent('stage', state.message)
}

/** Leaves the stages; what was called and what the recipe itself wants done at the end is done now. */
export function toFinally(ctx: Context, end: RunEnd, message: string): void {
  const { state } = ctx
  const owed = state.current?.node ? owedIn(ctx, state.current.node) : []
  leaveSequence(ctx, state.current)
  state.current = null
  state.owed = [...owed, ...state.owed, { call: null, variables: null, sequence: null }]
  state.phase = 'finally'
  state.end = end
  state.message = message
  release(ctx)
}

/** Something went wrong: the stages are left; in `finally` the rest of it is still done. */
export function failRun(ctx: Context, message: string): void {
  const { state } = ctx
  if (state.phase !== 'stages' && state.phase !== 'finally') return
  ctx.emitEvent('failure', message)
  if (state.phase === 'stages') return toFinally(ctx, 'failed', message)
  state.message = state.end === 'failed' ? `${state.message} ${message}` : message
  state.end = 'failed'
}

/** Brings all outputs to their safe state at once; `finally` is left out. */
export function abortRun(ctx: Context, message: string): void {
  const { state } = ctx
  leaveAll(ctx)
  release(ctx)
  state.phase = 'safe'
  state.end = 'aborted'
  state.message = message
}

export function endRun(ctx: Context, end: RunEnd, message: string): void {
  const { state } = ctx
  leaveAll(ctx)
  state.hold = null
  state.phase = 'ended'
  state.end = end
  state.message = message
  ctx.emitEvent('end', `${end}: ${message}`)
}

/** The run stands still no more; the time it did does not count. */
export function release(ctx: Context): void {
  const { state } = ctx
  if (!state.hold) return
  state.heldMs += state.runMs - state.hold.sinceMs
  state.hold = null
  for (const node of allNodes(state)) {
    const outcome = node.command?.outcome
    // Refused by the stop, so never sent: it is made anew.
    if (outcome?.outcome === 'refused' && outcome.code === 'STOPPED') delete node.command
  }
  forgetEvidence(ctx)
}

/**
 * After a time in which nobody looked: readings from before count no more, and with them what they have shown to be so for
 * some time.
 */
export function forgetEvidence(ctx: Context): void {
  for (const node of allNodes(ctx.state)) {
    node.seen = {}
    node.numbers['lookedActive'] = ctx.active
  }
}
