import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { withApi } from '../options.ts'

/** `golem release`: lifts an emergency stop. */
export function release(program: Command, context: Context): Command {
  return withApi(program.command('release'))
    .description('lifts the emergency stop: of one instrument, or of everything')
    .argument('[instrument]', "id of an instrument (default: the site's stop and all others)")
    .addHelpText(
      'after',
      '\nNothing is switched on again by this; new commands are accepted.\n\nExamples:\n  golem release\n  golem release lamp-1',
    )
    .action(async (id: string | undefined, options: CommonOptions) => {
      const state = await openApi(context, options).release(id)
      if (options.json) {
        context.out(JSON.stringify(state))
        return
      }
      const still = [...(state.site ? ['the whole site'] : []), ...Object.keys(state.instruments)]
      context.out(
        still.length === 0 ? 'No stop is in force any more.' : `Still stopped: ${still.join(', ')}.`,
      )
    })
}
