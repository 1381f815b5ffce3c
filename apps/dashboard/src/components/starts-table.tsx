import type { PlannedStart } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatDuration, formatTime } from '../format.ts'
import { formatMinute } from '../reservation.ts'
import { language, now, said, t } from '../store.ts'
import { kindOf, LATE_MS } from '../timeline.ts'
import { RunChip } from './run-chip.tsx'

const SHOWN = 20
/** A start is seldom exact to the millisecond; this much is on time, in ms. */
const ON_TIME_MS = 1000

/** The latest starts of a schedule: when planned, when begun, how late, and what became of them. */
export function StartsTable({ starts }: { starts: readonly PlannedStart[] }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('scheduleLatest')}</summary>
      {isOpen && starts.length === 0 && <p class="quiet">{t('scheduleNoStarts')}</p>}
      {isOpen && starts.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('schedulePlanned')}</th>
              <th scope="col">{t('scheduleLate')}</th>
              <th scope="col">{t('scheduleWhat')}</th>
            </tr>
          </thead>
          <tbody>
            {starts.slice(0, SHOWN).map((start) => (
              <tr key={start.plannedAt} data-start={start.plannedAt} data-kind={kindOf(start)}>
                <td class="time">{formatTime(start.plannedAt, now.value, language.value)}</td>
                <td class={(start.lateMs ?? 0) > LATE_MS ? 'late' : 'number'}>{lateInWords(start)}</td>
                <td>
                  <Became start={start} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  )
}

function lateInWords({ startedAt, lateMs = 0 }: PlannedStart): string {
  if (startedAt === undefined) return '—'
  return lateMs < ON_TIME_MS ? t('scheduleOnTime') : formatDuration(lateMs, language.value)
}

function Became({ start }: { start: PlannedStart }) {
  const { skipped, count, until, startedAt, finishedAt, end, run } = start
  if (skipped !== undefined) {
    return (
      <>
        {count === undefined || until === undefined
          ? t('scheduleSkipped', { reason: said(skipped) })
          : t('scheduleSkippedMany', {
              count,
              until: formatMinute(until, now.value, language.value),
              reason: said(skipped),
            })}
      </>
    )
  }
  const took = startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : null
  return (
    <>
      {finishedAt === undefined ? (
        <RunChip run={{ state: 'running' }} />
      ) : (
        <RunChip run={{ state: 'ended', ...(end === undefined ? {} : { end }) }} />
      )}{' '}
      {took !== null && (
        <span class="quiet">{t('runTook', { duration: formatDuration(took, language.value) })}</span>
      )}{' '}
      {run && <code>{run}</code>}
    </>
  )
}
