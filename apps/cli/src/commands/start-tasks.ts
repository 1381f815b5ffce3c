import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { changeUnits } from '../systemd.ts'

/** `golem start-tasks`: starts the scheduler service. */
export function startTasks(program: Command, context: Context): Command {
  return program
    .command('start-tasks')
    .description(
      'starts the scheduler of this machine, golem-scheduler (systemd): runs, schedules and alarms',
    )
    .addHelpText(
      'after',
      '\nOf several schedulers of a site one leads, the others stand by.\n\nExamples:\n  golem start-tasks\n  golem start-tasks --json',
    )
    .action(async (options: { json?: boolean }) => {
      const started = ['golem-scheduler.service']
      await changeUnits('start', started)
      context.out(options.json ? JSON.stringify({ started }) : `Started: ${started.join(', ')}.`)
    })
}
