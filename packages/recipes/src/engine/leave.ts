import type { Context } from './context.ts'
import { nodesOf, type Owed, type Sequence, type StepNode } from './state.ts'

/**
 * What calls at and below a step want done at the end, the innermost first. What is already under way goes on where it
 * is.
 */
export function owedIn(ctx: Context, node: StepNode): Owed[] {
  if (node.leaving) return node.leaving.owed
  const inside = [node.body, ...(node.branches ?? [])].flatMap((sequence) =>
    sequence?.node ? owedIn(ctx, sequence.node) : [],
  )
  const step = ctx.stepAt(node.step)
  if (step.verb !== 'call' || step.finally.length === 0 || !node.variables) return inside
  return [...inside, { call: node.step, variables: node.variables, sequence: null }]
}

/** Lets go of all a step has under way; lists of `finally` (see `owedIn`) are not touched. */
export function leave(ctx: Context, node: StepNode): void {
  if (!node.leaving) {
    ctx.cancelCommand(node)
    for (const sequence of [node.body, ...(node.branches ?? [])]) leaveSequence(ctx, sequence)
  }
  delete node.body
  delete node.branches
}

export function leaveSequence(ctx: Context, sequence: Sequence | null | undefined): void {
  if (sequence?.node) leave(ctx, sequence.node)
}

/** Cancels all that is under way, lists of `finally` included. */
export function leaveAll(ctx: Context): void {
  const { state } = ctx
  for (const sequence of [state.current, ...state.owed.map((owed) => owed.sequence)]) {
    for (const node of nodesOf(sequence)) ctx.cancelCommand(node)
  }
  state.current = null
  state.owed = []
}
