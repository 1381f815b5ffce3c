import { formatDuration } from '@golem/config'
import type { Outcome } from '@golem/core'
import type { Program, RestartPolicy } from '../recipe.ts'
import { advanceOwed, advanceSequence, scopeOf } from './advance.ts'
import { Context } from './context.ts'
import { checkParameters } from './parameters.ts'
import { doRequest } from './requests.ts'
import { allNodes, type EngineState, type Sequence } from './state.ts'
import { abortRun, endRun, failRun, forgetEvidence, toStage } from './transitions.ts'
import type { EngineInput, StepResult } from './types.ts'

/** For so long an abort waits to hear that the outputs are in their safe state, in ms. */
const SAFE_MS = 60_000
/** After an interruption steps have this long to look around before a time limit ends them, in ms. */
const GRACE_MS = 10_000

/**
 * The state of a run that has not begun.
 *
 * @param run - its id: the ids of all its effects begin with it
 * @throws UNKNOWN_NAME, WRONG_TYPE, OUT_OF_RANGE, INVALID_REQUEST for parameters that do not fit
 */
export function begin(
  program: Program,
  { run, parameters }: { run: string; parameters: Readonly<Record<string, unknown>> },
): EngineState {
  return {
    version: 1,
    run,
    phase: 'waiting',
    end: null,
    message: 'It has not begun.',
    hold: null,
    parameters: checkParameters(program.parameters, parameters),
    counter: 0,
    heldMs: 0,
    runMs: 0,
    startedActive: null,
    graceActive: 0,
    interruptions: { count: 0, ms: 0 },
    rows: 0,
    begun: 0,
    stage: 0,
    current: null,
    owed: [],
    withdrawn: [],
    safe: null,
  }
}

/**
 * Takes a run one event further.
 *
 * @returns the new state, to be persisted before the effects are carried out; the state that was given is not changed
 */
export function step(program: Program, state: EngineState, input: EngineInput): StepResult {
  const ctx = new Context(program, state, input.now)
  const { withdrawn } = ctx.state
  ctx.state.withdrawn = []
  // To withdraw a command a second time does no harm; one that nobody withdrew would be sent after all.
  if (input.type === 'interrupted') for (const command of withdrawn) ctx.withdraw(command)
  handle(ctx, input)
  if (!ctx.state.hold) goOn(ctx)
  return ctx.result()
}

function handle(ctx: Context, event: EngineInput): void {
  const { state } = ctx
  switch (event.type) {
    case 'tick':
      return
    case 'start':
      if (state.phase !== 'waiting') return
      state.startedActive = ctx.active
      state.phase = 'stages'
      return toStage(ctx, 0)
    case 'outcome':
      return takeOutcome(state, event.id, event.outcome)
    case 'request':
    case 'parameters':
      return doRequest(ctx, event)
    case 'halt':
      if (state.phase !== 'stages' && state.phase !== 'finally') return
      return ctx.hold('paused', `${event.reason} Release the stop, then resume, stop or abort the run.`)
    case 'fail':
      if (state.phase === 'waiting') return endRun(ctx, 'failed', event.reason)
      return failRun(ctx, event.reason)
    case 'interrupted':
      return afterInterruption(ctx, event)
  }
}

function takeOutcome(state: EngineState, id: string, outcome: Outcome): void {
  if (state.safe?.id === id) state.safe.outcome = outcome
  for (const { command } of allNodes(state)) {
    if (command?.id === id) command.outcome = outcome
  }
}

/** Does whatever can be done now. */
function goOn(ctx: Context): void {
  const { state } = ctx
  while (state.phase === 'stages' && state.current && !state.hold) {
    const advance = advanceSequence(ctx, state.current, scopeOf(ctx, null))
    if (advance === 'busy') return
    if (advance === 'done') toStage(ctx, state.stage + 1)
    else failRun(ctx, advance.failed)
  }
  if (state.phase === 'finally' && !state.hold) {
    const advance = advanceOwed(ctx, state.owed, (message) => failRun(ctx, message))
    if (advance === 'done' && state.end) endRun(ctx, state.end, state.message)
  }
  if (state.phase === 'safe') awaitSafe(ctx)
}

function awaitSafe(ctx: Context): void {
  const { state } = ctx
  const { safe } = state
  if (!safe || safe.unsent) {
    state.safe = { id: ctx.emitSafe(), sinceActive: ctx.active }
    ctx.wakeIn(SAFE_MS)
    return
  }
  const left = safe.sinceActive + SAFE_MS - ctx.active
  if (!safe.outcome && left > 0) return ctx.wakeIn(left)
  const { outcome } = safe
  if (outcome?.outcome === 'done') return endRun(ctx, 'aborted', state.message)
  const why = outcome?.message ?? (outcome ? outcome.outcome : 'there was no answer')
  endRun(ctx, 'aborted', `${state.message} It is not certain that all outputs are safe: ${why}.`)
}

/** The safest first: where several steps are under way, the first that one of them names holds. */
const STRICTEST: readonly RestartPolicy[] = ['safe', 'ask', 'hold', 'resume']

function afterInterruption(ctx: Context, event: Extract<EngineInput, { type: 'interrupted' }>): void {
  const { state } = ctx
  if (state.phase === 'ended') return
  state.interruptions.count++
  state.interruptions.ms += event.gapMs
  for (const node of allNodes(state)) {
    if (node.command && !node.command.outcome && event.notSent.includes(node.command.id)) {
      node.command.unsent = true
    }
  }
  // What still waited may have been sent behind the safe state: it is asked for again, handed over or not.
  if (state.safe) state.safe.unsent = true
  forgetEvidence(ctx)
  state.graceActive = ctx.active + GRACE_MS
  const gap = `Interrupted for ${formatDuration(Math.round(event.gapMs))} (${event.cause})`
  const policy = state.hold || state.phase === 'waiting' || state.phase === 'safe' ? null : policyOf(ctx)
  const then = {
    resume: 'it goes on',
    hold: 'it is paused',
    ask: 'it asks how to go on',
    safe: 'it is aborted',
  }
  ctx.emitEvent('interruption', `${gap}; ${policy === null ? 'it stays as it was' : then[policy]}.`)
  if (policy === 'hold') {
    ctx.hold('paused', `${gap}; the step it was at wants it held then.`)
    if (state.hold) state.hold.byPolicy = true
  }
  if (policy === 'ask') ctx.hold('asking', `${gap}. Resume, stop or abort it?`)
  if (policy === 'safe') abortRun(ctx, `${gap}; the step it was at wants it aborted then.`)
}

function policyOf(ctx: Context): RestartPolicy {
  // What has to be done at the end is done, unless one of these very steps says otherwise.
  const base = ctx.state.phase === 'finally' ? 'resume' : ctx.program.onRestart
  const sequences =
    ctx.state.phase === 'finally' ? ctx.state.owed.map((owed) => owed.sequence) : [ctx.state.current]
  const found = sequences.flatMap((sequence) => policiesIn(ctx, sequence, base))
  return STRICTEST.find((policy) => found.includes(policy)) ?? base
}

function policiesIn(
  ctx: Context,
  sequence: Sequence | null | undefined,
  around: RestartPolicy,
): RestartPolicy[] {
  const node = sequence?.node
  if (!node) return []
  const own = ctx.stepAt(node.step).onRestart ?? around
  const inside = [
    node.body,
    ...(node.branches ?? []),
    ...(node.leaving?.owed ?? []).map((owed) => owed.sequence),
  ]
  const found = inside.flatMap((each) => policiesIn(ctx, each, own))
  return found.length > 0 ? found : [own]
}
