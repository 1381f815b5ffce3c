import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { changeUnits, runningUnits } from '../systemd.ts'

/** `golem stop-workers`: stops all worker services. */
export function stopWorkers(program: Command, context: Context): Command {
  return program
    .command('stop-workers')
    .description(
      'stops all golem-worker services on this machine (systemd); outputs do what onStop in the site file says',
    )
    .addHelpText('after', '\nExamples:\n  golem stop-workers\n  golem stop-workers --json')
    .action(async (options: { json?: boolean }) => {
      const units = await runningUnits('golem-worker@*.service')
      if (units.length > 0) await changeUnits('stop', units)
      if (options.json) context.out(JSON.stringify({ stopped: units }))
      else
        context.out(units.length === 0 ? 'No worker service was running.' : `Stopped: ${units.join(', ')}.`)
    })
}
