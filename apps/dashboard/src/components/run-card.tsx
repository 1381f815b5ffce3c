import type { RecipeDescription, RunRecord } from '@golem/core'
import { useId } from 'preact/hooks'
import { formatDuration, formatTime } from '../format.ts'
import { ageMs } from '../model.ts'
import { language, now, said, t } from '../store.ts'
import { AskHow, RunButtons } from './run-buttons.tsx'
import { RunChip } from './run-chip.tsx'
import { RunParameters } from './run-parameters.tsx'
import { RunProgressPart } from './run-progress.tsx'
import { RunRows } from './run-rows.tsx'

/** A scheduler writes the record of each run at least once a minute. */
const QUIET_MS = 90_000

/** A run that goes on: how far it is, what it does, and what can be asked of it. */
export function RunCard({ run, recipe }: { run: RunRecord; recipe: RecipeDescription | undefined }) {
  const titleId = useId()
  const { interruptions, state } = run
  const { stage } = run.progress
  // That it has begun a stage is said by the stages.
  const isSaid = state === 'running' && stage !== null && run.message.includes(stage)
  const message = isSaid ? '' : run.message
  return (
    <article class="run" aria-labelledby={titleId} data-run={run.id} data-state={state}>
      <header>
        <h3 id={titleId}>
          {run.label} <code>{run.id}</code>
        </h3>
        <RunChip run={run} />
      </header>
      <p class="detail">
        <StartedBy run={run} />
        {run.note && <span class="note"> · {run.note}</span>}
      </p>
      {state === 'asking' && <AskHow run={run} />}
      <RunProgressPart run={run} stages={recipe?.stages} />
      {message && state !== 'asking' && (
        <p class="sentence" data-part="message">
          {said(message)}
        </p>
      )}
      {run.inhibits && (
        <p class="sentence" data-part="inhibits">
          {t('runInhibits', { names: run.inhibits.join(', ') })}
        </p>
      )}
      {interruptions.count > 0 && (
        <p class="sentence" data-part="interruptions">
          {t('runInterrupted', {
            count: interruptions.count,
            duration: formatDuration(interruptions.ms, language.value),
          })}
        </p>
      )}
      <Silence run={run} />
      <RunButtons run={run} />
      <RunParameters run={run} recipe={recipe} />
      {run.rows > 0 && <RunRows run={run} />}
    </article>
  )
}

/** Who started it and when. */
export function StartedBy({ run }: { run: RunRecord }) {
  const { by, startedAt, submittedAt } = run
  const at = formatTime(startedAt ?? submittedAt, now.value, language.value)
  return <>{t(startedAt === undefined ? 'runSubmittedBy' : 'runBy', { by, at })}</>
}

function Silence({ run }: { run: RunRecord }) {
  const age = ageMs(run.seenAt, now.value)
  if (age === null || age < QUIET_MS || run.state === 'paused' || run.state === 'waiting') return null
  return (
    <p class="sentence warning" data-part="quiet">
      {t('runQuiet', { age: formatDuration(age, language.value) })}
    </p>
  )
}
