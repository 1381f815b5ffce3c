import type { RecipeDescription, RunRecord, ScheduleState } from '@golem/core'
import { useState } from 'preact/hooks'
import { endedRuns, goingOn } from '../runs.ts'
import { site, t } from '../store.ts'
import { EndedRun } from './ended-run.tsx'
import { usePage } from './page-context.ts'
import { RecipeList } from './recipe-list.tsx'
import { RunCard } from './run-card.tsx'
import { useListing } from './use-listing.ts'

/** Recipes are read anew when their files change, and roles find their instruments, in ms. */
const RECIPES_EVERY_MS = 10_000
const SCHEDULES_EVERY_MS = 5000
const ENDED_EVERY_MS = 30_000
const LISTED = 100
const SHOWN_AT_FIRST = 10

/** What runs, what can be started, and what has ended. */
export function RunsPanel() {
  const { automation } = usePage()
  const known = site.value?.runs ?? []
  const recipes = useListing(() => automation.recipes(), RECIPES_EVERY_MS, '')
  const schedules = useListing(() => automation.schedules(), SCHEDULES_EVERY_MS, '')
  const listed = useListing(() => automation.runs(LISTED), ENDED_EVERY_MS, '')
  const active = goingOn(known)
  const ended = endedRuns(known, listed.rows ?? [])
  return (
    <div class="runs">
      <section aria-labelledby="runs-now" data-part="going-on">
        <h2 id="runs-now">{t('runsNow')}</h2>
        {active.length === 0 && <p class="quiet">{t('runsNone')}</p>}
        <div class="run-cards">
          {active.map((run) => (
            <RunCard key={run.id} run={run} recipe={recipeOf(run, recipes.rows)} />
          ))}
        </div>
      </section>
      <section aria-labelledby="runs-recipes">
        <h2 id="runs-recipes">{t('recipes')}</h2>
        {recipes.error && <p class="error">{t('loadFailed', { message: recipes.error })}</p>}
        {recipes.rows === null ? (
          !recipes.error && <p class="quiet">{t('loading')}</p>
        ) : (
          <RecipeList recipes={recipes.rows} schedules={schedules.rows ?? NO_SCHEDULES} active={active} />
        )}
      </section>
      <Ended runs={ended} recipes={recipes.rows} error={listed.error} isLoaded={listed.rows !== null} />
    </div>
  )
}

const NO_SCHEDULES: readonly ScheduleState[] = []

interface EndedProps {
  runs: readonly RunRecord[]
  recipes: readonly RecipeDescription[] | null
  error: string
  isLoaded: boolean
}

function Ended({ runs, recipes, error, isLoaded }: EndedProps) {
  const [count, setCount] = useState(SHOWN_AT_FIRST)
  return (
    <section aria-labelledby="runs-ended" data-part="ended">
      <h2 id="runs-ended">{t('runsEnded')}</h2>
      {error && <p class="error">{t('loadFailed', { message: error })}</p>}
      {runs.length === 0 && isLoaded && <p class="quiet">{t('runsEndedNone')}</p>}
      <ul class="ended-runs">
        {runs.slice(0, count).map((run) => (
          <EndedRun key={run.id} run={run} recipe={recipeOf(run, recipes)} />
        ))}
      </ul>
      {runs.length > count && (
        <button type="button" onClick={() => setCount(count + 3 * SHOWN_AT_FIRST)}>
          {t('runsMore')}
        </button>
      )}
    </section>
  )
}

function recipeOf(
  run: RunRecord,
  recipes: readonly RecipeDescription[] | null,
): RecipeDescription | undefined {
  return recipes?.find(({ id }) => id === run.recipe)
}
