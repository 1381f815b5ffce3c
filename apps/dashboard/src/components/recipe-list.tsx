import type { RecipeDescription, RunRecord, ScheduleState } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatDuration } from '../format.ts'
import { formatMinute } from '../reservation.ts'
import { allBlockedReason, language, now, session, t } from '../store.ts'
import { StartDialog } from './start-dialog.tsx'

interface RecipeListProps {
  recipes: readonly RecipeDescription[]
  schedules: readonly ScheduleState[]
  /** Runs that go on. */
  active: readonly RunRecord[]
}

/** What can be started, and when it will start by itself. */
export function RecipeList({ recipes, schedules, active }: RecipeListProps) {
  if (recipes.length === 0) return <p class="quiet">{t('recipesNone')}</p>
  return (
    <ul class="recipes">
      {recipes.map((recipe) => (
        <Recipe
          key={recipe.id}
          recipe={recipe}
          next={nextOf(recipe, schedules)}
          isGoingOn={active.some((run) => run.recipe === recipe.id)}
        />
      ))}
    </ul>
  )
}

/** The earliest planned start of a recipe, ISO 8601 UTC; null: none is planned. */
function nextOf({ id }: RecipeDescription, schedules: readonly ScheduleState[]): string | null {
  const starts = schedules.filter(({ recipe }) => recipe === id).flatMap(({ next }) => next.slice(0, 1))
  return starts.toSorted()[0] ?? null
}

interface RecipeProps {
  recipe: RecipeDescription
  next: string | null
  isGoingOn: boolean
}

function Recipe({ recipe, next, isGoingOn }: RecipeProps) {
  const [isStarting, setStarting] = useState(false)
  const { id, label, note, faults, kind } = recipe
  const blocked = allBlockedReason()
  return (
    <li class="recipe" data-recipe={id}>
      <div class="about">
        <h3>
          {label} <code>{id}</code> {kind === 'code' && <span class="chip off plain">{t('runCode')}</span>}{' '}
          {isGoingOn && <span class="detail">{t('runGoesOn')}</span>}
        </h3>
        {note && <p class="detail">{note}</p>}
        {next !== null && <NextStart at={next} />}
        {faults.length > 0 && (
          <div class="wrong" data-part="faults">
            <p>{t('runFaults')}</p>
            <ul>
              {faults.map((fault) => (
                <li key={fault}>{fault}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
      {session.value?.role !== 'viewer' && (
        <button
          type="button"
          data-role="start"
          disabled={faults.length > 0 || blocked !== null}
          title={blocked ?? undefined}
          aria-label={t('runStartLabel', { name: label })}
          onClick={() => setStarting(true)}
        >
          {t('runStart')}
        </button>
      )}
      {isStarting && <StartDialog recipe={recipe} onClose={() => setStarting(false)} />}
    </li>
  )
}

function NextStart({ at }: { at: string }) {
  const left = now.value === null ? 0 : Date.parse(at) - now.value
  const time = formatMinute(at, now.value, language.value)
  return (
    <p class="detail" data-part="next">
      {left > 0
        ? t('runNext', { at: time, left: formatDuration(left, language.value) })
        : t('runNextLate', { at: time })}
    </p>
  )
}
