import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withApi } from '../options.ts'

/** `golem stop`: the emergency stop. */
export function stop(program: Command, context: Context): Command {
  return withApi(program.command('stop'))
    .description(
      'EMERGENCY STOP of everything, or of one instrument: refuses what waits, sends the safe values',
    )
    .argument('[instrument]', 'id of an instrument (default: the whole site)')
    .option('--reason <text>', 'why; everybody sees it', 'stopped from the command line')
    .addHelpText(
      'after',
      '\nThe stop stays in force until `golem release`. It does not end the golem processes.\n\nExamples:\n  golem stop\n  golem stop lamp-1 --reason "smells burnt"',
    )
    .action(async (id: string | undefined, options: CommonOptions & { reason: string }) => {
      const state = await openApi(context, options)
        .stop(id, options.reason)
        .catch((error: unknown) => {
          if (!(error instanceof CliError)) throw error
          throw new CliError(
            error.exit,
            `THE STOP WAS NOT CONFIRMED. If it is urgent, switch off at the bench. ${error.message}`,
            { cause: error, details: error.details },
          )
        })
      if (options.json) context.out(JSON.stringify(state))
      else context.out(`${id ?? 'Everything'} is stopped. \`golem release${id ? ` ${id}` : ''}\` lifts it.`)
    })
}
