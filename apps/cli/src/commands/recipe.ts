import path from 'node:path'
import type { Fault } from '@golem/config'
import type { ReadRecipe } from '@golem/recipes'
import type { Command } from 'commander'
import { type CommonOptions, type Context, instanceDirOf, openApi, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withApi, withSite } from '../options.ts'
import { readSiteRecipes, type SiteRecipes } from '../recipes/site-recipes.ts'
import { RunsApi } from '../runs/runs-api.ts'
import { recipesTable } from '../runs/words.ts'
import { recipePlan } from './recipe-plan.ts'

/** `golem recipe`: writing and trying recipes. */
export function recipe(program: Command, context: Context): Command {
  const group = program
    .command('recipe')
    .description('lists, checks and plays through recipes')
    .addHelpText(
      'after',
      '\nExamples:\n  golem recipe list\n  golem recipe check instance/recipes/my-scan.yaml\n  golem recipe plan ventilation duration=60s',
    )
  list(group, context)
  check(group, context)
  recipePlan(group, context)
  return group
}

function list(group: Command, context: Context): void {
  withApi(group.command('list'))
    .description('shows the recipes of a running golem: what they take, and what is wrong with them')
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  golem recipe list')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      const recipes = await new RunsApi(openApi(context, options)).recipes()
      if (options.json) return context.out(JSON.stringify(recipes, null, 2))
      if (recipes.length === 0) return context.out('No recipe is known. Is a scheduler running?')
      context.out(await recipesTable(recipes))
    })
}

function check(group: Command, context: Context): void {
  withSite(group.command('check'))
    .description(
      'looks for faults in recipes and shows all of them, each with its line; needs nothing running. With a site file they are checked against its instruments',
    )
    .argument('[recipes...]', 'files, or ids (default: all that golem ships and the site has)')
    .option('--json', 'print JSON instead of text')
    .addHelpText(
      'after',
      '\nExamples:\n  golem recipe check\n  golem recipe check instance/recipes/my-scan.yaml\n  golem recipe check ventilation --site instance/demo.yaml',
    )
    .action(async (names: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      const { faultsOfCode, faultsOfRecipe } = await import('@golem/recipes')
      const { describeFault } = await import('@golem/config')
      const site = await readSiteRecipes(context, options, names)
      const { chosen, programs, recipes, descriptions } = site
      const types = await typeFaults(context, options, site)
      const known = descriptions ?? undefined
      const found: { read: ReadRecipe; faults: readonly Fault[] }[] = [
        ...chosen.map((read) => ({ read, faults: faultsOfRecipe(read, recipes, known) })),
        ...programs.map((read) => ({
          read,
          faults: [...faultsOfCode(read, recipes, known), ...(read.recipe ? types(read) : [])],
        })),
      ]
      const faults = found.flatMap((each) => each.faults.map((fault) => shown(context, fault)))
      if (options.json) context.out(JSON.stringify({ ok: faults.length === 0, faults }, null, 2))
      else for (const fault of faults) context.out(printable(describeFault(fault)))
      if (faults.length > 0) {
        const count = faults.length === 1 ? 'One fault' : `${faults.length} faults`
        const ids = found.filter((each) => each.faults.length > 0).map(({ read }) => read.id)
        throw new CliError('failed', `${count}: ${ids.join(', ')} can't be started.`)
      }
      if (options.json) return
      for (const { read } of found) {
        for (const [role, { default: id }] of Object.entries(read.recipe?.roles ?? {})) {
          if (descriptions === null || descriptions.has(id)) continue
          context.out(`${read.id}: this site has no ${id}: name one, with --role ${role}=INSTRUMENT`)
        }
      }
      context.out(found.length === 1 ? 'No fault in one recipe.' : `No fault in ${found.length} recipes.`)
    })
}

/** What TypeScript says of recipes in code that stand in the site's folder. */
async function typeFaults(
  context: Context,
  options: CommonOptions,
  { programs }: SiteRecipes,
): Promise<(read: ReadRecipe) => readonly Fault[]> {
  if (programs.length === 0) return () => []
  const { checkDriverTypes } = await import('@golem/drivers')
  const instanceDir = path.resolve(context.cwd, instanceDirOf(context, siteFileOf(context, options)))
  const { faults, skipped } = await checkDriverTypes(instanceDir)
  if (skipped !== undefined) context.err(skipped)
  return ({ id }) => {
    const files = [`${id}.ts`, `${id}.mjs`].map((name) => path.join(instanceDir, 'recipes', name))
    return faults.filter(({ file }) => files.includes(file))
  }
}

/** With a path as short as the user would type it. */
function shown(context: Context, fault: Fault): Fault {
  const relative = path.relative(context.cwd, fault.file)
  return relative.startsWith('..') ? fault : { ...fault, file: relative }
}
