import { fileURLToPath } from 'node:url'
import { describeFault, type Fault, yamlFilesIn } from '@golem/config'
import type { RecipeDescription, RecipeRole } from '@golem/core'
import type { Recipe } from '../recipe.ts'
import { checkRecipe, type Descriptions } from './check.ts'
import { link } from './link.ts'
import { type ReadRecipe, readRecipeFile } from './read.ts'

/** Where the recipes are that golem ships. */
export const SHIPPED_RECIPES = fileURLToPath(new URL('../../recipes', import.meta.url))

/** What was found in folders of recipes. */
export interface FoundRecipes {
  /** Those without faults, by id. */
  recipes: ReadonlyMap<string, Recipe>
  /** Every file, with what is wrong with it. */
  read: readonly ReadRecipe[]
  faults: readonly Fault[]
}

/**
 * Reads the recipes (`*.yaml`) of folders. A recipe of a later folder replaces one of the same id; a folder that is not
 * there has none.
 *
 * @param folders - absolute paths, e.g. `SHIPPED_RECIPES` and the site's own
 */
export function loadRecipes(folders: readonly string[]): FoundRecipes {
  const byId = new Map<string, ReadRecipe>()
  const faults: Fault[] = []
  for (const folder of folders) {
    for (const file of yamlFilesIn(folder, faults)) {
      const read = readRecipeFile(file)
      byId.set(read.id, read)
    }
  }
  const read = [...byId.values()]
  faults.push(...read.flatMap((each) => each.faults))
  const recipes = new Map(read.flatMap(({ id, recipe }) => (recipe ? [[id, recipe] as const] : [])))
  return { recipes, read, faults }
}

/**
 * A recipe as pages and programs see it.
 *
 * @param descriptions - of the site's instruments: then it is checked against them
 */
export function describeRecipe(
  read: ReadRecipe,
  recipes: ReadonlyMap<string, Recipe>,
  descriptions?: Descriptions,
): RecipeDescription {
  const { id, recipe } = read
  const linked = recipe ? link(recipe, { recipes }) : null
  return {
    id,
    label: recipe?.label ?? id,
    ...(recipe?.note === undefined ? {} : { note: recipe.note }),
    parameters: recipe?.parameters ?? {},
    roles: recipe ? rolesOf(recipe, descriptions) : {},
    stages: recipe?.stages.map(({ name }) => name) ?? [],
    commands: linked?.program?.commands ?? [],
    reads: [...new Set((linked?.program?.reads ?? []).map((key) => key.slice(0, key.indexOf('.'))))],
    kind: 'yaml',
    faults: faultsOfRecipe(read, recipes, descriptions).map(describeFault),
  }
}

/**
 * All that is wrong with a recipe: by itself, with what it calls, and with the instruments of a site. That a site does not
 * have the usual instrument of a role is no fault: whoever starts it names another.
 */
export function faultsOfRecipe(
  { recipe, faults }: ReadRecipe,
  recipes: ReadonlyMap<string, Recipe>,
  descriptions?: Descriptions,
): Fault[] {
  if (!recipe) return [...faults]
  const bindings = Object.fromEntries(
    Object.entries(rolesOf(recipe, descriptions)).map(([role, { default: id }]) => [role, id]),
  )
  const unfit = descriptions ? checkRecipe(recipe, descriptions, bindings) : []
  return [...faults, ...link(recipe, { recipes }).faults, ...unfit]
}

function rolesOf({ roles }: Recipe, descriptions: Descriptions | undefined): Record<string, RecipeRole> {
  return Object.fromEntries(
    Object.entries(roles).map(([name, { label, default: id }]) => [
      name,
      { label, default: descriptions === undefined || descriptions.has(id) ? id : null },
    ]),
  )
}
