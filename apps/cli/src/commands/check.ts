import path from 'node:path'
import type { Command } from 'commander'
import type { Model } from '@golem/core'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withSite } from '../options.ts'
import { loadChosenSite } from '../site-file.ts'

/** `golem check`: looks for faults in a site file, offline. */
export function check(program: Command, context: Context): Command {
  return withSite(program.command('check'))
    .description('looks for faults in a site file and shows all of them; needs nothing running')
    .argument('[file]', 'the site file (default: as --site)')
    .addHelpText('after', '\nExamples:\n  golem check\n  golem check instance/demo.yaml --json')
    .action(async (file: string | undefined, options: CommonOptions) => {
      const chosen = file === undefined ? options : { ...options, site: file }
      const { SiteFaults, describeFault } = await import('@golem/config')
      try {
        const site = await loadChosenSite(context, chosen, await loadModels())
        if (options.json) context.out(JSON.stringify({ ok: true, file: site.file, faults: [] }))
        else context.out(`${shown(context, site.file)}: no fault, ${site.instruments.length} instruments`)
      } catch (error) {
        if (!(error instanceof SiteFaults)) throw error
        const faults = error.faults.map((fault) => ({ ...fault, file: shown(context, fault.file) }))
        if (options.json) context.out(JSON.stringify({ ok: false, faults }, null, 2))
        else for (const fault of faults) context.out(describeFault(fault))
        const count = faults.length === 1 ? 'One fault' : `${faults.length} faults`
        throw new CliError('failed', `${count}: golem would not start with this site file.`, { cause: error })
      }
    })
}

/** The models that drivers offer. The one place where the command line loads drivers: it does so only here. */
async function loadModels(): Promise<ReadonlyMap<string, Model>> {
  const { models } = await import('@golem/drivers')
  return models
}

/** A path as short as the user would type it. */
function shown(context: Context, file: string): string {
  const relative = path.relative(context.cwd, file)
  return file.startsWith('/') && !relative.startsWith('..') ? relative : file
}
