import type { SchedulerWrite } from '@golem/queue'
import type { Effect, EngineState, Program } from '@golem/recipes'
import type { StoredRun } from './stored-run.ts'

/** What of an effect belongs into Redis together with the state. */
export function written({ id: run, by, program, state }: StoredRun, effect: Effect): SchedulerWrite[] {
  const where = { run, ...stageOf(program, state) }
  switch (effect.type) {
    case 'row':
      return [{ op: 'row', run, value: effect.row }]
    case 'event':
      return [
        { op: 'event', kind: 'run', by: effect.by ?? by, ...where, message: `run ${run}: ${effect.message}` },
      ]
    case 'refused':
      return [{ op: 'event', kind: 'run', by, ...where, message: `run ${run}: not done: ${effect.message}` }]
    case 'command':
    case 'cancel':
    case 'safe':
      return []
  }
}

/** The stage that a run is at, by number and name as the log has it; none before the first and after the last. */
export function stageOf(program: Program, state: EngineState): { stage?: string } {
  const stage = state.phase === 'stages' ? program.stages[state.stage] : undefined
  return stage === undefined ? {} : { stage: `${state.stage + 1}: ${stage.name}` }
}

/** Has nothing but time passed? */
export function isSameButTime(before: EngineState, after: EngineState): boolean {
  return (
    before === after || JSON.stringify({ ...before, runMs: 0 }) === JSON.stringify({ ...after, runMs: 0 })
  )
}
