import { basename } from 'node:path'
import {
  checkSchema,
  type Fault,
  formatPath,
  parseYamlSource,
  type Path,
  readYamlSource,
  type YamlSource,
} from '@golem/config'
import type { Inhibited, Place, Recipe, Step } from '../recipe.ts'
import { buildParameters } from './build-parameters.ts'
import { StepsBuilder } from './build-steps.ts'
import { Values } from './build-values.ts'
import type { RawRecipe } from './raw.ts'
import type { Report } from './report.ts'
import { RECIPE_SCHEMA } from './schema.ts'
import { variablesOf } from './variables.ts'

/** A recipe that was read. */
export interface ReadRecipe {
  /** Of the recipe: the name of its file without `.yaml`. */
  id: string
  /** null when anything is wrong with the file. */
  recipe: Recipe | null
  faults: readonly Fault[]
}

/** More than this in each other is no recipe, and more than checking can bear. */
const DEEPEST_DATA = 120

/** Reads a recipe file. Never throws: whatever is wrong is in `faults`, each with its line. */
export function readRecipeFile(file: string): ReadRecipe {
  return read(file, readYamlSource(file))
}

/**
 * Reads a recipe from a text. Never throws.
 *
 * @param file - what it is called; its name without `.yaml` is the recipe's id
 */
export function readRecipeText(file: string, text: string): ReadRecipe {
  return read(file, parseYamlSource(file, text))
}

function read(file: string, source: YamlSource): ReadRecipe {
  const id = basename(file).replace(/\.ya?ml$/, '')
  const faults: Fault[] = [...source.faults]
  const report: Report = (path, message, at) => {
    faults.push({ file, ...source.locate(path, at), path: formatPath(path), message })
  }
  const { data } = source
  const give = (recipe: Recipe | null): ReadRecipe => {
    faults.sort((a, b) => a.line - b.line || a.column - b.column)
    return { id, recipe: faults.length === 0 ? recipe : null, faults }
  }
  if (faults.length > 0) return give(null)
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(id)) {
    report([], `The file's name is the recipe's id: a-z, 0-9 and -, at most 63. "${id}" is none.`)
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    report([], 'The file is no table with "label", "stages" and so on.')
    return give(null)
  }
  if (depthOf(data) > DEEPEST_DATA) {
    report([], 'The file has too much in each other to be a recipe.')
    return give(null)
  }
  const faulty: Path[] = []
  for (const fault of checkSchema(data, RECIPE_SCHEMA)) {
    faulty.push(fault.path)
    report(fault.path, fault.message, fault.at)
  }
  const endless = (place: Place, message: string): void => {
    faults.push({ file, ...place, path: 'finally', message })
  }
  return give(build(id, file, data as RawRecipe, source, report, faulty, endless))
}

function build(
  id: string,
  file: string,
  raw: RawRecipe,
  source: YamlSource,
  report: Report,
  faulty: readonly Path[],
  endless: (place: Place, message: string) => void,
): Recipe {
  const parameters = buildParameters(raw.parameters ?? {}, ['parameters'], report)
  const variables = variablesOf(parameters)
  const builder = new StepsBuilder(
    new Values(report),
    (path) => source.locate(path),
    (path) => faulty.some((fault) => path.every((step, index) => fault[index] === step)),
  )
  const inhibited = (names: RawRecipe['inhibitAlarms'], path: Path): Inhibited[] =>
    (names ?? []).flatMap((name, index) => {
      if (name === undefined) return []
      const [instrument = '', ...rest] = name.split('.')
      return [{ instrument, name: rest.join('.'), place: source.locate([...path, index]) }]
    })
  const stages = (raw.stages ?? []).flatMap((stage, index) =>
    stage === undefined
      ? []
      : [
          {
            name: stage.name ?? '',
            steps: builder.list(stage.steps, ['stages', index, 'steps'], variables),
            inhibitAlarms: inhibited(stage.inhibitAlarms, ['stages', index, 'inhibitAlarms']),
          },
        ],
  )
  const before = builder.steps.length
  const last = builder.list(raw.finally, ['finally'], variables)
  for (const step of builder.steps.slice(before)) {
    const why = whyEndless(step)
    if (why !== null) endless(step.place, why)
  }
  const roles = Object.entries(raw.instruments ?? {}).flatMap(([name, role]) =>
    role === undefined ? [] : [[name, { label: role.label ?? name, default: role.default ?? '' }] as const],
  )
  return {
    id,
    label: raw.label ?? id,
    ...(raw.note === undefined ? {} : { note: raw.note }),
    file,
    parameters,
    roles: Object.fromEntries(roles),
    steps: builder.steps,
    stages,
    finally: last,
    inhibitAlarms: inhibited(raw.inhibitAlarms, ['inhibitAlarms']),
    ...(raw.onRestart === undefined ? {} : { onRestart: raw.onRestart }),
  }
}

/** What is to be done at the end has to come to an end: why this step may not. */
function whyEndless(step: Step): string | null {
  const end = step.verb === 'repeat' || step.verb === 'control' ? step.end : undefined
  const forever = end !== undefined && !('forMs' in end) && !('times' in end)
  const waits = step.verb === 'until' || forever
  if (!waits || step.timeoutMs !== undefined) return null
  return `What is done at the end has to end by itself. Give this ${step.verb} a "timeout".`
}

function depthOf(data: unknown): number {
  let depth = 0
  let level: unknown[] = [data]
  while (level.length > 0 && depth <= DEEPEST_DATA) {
    depth++
    level = level.flatMap((each) =>
      typeof each === 'object' && each !== null ? (Object.values(each) as unknown[]) : [],
    )
  }
  return depth
}
