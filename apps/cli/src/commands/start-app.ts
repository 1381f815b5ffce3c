import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { count } from '../options.ts'
import { changeUnits, unitsToStart } from '../systemd.ts'

/** `golem start-app`: starts web services. */
export function startApp(program: Command, context: Context): Command {
  return program
    .command('start-app')
    .description('starts the web services of this machine, golem-web@1 to golem-web@N (systemd)')
    .argument('[n]', 'how many (default: those that are installed)', count)
    .addHelpText(
      'after',
      '\nThose that run already stay as they are.\n\nExamples:\n  golem start-app\n  golem start-app 3',
    )
    .action(async (n: number | undefined, options: { json?: boolean }) => {
      const units = await unitsToStart('golem-web', n)
      await changeUnits('start', units)
      context.out(options.json ? JSON.stringify({ started: units }) : `Started: ${units.join(', ')}.`)
    })
}
