import { formatDuration } from '@golem/config'
import type { RecipeDescription, RecipeParameterDescription, RunRecord, RunRow, Value } from '@golem/core'
import { ageInWords, spanInWords, table, valueInWords } from '../format.ts'

/** A value of a recipe's parameter with its unit. */
export function parameterInWords(
  value: Value | undefined,
  parameter: RecipeParameterDescription | undefined,
): string {
  if (value === undefined) return ''
  if (parameter?.type === 'duration' && typeof value === 'number') {
    return value === 0 ? '0 s' : formatDuration(value)
  }
  const unit = parameter?.unit === undefined ? {} : { unit: parameter.unit }
  return valueInWords(value, unit)
}

/** What a run is at, as short as a table wants it. */
export function stateInWords({ state, end }: RunRecord): string {
  if (state !== 'ended') return state
  return end === 'completed' || end === 'stopped' ? end : (end ?? state).toUpperCase()
}

function shareOf({ progress: { fraction } }: RunRecord): string {
  return fraction === null ? '' : `${Math.floor(fraction * 100)} %`
}

/** Runs, one a line. @param nowMs - the site's clock */
export function runsTable(runs: readonly RunRecord[], nowMs: number): Promise<string> {
  return table([
    ['run', 'recipe', 'is', 'done', 'begun', 'by', 'at'],
    ...runs.map((run) => [
      run.id,
      run.recipe,
      stateInWords(run),
      shareOf(run),
      ageInWords(run.startedAt ?? run.submittedAt, nowMs),
      run.by,
      run.state === 'ended' ? run.message : whereIs(run),
    ]),
  ])
}

/** Where a run is that goes on, or why it does not. */
export function whereIs({ state, message, progress }: RunRecord): string {
  if (state === 'waiting' || state === 'paused' || state === 'asking') return message
  return progress.stage === null ? progress.doing : `${progress.stage}: ${progress.doing}`
}

/** All there is to a run, one fact a line. @param nowMs - the site's clock */
export function runInWords(run: RunRecord, recipe: RecipeDescription | undefined, nowMs: number): string {
  const { progress, interruptions } = run
  const lines = [
    `run ${run.id} of ${run.label} (${run.recipe}): ${stateInWords(run)}`,
    `  ${run.message}`,
    `  started by ${run.by} ${ageInWords(run.startedAt ?? run.submittedAt, nowMs)}${run.note === undefined ? '' : ` (${run.note})`}`,
  ]
  if (run.state !== 'ended') {
    const step = progress.steps === null ? `${progress.step}` : `${progress.step} of ${progress.steps}`
    if (progress.stage !== null) {
      lines.push(
        `  stage ${progress.stageNumber} of ${progress.stages}: ${progress.stage}, step ${step} begun`,
      )
    }
    lines.push(`  now: ${progress.doing}`)
    if (progress.endsAt !== null) {
      lines.push(`  ends in ${spanInWords(Date.parse(progress.endsAt) - nowMs)} if nothing comes in between`)
    }
  } else if (run.endedAt !== undefined) lines.push(`  ended ${ageInWords(run.endedAt, nowMs)}`)
  if (run.choices) lines.push(`  it asks: golem runs ${run.choices.join(' | ')} ${run.id}`)
  for (const [role, instrument] of Object.entries(run.instruments ?? {}))
    lines.push(`  ${role} is ${instrument}`)
  for (const [name, value] of Object.entries(run.parameters)) {
    lines.push(`  ${name} = ${parameterInWords(value, recipe?.parameters[name])}`)
  }
  if (run.inhibits) lines.push(`  nobody is called by ${run.inhibits.join(', ')}`)
  if (interruptions.count > 0) {
    const times = interruptions.count === 1 ? 'once' : `${interruptions.count} times`
    lines.push(`  interrupted ${times}, for ${spanInWords(interruptions.ms)} in all`)
  }
  if (run.rows > 0) lines.push(`  ${run.rows} rows measured: golem runs rows ${run.id} --csv`)
  return lines.join('\n')
}

/** What a recipe takes, for the list of recipes. */
function takesInWords({ parameters }: RecipeDescription): string {
  return Object.entries(parameters)
    .map(([name, parameter]) =>
      parameter.default === undefined ? name : `${name}=${parameterInWords(parameter.default, parameter)}`,
    )
    .join(' ')
}

export function recipesTable(recipes: readonly RecipeDescription[]): Promise<string> {
  return table([
    ['recipe', 'label', 'roles', 'parameters', ''],
    ...recipes.map((recipe) => [
      recipe.id,
      recipe.label,
      Object.entries(recipe.roles)
        .map(([role, { default: id }]) => `${role}=${id ?? '?'}`)
        .join(' '),
      takesInWords(recipe),
      recipe.faults.length === 0 ? '' : `can't be started: ${recipe.faults[0] ?? ''}`,
    ]),
  ])
}

/** Rows of a run's table for people. */
export function rowsTable(rows: readonly RunRow[]): Promise<string> {
  const names = [
    ...new Set(rows.flatMap(({ variables, values }) => [...Object.keys(variables), ...Object.keys(values)])),
  ]
  return table([
    ['at', 'table', 'samples', ...names],
    ...rows.map(({ at, table: of, samples, values, variables }) => [
      at,
      of,
      String(samples),
      ...names.map((name) => valueInWords(values[name] ?? variables[name] ?? null)),
    ]),
  ])
}
