import type { RunRecord } from '@golem/core'
import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'
import { givenRoles, givenValues } from '../runs/given.ts'
import { RunsApi } from '../runs/runs-api.ts'

/** How often a run is looked at while it is waited for, in ms. */
const LOOK_EVERY_MS = 500

interface StartOptions extends CommonOptions {
  role?: string[]
  note?: string
  wait?: boolean
}

/** `golem runs start`. */
export function runsStart(group: Command, context: Context): void {
  withApi(group.command('start'))
    .description('starts a run of a recipe; `golem recipe list` shows those there are')
    .argument('<recipe>', 'id of a recipe')
    .argument('[values...]', 'as name=value; a duration with its unit')
    .option(
      '--role <role=instrument>',
      'another instrument than the recipe names, for a part it plays; may be given again',
      (word: string, before: string[] | undefined) => [...(before ?? []), word],
    )
    .option('--note <text>', 'what for; everybody sees it')
    .option('--wait', 'waits for its end; exit code 0 only if it was completed')
    .option('--json', 'print JSON instead of text')
    .addHelpText(
      'after',
      '\nThe run reserves the instruments it commands. With --wait, Ctrl-C ends the waiting, not the run.\n\n' +
        'Examples:\n  golem runs start ventilation duration=120s\n  golem runs start ventilation --role board=control-board\n' +
        '  golem runs start scan from=0 to=5 step=0.5 --note "diode" --wait',
    )
    .action(async (id: string, words: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<StartOptions>()
      const runsApi = new RunsApi(openApi(context, options))
      const recipe = await runsApi.recipe(id)
      const parameters = givenValues(recipe, words)
      const instruments = givenRoles(recipe, options.role)
      const run = await runsApi.start({
        recipe: id,
        parameters,
        ...(Object.keys(instruments).length === 0 ? {} : { instruments }),
        ...(options.note === undefined ? {} : { note: options.note }),
      })
      if (!options.wait) {
        const words = `run ${run.id} of ${run.label} was handed over: golem runs show ${run.id}`
        return context.out(options.json ? JSON.stringify(run) : printable(words))
      }
      report(context, options, await untilEnded(context, options, runsApi, run))
    })
}

/** Follows a run to its end, saying where it is. */
async function untilEnded(
  context: Context,
  options: StartOptions,
  runsApi: RunsApi,
  begun: RunRecord,
): Promise<RunRecord> {
  let told = ''
  for (let run = begun; ; run = await runsApi.run(begun.id)) {
    if (run.state === 'ended') return run
    if (!options.json && run.message !== told) {
      told = run.message
      context.err(printable(`run ${run.id}: ${told}`))
    }
    try {
      await sleep(LOOK_EVERY_MS, undefined, { signal: context.signal })
    } catch (error) {
      throw new CliError('unknown', `The waiting was ended; run ${run.id} goes on.`, {
        cause: error,
        details: { run: run.id },
      })
    }
  }
}

function report(context: Context, options: StartOptions, run: RunRecord): void {
  const rows = run.rows > 0 ? ` ${run.rows} rows measured: golem runs rows ${run.id} --csv` : ''
  const words = printable(`run ${run.id}: ${run.end ?? 'ended'}: ${run.message}${rows}`)
  if (options.json) context.out(JSON.stringify(run))
  if (run.end !== 'completed') throw new CliError('failed', words, { details: { run: run.id, end: run.end } })
  if (!options.json) context.out(words)
}
