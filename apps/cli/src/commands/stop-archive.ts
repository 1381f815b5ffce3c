import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { changeUnits, runningUnits } from '../systemd.ts'

/** `golem stop-archive`: stops the archiver service. */
export function stopArchive(program: Command, context: Context): Command {
  return program
    .command('stop-archive')
    .description(
      'stops the archiver of this machine (systemd); what is read waits in Redis until one is there again',
    )
    .addHelpText('after', '\nExamples:\n  golem stop-archive\n  golem stop-archive --json')
    .action(async (options: { json?: boolean }) => {
      const units = await runningUnits('golem-archiver.service')
      if (units.length > 0) await changeUnits('stop', units)
      if (options.json) context.out(JSON.stringify({ stopped: units }))
      else context.out(units.length === 0 ? 'No archiver was running.' : `Stopped: ${units.join(', ')}.`)
    })
}
