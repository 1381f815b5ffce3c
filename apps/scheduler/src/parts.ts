import type { Site } from '@golem/config'
import { Alarms } from './alarms/alarms.ts'
import { deliver } from './alarms/notifiers/deliver.ts'
import { CalibrationsPart } from './calibrations/calibrations.ts'
import { DerivedPart } from './derived/derived.ts'
import type { PartMaker } from './part.ts'
import { RecipeShelf } from './recipes/recipe-shelf.ts'
import { Recipes } from './recipes/recipes.ts'
import { Runs } from './runs/runs.ts'
import { Schedules } from './schedules/schedules.ts'

/** What the leading scheduler of a site does. */
export function partsOf(site: Site): PartMaker[] {
  const shelf = new RecipeShelf(site.instanceDir)
  // Also one that stands by knows them, so that it has not to read them when it takes over; faults are told by the leader.
  void shelf.refreshCode().catch(() => undefined)
  return [
    (context) => new Recipes(context, shelf),
    (context) => {
      const runs = new Runs(context, shelf)
      return [runs, new Schedules(context, shelf, runs)]
    },
    (context) => new CalibrationsPart(context),
    (context) => new DerivedPart(context),
    (context) => new Alarms(context, deliver),
  ]
}
