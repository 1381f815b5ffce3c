import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { count } from '../options.ts'
import { changeUnits, unitsToStart } from '../systemd.ts'

/** `golem start-workers`: starts worker services. */
export function startWorkers(program: Command, context: Context): Command {
  return program
    .command('start-workers')
    .description('starts the worker services of this machine, golem-worker@1 to golem-worker@N (systemd)')
    .argument('[n]', 'how many (default: those that are installed)', count)
    .addHelpText(
      'after',
      '\nThose that run already stay as they are.\n\nExamples:\n  golem start-workers\n  golem start-workers 3',
    )
    .action(async (n: number | undefined, options: { json?: boolean }) => {
      const units = await unitsToStart('golem-worker', n)
      await changeUnits('start', units)
      context.out(options.json ? JSON.stringify({ started: units }) : `Started: ${units.join(', ')}.`)
    })
}
