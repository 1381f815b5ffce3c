import type { RunRecord } from '@golem/core'
import { formatDuration } from '../format.ts'
import { formatMinute } from '../reservation.ts'
import { fractionAt, msLeft } from '../runs.ts'
import { language, now, said, t } from '../store.ts'

interface RunProgressProps {
  run: RunRecord
  /** Names of the stages; absent: not known. */
  stages: readonly string[] | undefined
}

/** How far a run is: the bar, its stages, the step, what it does now and when it ends. */
export function RunProgressPart({ run, stages }: RunProgressProps) {
  const { progress } = run
  const hasBegun = run.state !== 'waiting'
  const fraction = fractionAt(run, now.value)
  const percent = fraction === null ? null : Math.floor(fraction * 100)
  return (
    <div class="progress" data-part="progress">
      <div class="bar">
        {percent === null ? (
          <progress aria-label={t('runProgress', { name: run.label })} />
        ) : (
          <progress max={100} value={percent} aria-label={t('runProgress', { name: run.label })} />
        )}
        <span class="percent" aria-hidden="true">
          {percent === null ? '—' : `${percent} %`}
        </span>
      </div>
      {stages !== undefined && stages.length > 1 && <Stages run={run} stages={stages} />}
      <p class="where">
        <span data-part="stage">{stageInWords(run)}</span>
        {hasBegun && (
          <span data-part="step">
            {progress.steps === null
              ? t('runStep', { step: progress.step })
              : t('runStepOf', { step: progress.step, steps: progress.steps })}
          </span>
        )}
        <EndsAt run={run} />
      </p>
      {hasBegun && (
        <p class="doing" data-part="doing">
          {t('runDoes', { doing: said(progress.doing) })}
        </p>
      )}
    </div>
  )
}

function stageInWords({ state, progress: { stage, stageNumber, stages } }: RunRecord): string {
  if (stage !== null) return t('runStage', { number: stageNumber, count: stages, name: stage })
  return state === 'stopping' ? t('runFinally') : ''
}

function EndsAt({ run }: { run: RunRecord }) {
  if (run.state !== 'running' && run.state !== 'stopping') return null
  const left = msLeft(run, now.value)
  const { endsAt } = run.progress
  return (
    <span data-part="ends">
      {left === null || endsAt === null
        ? t('runNoEnd')
        : t('runEndsAt', {
            at: formatMinute(endsAt, now.value, language.value),
            left: formatDuration(left, language.value),
          })}
    </span>
  )
}

function Stages({ run, stages }: { run: RunRecord; stages: readonly string[] }) {
  const { stage, stageNumber } = run.progress
  const isOver = stage === null && run.state === 'stopping'
  return (
    <ol class="stages" aria-label={t('runStageList', { name: run.label })}>
      {stages.map((name, index) => {
        const number = index + 1
        const isNow = stage !== null && number === stageNumber
        // A run that is stopped early did not do the stages after the one it was at; which one that was is not told.
        const isDone = !isOver && number < stageNumber
        return (
          <li
            key={name}
            class={isNow ? 'now' : isDone ? 'done' : ''}
            aria-current={isNow ? 'step' : undefined}
          >
            {name}
            {isDone && <span class="hidden"> ({t('runStageDone')})</span>}
          </li>
        )
      })}
    </ol>
  )
}
