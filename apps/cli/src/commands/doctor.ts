import type { Command } from 'commander'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withSite } from '../options.ts'

/** `golem doctor`: looks at this machine. */
export function doctor(program: Command, context: Context): Command {
  return withSite(program.command('doctor'))
    .description('checks this machine: Node, packages, Redis, serial ports, web port, clock, disk, services')
    .addHelpText('after', '\nExamples:\n  golem doctor\n  golem doctor --json')
    .action(async (options: CommonOptions) => {
      const { examine } = await import('../doctor/examine.ts')
      const findings = await examine(context, options)
      if (options.json) context.out(JSON.stringify(findings, null, 2))
      else {
        for (const { level, subject, message, advice } of findings) {
          const what = level === 'ok' ? 'ok      ' : level === 'warning' ? 'WARNING ' : 'FAULT   '
          context.out(printable(`${what} ${subject}: ${message}${advice ? ` ${advice}` : ''}`))
        }
      }
      const faults = findings.filter(({ level }) => level === 'fault')
      if (faults.length > 0) {
        throw new CliError(
          'failed',
          `${faults.length === 1 ? 'One fault' : `${faults.length} faults`}: ${faults.map(({ subject }) => subject).join(', ')}.`,
        )
      }
    })
}
