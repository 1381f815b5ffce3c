import { messageOf, type RunRequest } from '@golem/core'
import type { Context } from './context.ts'
import { leaveSequence, owedIn } from './leave.ts'
import { checkGiven, shown } from './parameters.ts'
import { allNodes, type EngineState, type StepNode } from './state.ts'
import { abortRun, endRun, release, toFinally, toStage } from './transitions.ts'
import type { EngineInput } from './types.ts'

/** Does what a person asks of a run, or says why not. */
export function doRequest(
  ctx: Context,
  event: Extract<EngineInput, { type: 'request' | 'parameters' }>,
): void {
  const { state } = ctx
  if (state.phase === 'ended') {
    return ctx.refuse(`The run has ended (${state.end ?? ''}); nothing can be asked of it any more.`)
  }
  if (event.type === 'parameters') return changeParameters(ctx, event)
  const { request, by } = event
  const why = whyNot(state, request)
  if (why !== null) return ctx.refuse(why)
  switch (request) {
    case 'pause':
      return ctx.hold('paused', `Paused by ${by}.`, by)
    case 'resume': {
      release(ctx)
      state.message = `Resumed by ${by}.`
      return ctx.emitEvent('go', state.message, by)
    }
    case 'stop':
      return stop(ctx, by)
    case 'abort':
      return abort(ctx, by)
    case 'skip':
      if (event.seen !== undefined && event.seen !== state.begun) {
        return ctx.refuse('The run has gone on since it was looked at: nothing was skipped.')
      }
      return skip(ctx, event.step, by)
    case 'reset':
      return reset(ctx, by)
    case 'ping':
      return ctx.emitEvent('ping', state.message, by)
    case 'kill':
      return endRun(ctx, 'killed', `Killed by ${by}; its outputs are as they were.`)
  }
}

/** Why a run that has not ended can't do this now, as a sentence. */
function whyNot({ phase, hold }: EngineState, request: RunRequest): string | null {
  if (request === 'ping' || request === 'kill') return null
  if (phase === 'waiting') {
    return request === 'stop' || request === 'abort'
      ? null
      : 'The run has not begun: it can be stopped, not more.'
  }
  if (phase === 'safe') return 'The run is being aborted: it can be killed, not more.'
  if (request === 'abort') return null
  if (request === 'resume') return hold ? null : 'The run is not paused.'
  if (phase === 'finally') {
    if (request === 'skip' && !hold) return null
    return 'The run is doing what its recipe wants done at the end: it can be aborted or killed, not more.'
  }
  if (request === 'pause' && hold?.kind === 'paused') return 'The run is paused already.'
  if (request === 'skip' && hold) return 'The run is paused: resume it first.'
  return null
}

function stop(ctx: Context, by: string): void {
  const message = `Stopped by ${by}.`
  if (ctx.state.phase === 'waiting') return endRun(ctx, 'stopped', `${message} It had not begun.`)
  ctx.emitEvent('go', message, by)
  toFinally(ctx, 'stopped', message)
}

function abort(ctx: Context, by: string): void {
  const message = `Aborted by ${by}.`
  if (ctx.state.phase === 'waiting') return endRun(ctx, 'aborted', `${message} It had not begun.`)
  ctx.emitEvent('go', message, by)
  abortRun(ctx, message)
}

/** Back to the first step, and paused there: outputs stay as they are. */
function reset(ctx: Context, by: string): void {
  const { state } = ctx
  // What recipes that were called want done at the end is still owed, whatever becomes of the run.
  if (state.current?.node) state.owed = [...owedIn(ctx, state.current.node), ...state.owed]
  leaveSequence(ctx, state.current)
  release(ctx)
  state.begun = 0
  toStage(ctx, 0)
  ctx.hold('paused', `Reset by ${by}: resume it to begin with the first step.`, by)
}

function skip(ctx: Context, wanted: number | undefined, by: string): void {
  const waiting = [...allNodes(ctx.state)].filter((node) => canSkip(ctx, node))
  const chosen = wanted === undefined ? waiting : waiting.filter(({ step }) => step === wanted)
  const [node] = chosen
  if (!node) return ctx.refuse('The run is at no step that waits: there is nothing to skip.')
  if (chosen.length > 1) {
    const steps = chosen.map(({ step }) => step).join(', ')
    return ctx.refuse(`Several steps wait (${steps}): say which is to be skipped.`)
  }
  node.skip = true
  const { name, verb } = ctx.stepAt(node.step)
  ctx.emitEvent('go', `${by} skipped ${name ?? verb}.`, by)
}

const WAITS = new Set(['wait', 'until', 'ramp', 'measure', 'control'])

/** Is it waiting for something that a person may leave out? */
export function canSkip(ctx: Pick<Context, 'stepAt'>, node: StepNode): boolean {
  const step = ctx.stepAt(node.step)
  if (node.leaving || node.skip) return false
  return WAITS.has(step.verb) || (step.verb === 'repeat' && !node.body)
}

function changeParameters(ctx: Context, { values, by }: Extract<EngineInput, { type: 'parameters' }>): void {
  const { state, program } = ctx
  let checked
  try {
    checked = checkGiven(program.parameters, values)
  } catch (error) {
    return ctx.refuse(messageOf(error))
  }
  for (const [name, value] of Object.entries(checked)) {
    const parameter = program.parameters[name]
    if (!parameter || JSON.stringify(value) === JSON.stringify(state.parameters[name])) continue
    const change = `${shown(parameter, state.parameters[name])} to ${shown(parameter, value)}`
    ctx.emitEvent('parameter', `${by} changed ${name} from ${change}.`, by)
    state.parameters[name] = value
  }
}
