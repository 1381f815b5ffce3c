import type { RunRecord } from '@golem/core'
import { formatTime } from '../format.ts'
import { language, t } from '../store.ts'

interface ComparePickerProps {
  /** Newest first. */
  runs: readonly RunRecord[]
  /** Two ids, or none. */
  chosen: readonly string[]
  onChange: (runs: readonly string[]) => void
}

/** Two runs of one recipe, to be drawn over each other from their starts on. */
export function ComparePicker({ runs, chosen, onChange }: ComparePickerProps) {
  const started = runs.filter(({ startedAt }) => startedAt !== undefined)
  const alone = new Map<string, number>()
  for (const { recipe } of started) alone.set(recipe, (alone.get(recipe) ?? 0) + 1)
  const comparable = started.filter(({ recipe }) => (alone.get(recipe) ?? 0) > 1)
  const first = comparable.find(({ id }) => id === chosen[0]) ?? comparable[0]
  if (!first) return <p class="quiet">{t('plotNoRuns')}</p>
  const others = comparable.filter(({ id, recipe }) => recipe === first.recipe && id !== first.id)
  const second = others.find(({ id }) => id === chosen[1]) ?? others[0]
  const chooseFirst = (id: string): void => {
    const recipe = comparable.find((run) => run.id === id)?.recipe
    const other = comparable.find((run) => run.recipe === recipe && run.id !== id)
    if (other) onChange([id, other.id])
  }
  return (
    <p class="compare" data-part="compare">
      <RunSelect
        label={t('plotRunA')}
        role="run-a"
        runs={comparable}
        value={first.id}
        onChange={chooseFirst}
      />
      <RunSelect
        label={t('plotRunB')}
        role="run-b"
        runs={others}
        value={second?.id ?? ''}
        onChange={(id) => onChange([first.id, id])}
      />
    </p>
  )
}

/** The two newest runs that can be compared; null: there are none. */
export function firstPair(runs: readonly RunRecord[]): readonly string[] | null {
  const started = runs.filter(({ startedAt }) => startedAt !== undefined)
  for (const { id, recipe } of started) {
    const other = started.find((run) => run.recipe === recipe && run.id !== id)
    if (other) return [id, other.id]
  }
  return null
}

interface RunSelectProps {
  label: string
  role: string
  runs: readonly RunRecord[]
  value: string
  onChange: (id: string) => void
}

function RunSelect({ label, role, runs, value, onChange }: RunSelectProps) {
  return (
    <label class="inline">
      {label}
      <select data-role={role} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {runs.map((run) => (
          <option key={run.id} value={run.id}>
            {runName(run)}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A run by its recipe and when it was started. */
export function runName({ label, startedAt, submittedAt }: RunRecord): string {
  return `${label}, ${formatTime(startedAt ?? submittedAt, null, language.value)}`
}
