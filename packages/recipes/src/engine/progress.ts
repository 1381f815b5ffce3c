import { isoTime, type RunProgress, type RunState, type Value } from '@golem/core'
import { LONGEST_MS, type Program } from '../recipe.ts'
import { contains } from './advance.ts'
import { keyOf } from './context.ts'
import { stepInWords } from './describe.ts'
import { Estimate } from './estimate.ts'
import { canSkip } from './requests.ts'
import { allNodes, type EngineState, type Sequence, type StepNode } from './state.ts'
import type { Now, RunStatus } from './types.ts'

type Values = Readonly<Record<string, Value>>

const ENDS: Readonly<Record<EngineState['phase'], RunState>> = {
  waiting: 'waiting',
  stages: 'running',
  finally: 'stopping',
  safe: 'stopping',
  ended: 'ended',
}

/** What records and pages want to know of a state. */
export function statusOf(program: Program, state: EngineState): RunStatus {
  const { phase, hold, end } = state
  const pending = [...allNodes(state)].flatMap(({ command }) =>
    command && !command.outcome ? [command.id] : [],
  )
  if (state.safe && !state.safe.outcome && phase === 'safe') pending.push(state.safe.id)
  return {
    state: hold ? hold.kind : ENDS[phase],
    message: state.message,
    ...(phase === 'ended' && end !== null ? { end } : {}),
    parameters: state.parameters,
    rows: state.rows,
    interruptions: state.interruptions,
    ...(hold?.choices ? { choices: hold.choices } : {}),
    isHeldByPolicy: hold?.byPolicy ?? false,
    inhibits: inhibitedIn(program, state),
    pending,
    at: leavesOf(program, state).map(({ node, values }) => ({
      step: node.step,
      doing: doingOf(program, node, values),
      waits: canSkip({ stepAt: (index) => stepAt(program, index) }, node),
    })),
  }
}

/** Alarms that its recipe wants nobody called by now; from the beginning of an abort on all of them call again. */
function inhibitedIn(program: Program, state: EngineState): string[] {
  if (state.phase !== 'stages' && state.phase !== 'finally') return []
  const stage = state.phase === 'stages' ? program.stages[state.stage] : undefined
  const inhibited = [
    program.inhibitAlarms,
    stage?.inhibitAlarms ?? [],
    ...[...allNodes(state)].map((node) => stepAt(program, node.step).inhibitAlarms ?? []),
  ]
  return [...new Set(inhibited.flat().map(keyOf))].sort()
}

/** Where a run is, and when it will end as far as that can be known. */
export function progressOf(
  program: Program,
  state: EngineState,
  now: Pick<Now, 'runMs' | 'utcMs'>,
): RunProgress {
  const runMs = Math.max(state.runMs, now.runMs)
  const active = (state.hold?.sinceMs ?? runMs) - state.heldMs
  const estimate = new Estimate(program, now.utcMs, active)
  const { parameters } = state
  const lists = [...program.stages.map((stage) => stage.steps), program.finally]
  const steps = estimate.countIn(lists.flat(), parameters)
  const left = msLeft(program, state, estimate)
  const elapsed = Math.max(0, active - (state.startedActive ?? active))
  const stage = state.phase === 'stages' ? program.stages[state.stage] : undefined
  return {
    stage: stage?.name ?? null,
    stageNumber: state.phase === 'waiting' ? 0 : Math.min(state.stage + 1, program.stages.length),
    stages: program.stages.length,
    step: state.begun,
    steps,
    doing: doing(program, state),
    fraction: fractionOf(state, steps, left, elapsed),
    endsAt: left === null || state.hold || state.phase === 'ended' ? null : isoTime(now.utcMs + left),
  }
}

function msLeft(program: Program, state: EngineState, estimate: Estimate): number | null {
  const { parameters } = state
  const parts: (number | null)[] = state.owed.map((owed) => estimate.msLeftOf(owed, parameters))
  if (state.phase === 'stages' && state.current) parts.push(estimate.msLeftIn(state.current, parameters))
  if (state.phase === 'waiting' || state.phase === 'stages') {
    const next = state.phase === 'waiting' ? 0 : state.stage + 1
    for (const { steps } of program.stages.slice(next)) parts.push(estimate.msOf(steps, parameters))
    parts.push(estimate.msOf(program.finally, parameters))
  }
  const left = parts.reduce((all, part) => (all === null || part === null ? null : all + part), 0)
  // A loop of a billion hours ends nowhere in a calendar.
  return left === null || left > LONGEST_MS ? null : left
}

function fractionOf(
  state: EngineState,
  steps: number | null,
  left: number | null,
  elapsed: number,
): number | null {
  if (state.phase === 'ended') return state.end === 'completed' ? 1 : null
  if (state.phase === 'waiting') return 0
  if (left !== null && elapsed + left > 0) return elapsed / (elapsed + left)
  return steps === null || steps === 0 ? null : Math.min(1, Math.max(0, state.begun - 1) / steps)
}

function doing(program: Program, state: EngineState): string {
  if (state.phase === 'waiting') return 'It has not begun.'
  if (state.phase === 'ended') return 'It has ended.'
  if (state.phase === 'safe') return 'Outputs are being brought to their safe state.'
  const what = leavesOf(program, state).map(({ node, values }) => doingOf(program, node, values))
  return what.length === 0 ? 'Nothing.' : what.join('; ')
}

function doingOf(program: Program, node: StepNode, values: Values): string {
  const step = stepAt(program, node.step)
  const what =
    step.verb === 'repeat' ? `between round ${node.count} and ${node.count + 1}` : stepInWords(step, values)
  const away = node.away ? ` (waits: ${node.away.message})` : ''
  return `${step.name === undefined ? '' : `${step.name}: `}${what}${away}`
}

/** The nodes under which nothing is under way, with the variables they see. */
function leavesOf(program: Program, state: EngineState): { node: StepNode; values: Values }[] {
  const found: { node: StepNode; values: Values }[] = []
  const visit = (sequence: Sequence | null | undefined, values: Values): boolean => {
    const node = sequence?.node
    if (!node) return false
    const step = stepAt(program, node.step)
    const isCall = step.verb === 'call'
    const inside = isCall ? (node.variables ?? values) : { ...values, ...node.variables }
    const parts = [node.body, ...(node.branches ?? [])].map((each) => visit(each, inside))
    for (const owed of node.leaving?.owed ?? []) parts.push(visit(owed.sequence, owed.variables ?? values))
    if (!parts.includes(true) && !(contains(step) && step.verb !== 'repeat' && step.verb !== 'if')) {
      found.push({ node, values })
    }
    return true
  }
  visit(state.current, state.parameters)
  for (const { sequence, variables } of state.owed) visit(sequence, variables ?? state.parameters)
  return found
}

function stepAt(program: Program, index: number): Program['steps'][number] {
  const step = program.steps[index]
  if (!step) throw new Error(`the program of ${program.recipe} has no step ${index}`)
  return step
}
