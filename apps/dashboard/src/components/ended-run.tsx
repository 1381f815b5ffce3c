import type { RecipeDescription, RunRecord } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatDuration, formatTime } from '../format.ts'
import { language, now, said, t } from '../store.ts'
import { StartedBy } from './run-card.tsx'
import { RunChip } from './run-chip.tsx'
import { RunParameters } from './run-parameters.tsx'
import { RunRows } from './run-rows.tsx'

/** A run that has ended: how, when and why; what it was started with and what it has measured when one asks. */
export function EndedRun({ run, recipe }: { run: RunRecord; recipe: RecipeDescription | undefined }) {
  const [isOpen, setOpen] = useState(false)
  const { startedAt, endedAt, interruptions } = run
  const took = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null
  return (
    <li data-run={run.id} data-end={run.end}>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="when">{formatTime(endedAt ?? run.submittedAt, now.value, language.value)}</span>
          <span class="name">{run.label}</span>
          <RunChip run={run} />
        </summary>
        {isOpen && (
          <div class="more">
            <Message run={run} />
            <p class="detail">
              <code>{run.id}</code> <StartedBy run={run} />
              {took !== null && ` · ${t('runTook', { duration: formatDuration(took, language.value) })}`}
              {run.note && ` · ${run.note}`}
            </p>
            {interruptions.count > 0 && (
              <p class="detail">
                {t('runInterrupted', {
                  count: interruptions.count,
                  duration: formatDuration(interruptions.ms, language.value),
                })}
              </p>
            )}
            <RunParameters run={run} recipe={recipe} />
            {run.rows > 0 && <RunRows run={run} />}
          </div>
        )}
      </details>
      {!isOpen && <Message run={run} />}
    </li>
  )
}

function Message({ run }: { run: RunRecord }) {
  return (
    <p class="detail" data-part="message">
      {said(run.message)}
      {run.rows > 0 && ` ${t('rowsCount', { count: run.rows })}`}
    </p>
  )
}
