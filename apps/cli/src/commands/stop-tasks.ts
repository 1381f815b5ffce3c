import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { changeUnits, runningUnits } from '../systemd.ts'

/** `golem stop-tasks`: stops the scheduler service. */
export function stopTasks(program: Command, context: Context): Command {
  return program
    .command('stop-tasks')
    .description(
      'stops the scheduler of this machine (systemd); runs go on as their recipes say when one is there again',
    )
    .addHelpText('after', '\nExamples:\n  golem stop-tasks\n  golem stop-tasks --json')
    .action(async (options: { json?: boolean }) => {
      const units = await runningUnits('golem-scheduler.service')
      if (units.length > 0) await changeUnits('stop', units)
      if (options.json) context.out(JSON.stringify({ stopped: units }))
      else context.out(units.length === 0 ? 'No scheduler was running.' : `Stopped: ${units.join(', ')}.`)
    })
}
