import type { Command } from 'commander'
import { execFile } from 'node:child_process'
import { basename, dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { makeBundle } from '../bundle/bundle.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'

interface ExportOptions extends CommonOptions {
  output?: string
  series?: string[]
  tar?: boolean
}

/** `golem runs export`: everything about a run in one folder. */
export function runsExport(group: Command, context: Context): void {
  withApi(group.command('export'))
    .option('--json', 'print JSON instead of text')
    .description('makes a folder with everything about a run, which opens in a browser without golem')
    .argument('<run>', 'id of a run')
    .option('-o, --output <folder>', 'default: run-ID; must not be there yet')
    .option(
      '--series <names...>',
      'these series instead of those of its instruments: INSTRUMENT.PARAMETER, INSTRUMENT or "*"',
    )
    .option('--tar', 'also FOLDER.tar')
    .addHelpText(
      'after',
      '\nExamples:\n  golem runs export 3f2a90c1b7de\n  golem runs export 3f2a90c1b7de -o /srv/experiments/may --tar\n' +
        '  golem bundle check run-3f2a90c1b7de',
    )
    .action(async (run: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExportOptions>()
      const folder = resolve(context.cwd, options.output ?? `run-${run.replaceAll(/[^\w-]/g, '_')}`)
      const api = openApi(context, options)
      const made = await makeBundle(context, api, { run, folder, series: options.series ?? [] }, (step) => {
        if (context.interactive) context.err(`${step} ...`)
      })
      const tar = options.tar ? await pack(folder) : undefined
      if (options.json)
        return context.out(JSON.stringify({ run, folder, ...(tar === undefined ? {} : { tar }), ...made }))
      const megabytes = (made.bytes / 1e6).toFixed(1)
      context.out(
        printable(`${folder}: ${made.series} series, ${made.files} files, ${megabytes} MB. Open index.html.`),
      )
      if (tar !== undefined) context.out(tar)
    })
}

/** @returns the file */
async function pack(folder: string): Promise<string> {
  const file = `${folder}.tar`
  try {
    await promisify(execFile)('tar', ['-cf', file, '-C', dirname(folder), basename(folder)])
  } catch (error) {
    throw new CliError('failed', `The folder is whole, but tar could not pack it: ${String(error)}`, {
      cause: error,
    })
  }
  return file
}
