import path from 'node:path'
import { describeInstrument, type Fault, type Site } from '@golem/config'
import type { InstrumentDescription, Model } from '@golem/core'
import type { FoundRecipes, ReadRecipe } from '@golem/recipes'
import { existsSync, readdirSync } from 'node:fs'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { loadChosenSite } from '../site-file.ts'

/** The recipes of a site, read from their files, and what is known of its instruments without asking them. */
export interface SiteRecipes extends FoundRecipes {
  /** Those that were asked for, all when none was. */
  chosen: readonly ReadRecipe[]
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
  const found = loadRecipes([SHIPPED_RECIPES, path.join(instanceDir, 'recipes')])
  const recipes = new Map(found.recipes)
  const chosen = names.map((name) => {
    if (!/\.ya?ml$/.test(name)) return known(found, name)
    const file = path.resolve(context.cwd, name)
    if (!existsSync(file)) throw new CliError('failed', `There is no file ${file}.`)
    const read = readRecipeFile(file)
    if (read.recipe) recipes.set(read.id, read.recipe)
    return read
  })
  return {
    ...found,
    recipes,
    chosen: names.length === 0 ? found.read : chosen,
    ...(await describedSite(context, options)),
  }
}

function known({ read }: FoundRecipes, id: string): ReadRecipe {
  const found = read.find((each) => each.id === id)
  if (found) return found
  const ids = read.map((each) => each.id).join(', ')
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
  const others = [...own.read.flatMap(({ id }) => (recipes.has(id) ? [] : [id])), ...programsIn(folder)]
  const ofSchedules = faultsOfSchedules(site.schedules, { file: site.file, recipes, others, descriptions })
  return { count: own.read.length, faults: [...ofFolder, ...faults, ...ofSchedules] }
}

/** Ids of the recipes in code, which only the scheduler runs. */
function programsIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => /^(.+)\.(?:ts|mjs|js)$/.exec(name)?.[1] ?? [])
}
