import path from 'node:path'
import type { Fault } from '@golem/config'
import type { Command } from 'commander'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withSite } from '../options.ts'
import { describeSite, faultsOfOwnRecipes } from '../recipes/site-recipes.ts'
import { loadChosenSite } from '../site-file.ts'

/** `golem check`: looks for faults in a site file, offline. */
export function check(program: Command, context: Context): Command {
  return withSite(program.command('check'))
    .description(
      "looks for faults in a site file, and in the site's models, drivers and recipes, and shows all of them; needs nothing running",
    )
    .argument('[file]', 'the site file (default: as --site)')
    .addHelpText('after', '\nExamples:\n  golem check\n  golem check instance/demo.yaml --json')
    .action(async (file: string | undefined, options: CommonOptions) => {
      const chosen = file === undefined ? options : { ...options, site: file }
      const { SiteFaults, describeFault } = await import('@golem/config')
      // The one place where the command line needs drivers in order to start: it loads them only here.
      const { checkDriverTypes, loadModels } = await import('@golem/drivers')
      const instanceDir = instanceDirOf(context, siteFileOf(context, chosen))
      const loaded = await loadModels(instanceDir)
      let consequence = 'golem would not start with this site file'
      try {
        const site = await loadChosenSite(context, chosen, loaded)
        const types = await checkDriverTypes(instanceDir)
        if (types.skipped !== undefined) context.err(types.skipped)
        const modelFaults = withTypes(loaded.faults, types.faults)
        const recipes = await faultsOfOwnRecipes(site, instanceDir, describeSite(site, loaded.models))
        consequence =
          loaded.faults.length > 0
            ? 'golem would start, without the instruments that need these files'
            : modelFaults.length > 0
              ? 'golem would start, and meet this when these drivers run'
              : 'golem would start, but not these recipes or schedules'
        if (modelFaults.length + recipes.faults.length > 0) {
          throw new SiteFaults([...modelFaults, ...recipes.faults])
        }
        if (options.json) return context.out(JSON.stringify({ ok: true, file: site.file, faults: [] }))
        const count = recipes.count === 0 ? '' : `, ${recipes.count} recipes of its own`
        context.out(`${shown(context, site.file)}: no fault, ${site.instruments.length} instruments${count}`)
      } catch (error) {
        if (!(error instanceof SiteFaults)) throw error
        const faults = error.faults.map((fault) => ({ ...fault, file: shown(context, fault.file) }))
        if (options.json) context.out(JSON.stringify({ ok: false, faults }, null, 2))
        else for (const fault of faults) context.out(describeFault(fault))
        const count = faults.length === 1 ? 'One fault' : `${faults.length} faults`
        throw new CliError('failed', `${count}: ${consequence}.`, { cause: error })
      } finally {
        await loaded.close()
      }
    })
}

/** What TypeScript says, but for lines of which something is said already. */
function withTypes(known: readonly Fault[], types: readonly Fault[]): Fault[] {
  const places = new Set(known.map(({ file, line }) => `${file}:${line}`))
  return [...known, ...types.filter(({ file, line }) => !places.has(`${file}:${line}`))]
}

/** A path as short as the user would type it. */
function shown(context: Context, file: string): string {
  const relative = path.relative(context.cwd, file)
  return file.startsWith('/') && !relative.startsWith('..') ? relative : file
}
