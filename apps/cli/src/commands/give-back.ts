import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'
import { reservationInWords } from '../reservation.ts'

interface GiveBackOptions extends CommonOptions {
  booking?: string
  line?: boolean
  reason?: string
}

/** `golem give-back`: ends a reservation. `golem release` lifts an emergency stop. */
export function giveBack(program: Command, context: Context): Command {
  return withApi(program.command('give-back'))
    .description('gives a reserved instrument back; the next in line has it then')
    .argument('<instrument>', 'id of an instrument')
    .option('--booking <id>', 'cancels this booking instead (`golem reserve --show` tells its id)')
    .option('--line', 'leaves the line instead')
    .option('--reason <text>', "why, when it is somebody else's: takes the role admin; they are told")
    .addHelpText(
      'after',
      '\nOutputs stay as they are.\n\nExamples:\n  golem give-back lamp-1\n  golem give-back lamp-1 --reason "Ann has left for the day, agreed by phone"',
    )
    .action(async (id: string, options: GiveBackOptions) => {
      const { booking, line, reason } = options
      const api = openApi(context, options)
      const state = await api.giveBack(id, {
        ...(booking === undefined ? {} : { booking }),
        ...(line ? { waiting: 'true' } : {}),
        ...(reason === undefined ? {} : { reason }),
      })
      if (options.json) context.out(JSON.stringify(state, null, 2))
      else context.out(printable(reservationInWords(id, state, Date.now())))
    })
}
