import path from 'node:path'
import { describeInstrument, type Fault, type Site } from '@golem/config'
import type { InstrumentDescription, Model } from '@golem/core'
import type { FoundRecipes, ReadCode, ReadRecipe } from '@golem/recipes'
import { existsSync } from 'node:fs'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { loadChosenSite } from '../site-file.ts'

/** Recipes in code. */
const IN_CODE = /\.(?:ts|mjs)$/

/** The recipes of a site, read from their files, and what is known of its instruments without asking them. */
export interface SiteRecipes extends FoundRecipes {
  /** Those that were asked for, all when none was. */
  chosen: readonly ReadRecipe[]
  /** Those of them that are in code. */
  programs: readonly ReadCode[]
  /** null: there is no site file, or it has faults. */
  site: Site | null
  descriptions: ReadonlyMap<string, InstrumentDescription> | null
}

/**
 * Reads recipes offline.
 *
 * @param names - ids of recipes, or files; none: all that golem ships and the site has
 * @throws CliError failed when there is no such recipe
 */
export async function readSiteRecipes(
  context: Context,
  options: CommonOptions,
  names: readonly string[],
): Promise<SiteRecipes> {
  const { loadRecipes, readRecipeFile, SHIPPED_RECIPES } = await import('@golem/recipes')
  const instanceDir = instanceDirOf(context, siteFileOf(context, options))
  const folder = path.join(instanceDir, 'recipes')
  const found = loadRecipes([SHIPPED_RECIPES, folder])
  const recipes = new Map(found.recipes)
  const inCode = new Map((await codeFiles(folder)).map((file) => [idOf(file), file]))
  const chosen: ReadRecipe[] = names.length === 0 ? found.read.filter(({ id }) => !inCode.has(id)) : []
  const programs = names.length === 0 ? [...inCode.values()] : []
  for (const name of names) {
    const file = path.resolve(context.cwd, name)
    const isFile = IN_CODE.test(name) || /\.ya?ml$/.test(name)
    if (isFile && !existsSync(file)) throw new CliError('failed', `There is no file ${file}.`)
    const program = isFile ? (IN_CODE.test(name) ? file : undefined) : inCode.get(name)
    const read = isFile && !program ? readRecipeFile(file) : undefined
    if (read?.recipe) recipes.set(read.id, read.recipe)
    if (program) programs.push(program)
    else chosen.push(read ?? known(found, name, [...inCode.keys()]))
  }
  return {
    ...found,
    recipes,
    chosen,
    programs: await readPrograms(programs),
    ...(await describedSite(context, options)),
  }
}

/** They are asked what they are, one after the other: each by a process of its own. */
async function readPrograms(files: readonly string[]): Promise<ReadCode[]> {
  const read: ReadCode[] = []
  if (files.length === 0) return read
  const { readCodeFile } = await import('@golem/scheduler')
  for (const file of files) read.push(await readCodeFile(file))
  return read
}

async function codeFiles(folder: string): Promise<string[]> {
  const { driverFiles } = await import('@golem/drivers')
  return driverFiles(folder)
}

function idOf(file: string): string {
  return path.basename(file).replace(IN_CODE, '')
}

function known({ read }: FoundRecipes, id: string, inCode: readonly string[]): ReadRecipe {
  const found = read.find((each) => each.id === id)
  if (found) return found
  const ids = [...read.map((each) => each.id), ...inCode].join(', ')
  throw new CliError('failed', `There is no recipe and no file "${id}". Recipes: ${ids}.`)
}

/** What the site's instruments are, as far as their models tell it. */
async function describedSite(
  context: Context,
  options: CommonOptions,
): Promise<Pick<SiteRecipes, 'site' | 'descriptions'>> {
  const none = { site: null, descriptions: null }
  const siteFile = siteFileOf(context, options)
  if (!existsSync(siteFile)) {
    if (options.site !== undefined) throw new CliError('failed', `There is no site file ${siteFile}.`)
    context.err(`There is no site file ${siteFile}: recipes are checked without instruments.`)
    return none
  }
  const { SiteFaults } = await import('@golem/config')
  const { loadModels } = await import('@golem/drivers')
  const loaded = await loadModels(instanceDirOf(context, siteFile))
  try {
    const site = await loadChosenSite(context, options, loaded)
    return { site, descriptions: describeSite(site, loaded.models) }
  } catch (error) {
    if (!(error instanceof SiteFaults)) throw error
    context.err(
      `${siteFile} has faults, which \`golem check\` shows: recipes are checked without instruments.`,
    )
    return none
  } finally {
    await loaded.close()
  }
}

/** The instruments of a site as workers would describe them. */
export function describeSite(
  site: Site,
  models: ReadonlyMap<string, Model>,
): ReadonlyMap<string, InstrumentDescription> {
  return new Map(
    site.instruments.flatMap((config) => {
      const model = models.get(config.model)
      return model
        ? [[config.id, describeInstrument(config, model, model.create(config.options))] as const]
        : []
    }),
  )
}

/** What is wrong with the recipes of the site itself, which may call those that golem ships, and with its schedules. */
export async function faultsOfOwnRecipes(
  site: Site,
  instanceDir: string,
  descriptions: ReadonlyMap<string, InstrumentDescription>,
): Promise<{ count: number; faults: readonly Fault[] }> {
  const { faultsOfRecipe, faultsOfSchedules, loadRecipes, SHIPPED_RECIPES } = await import('@golem/recipes')
  const folder = path.join(instanceDir, 'recipes')
  const own = loadRecipes([folder])
  const { recipes } = loadRecipes([SHIPPED_RECIPES, folder])
  // What is wrong with the folder itself stands in no recipe.
  const ofFolder = own.faults.filter(({ file }) => file === folder)
  const faults = own.read.flatMap((read) => faultsOfRecipe(read, recipes, descriptions))
  const others = [
    ...own.read.flatMap(({ id }) => (recipes.has(id) ? [] : [id])),
    ...(await codeFiles(folder)).map(idOf),
  ]
  const ofSchedules = faultsOfSchedules(site.schedules, { file: site.file, recipes, others, descriptions })
  return { count: own.read.length, faults: [...ofFolder, ...faults, ...ofSchedules] }
}
