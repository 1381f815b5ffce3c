import type { SchedulerWrite } from '@golem/queue'
import type { Effect, EngineState } from '@golem/recipes'
import type { StoredRun } from './stored-run.ts'

/** What of an effect belongs into Redis together with the state. */
export function written({ id: run, by }: StoredRun, effect: Effect): SchedulerWrite[] {
  switch (effect.type) {
    case 'row':
      return [{ op: 'row', run, value: effect.row }]
    case 'event':
      return [
        { op: 'event', kind: 'run', by: effect.by ?? by, run, message: `run ${run}: ${effect.message}` },
      ]
    case 'refused':
      return [{ op: 'event', kind: 'run', by, run, message: `run ${run}: not done: ${effect.message}` }]
    case 'command':
    case 'cancel':
    case 'safe':
      return []
  }
}

/** Has nothing but time passed? */
export function isSameButTime(before: EngineState, after: EngineState): boolean {
  return (
    before === after || JSON.stringify({ ...before, runMs: 0 }) === JSON.stringify({ ...after, runMs: 0 })
  )
}
