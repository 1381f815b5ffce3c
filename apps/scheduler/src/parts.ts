import type { Site } from '@golem/config'
import { Alarms } from './alarms/alarms.ts'
import { deliver } from './alarms/notifiers/deliver.ts'
import type { PartMaker } from './part.ts'
import { RecipeShelf } from './recipes/recipe-shelf.ts'
import { Recipes } from './recipes/recipes.ts'
import { Runs } from './runs/runs.ts'

/** What the leading scheduler of a site does. */
export function partsOf(site: Site): PartMaker[] {
  const shelf = new RecipeShelf(site.instanceDir)
  return [
    (context) => new Recipes(context, shelf),
    (context) => new Runs(context, shelf),
    (context) => new Alarms(context, deliver),
  ]
}
