import { describeFault, type Fault } from '@golem/config'
import type { CodeDeclaration, RecipeDescription } from '@golem/core'
import { basename } from 'node:path'
import type { Descriptions } from '../language/check.ts'
import { link } from '../language/link.ts'
import { describeRecipe, faultsOfRecipe } from '../language/load.ts'
import { type ReadRecipe, readRecipeText } from '../language/read.ts'
import type { Program, Recipe, Step } from '../recipe.ts'

/** What the process of a recipe in code may use. */
export interface CodeLimits {
  memoryMb: number
}

/** A recipe in code, as far as it is data. */
export interface ReadCode extends ReadRecipe {
  /** As they are declared: ids of instruments, or roles. */
  commands: readonly string[]
  reads: readonly string[]
  stages: readonly string[]
  limits: CodeLimits
}

/** In a run the whole of the program is one step, the first: an action of this name that the scheduler carries out itself. */
export const PROGRAM_STEP = { index: 0, instrument: 'program', action: 'run' } as const

const KEYS: Readonly<Record<keyof CodeDeclaration, true>> = {
  label: true,
  note: true,
  parameters: true,
  instruments: true,
  commands: true,
  reads: true,
  stages: true,
  atEnd: true,
  onRestart: true,
  inhibitAlarms: true,
  timeLimit: true,
  memoryMb: true,
}
const MEMORY_MB = { usual: 128, least: 32, most: 2_048 }

/**
 * Makes a recipe of what a file of code declares. Never throws: whatever is wrong is in `faults`.
 *
 * @param declared - what the file has told; of the site, so it may be anything
 */
export function readDeclaration(file: string, declared: unknown): ReadCode {
  const id = basename(file).replace(/\.(?:ts|mjs)$/, '')
  const faults: Fault[] = []
  const fault = (message: string): void => void faults.push({ file, line: 1, column: 1, path: '', message })
  const given = (
    typeof declared === 'object' && declared !== null ? declared : {}
  ) as Partial<CodeDeclaration>
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(KEYS, key))
      fault(`It declares "${key}", which nothing is. There is: ${Object.keys(KEYS).join(', ')}.`)
  }
  const names = (key: 'commands' | 'reads' | 'stages'): string[] => {
    const list: unknown = given[key] ?? []
    if (Array.isArray(list) && list.every((each): each is string => typeof each === 'string')) return list
    fault(`"${key}" is a list of names.`)
    return []
  }
  const [commands, reads, stages] = [names('commands'), names('reads'), names('stages')]
  const { onRestart = 'hold', memoryMb = MEMORY_MB.usual } = given
  if (!['hold', 'ask', 'safe'].includes(onRestart)) {
    fault('"onRestart" is hold, ask or safe: a program that was interrupted can not be resumed.')
  }
  if (!Number.isInteger(memoryMb) || memoryMb < MEMORY_MB.least || memoryMb > MEMORY_MB.most) {
    fault(`"memoryMb" is a whole number, ${MEMORY_MB.least} to ${MEMORY_MB.most}.`)
  }
  const read = readRecipeText(`${id}.yaml`, JSON.stringify(asData(given)))
  // What it says of lines is about the data and not about the file.
  faults.push(...read.faults.map((each) => ({ ...each, file, line: 1, column: 1 })))
  const recipe = faults.length === 0 && read.recipe ? { ...read.recipe, file } : null
  return { id, recipe, faults, commands, reads, stages, limits: { memoryMb } }
}

/** As a recipe in YAML would say it; the program itself is the one step of its one stage. */
function asData(given: Partial<CodeDeclaration>): object {
  const { label, note, parameters, instruments, atEnd, onRestart = 'hold', timeLimit = '24 h' } = given
  const { inhibitAlarms } = given
  return {
    label,
    note,
    parameters,
    instruments,
    onRestart,
    inhibitAlarms,
    stages: [{ name: 'program', steps: [{ note: 'program', timeout: timeLimit }] }],
    finally: atEnd,
  }
}

/** All that is wrong with a recipe in code: by itself, and with the instruments of a site. */
export function faultsOfCode(
  code: ReadCode,
  recipes: ReadonlyMap<string, Recipe>,
  descriptions?: Descriptions,
): Fault[] {
  const { recipe } = code
  if (!recipe) return [...code.faults]
  const unknown = [...code.commands, ...code.reads].filter(
    (name) => descriptions && !recipe.roles[name] && !descriptions.has(name),
  )
  const faults = unknown.map((name) => ({
    file: recipe.file,
    line: 1,
    column: 1,
    path: '',
    message: `It declares "${name}", which is neither one of its roles nor an instrument of this site.`,
  }))
  return [...faultsOfRecipe(code, recipes, descriptions), ...faults]
}

/** A recipe in code as pages and programs see it. */
export function describeCode(
  code: ReadCode,
  recipes: ReadonlyMap<string, Recipe>,
  descriptions?: Descriptions,
): RecipeDescription {
  const described = describeRecipe(code, recipes, descriptions)
  const usual = (name: string): string => code.recipe?.roles[name]?.default ?? name
  return {
    ...described,
    kind: 'code',
    stages: code.stages,
    commands: [...new Set([...described.commands, ...code.commands.map(usual)])].sort(),
    reads: [...new Set(code.reads.map(usual))].sort(),
    faults: faultsOfCode(code, recipes, descriptions).map(describeFault),
  }
}

/**
 * What a run of it carries out.
 *
 * @returns the program, or what is in the way of one
 */
export function codeProgram(
  code: ReadCode,
  options: {
    recipes: ReadonlyMap<string, Recipe>
    bindings: Readonly<Record<string, string>>
    descriptions: Descriptions
  },
): { program: Program | null; faults: readonly Fault[] } {
  if (!code.recipe) return { program: null, faults: code.faults }
  const { roles } = code.recipe
  const { program, faults } = link(code.recipe, options)
  if (!program) return { program, faults }
  const bound = code.commands.map((name) => options.bindings[name] ?? roles[name]?.default ?? name)
  const steps = program.steps.map((step, index) => (index === PROGRAM_STEP.index ? asAction(step) : step))
  const commands = [...new Set([...program.commands, ...bound])].sort()
  return { program: { ...program, steps, commands }, faults: [] }
}

function asAction({ name, timeoutMs, onFailure, place }: Step): Step {
  return {
    verb: 'do',
    action: { instrument: PROGRAM_STEP.instrument, name: PROGRAM_STEP.action },
    arguments: {},
    patienceMs: 0,
    onFailure,
    place,
    ...(name === undefined ? {} : { name }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}
