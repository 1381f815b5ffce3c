import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { changeUnits } from '../systemd.ts'

/** `golem start-archive`: starts the archiver service. */
export function startArchive(program: Command, context: Context): Command {
  return program
    .command('start-archive')
    .description(
      'starts the archiver of this machine, golem-archiver (systemd): what was read and done is kept',
    )
    .addHelpText(
      'after',
      '\nOf several archivers of a site one writes, the others stand by.\n\nExamples:\n  golem start-archive\n  golem start-archive --json',
    )
    .action(async (options: { json?: boolean }) => {
      const started = ['golem-archiver.service']
      await changeUnits('start', started)
      context.out(options.json ? JSON.stringify({ started }) : `Started: ${started.join(', ')}.`)
    })
}
