import { clip, describeFault, didYouMean, type Fault, type ScheduleConfig } from '@golem/config'
import { messageOf } from '@golem/core'
import { checkParameters } from '../engine/index.ts'
import { type Descriptions, link } from '../language/index.ts'
import type { Recipe } from '../recipe.ts'

interface Surroundings {
  /** The site file: that is where the faults are. */
  file: string
  /** Recipes without faults, by id. */
  recipes: ReadonlyMap<string, Recipe>
  /** Recipes that have faults of their own, or are programs, which are not looked into. */
  others: readonly string[]
  /** What the site's instruments are. */
  descriptions: Descriptions
}

/** What is wrong with schedules beside their form: with their recipes, and what they give them. */
export function faultsOfSchedules(schedules: readonly ScheduleConfig[], around: Surroundings): Fault[] {
  return schedules.flatMap(({ id, recipe, parameters, instruments, place }) =>
    reasons(recipe, parameters, instruments, around).map((message) => ({
      file: around.file,
      ...place,
      path: `schedules.${id}`,
      message,
    })),
  )
}

function reasons(
  id: string,
  parameters: ScheduleConfig['parameters'],
  bindings: ScheduleConfig['instruments'],
  { recipes, others, descriptions }: Surroundings,
): string[] {
  if (others.includes(id)) return []
  const recipe = recipes.get(id)
  if (!recipe) return [`There is no recipe "${clip(id)}".${didYouMean(id, [...recipes.keys()])}`]
  const { faults } = link(recipe, { recipes, bindings, descriptions })
  return [...faults.map(describeFault), ...whyNot(() => checkParameters(recipe.parameters, parameters))]
}

function whyNot(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}
