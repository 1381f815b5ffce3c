import type { Command } from 'commander'
import { resolve } from 'node:path'
import { checkSums } from '../bundle/checksums.ts'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'

/** `golem bundle`: folders that `golem runs export` made. Needs no running golem. */
export function bundle(program: Command, context: Context): Command {
  const group = program
    .command('bundle')
    .description('looks after folders that `golem runs export` made')
    .addHelpText('after', '\nExamples:\n  golem bundle check run-3f2a90c1b7de')
  group
    .command('check')
    .option('--json', 'print JSON instead of text')
    .description('says whether all files of a bundle are there and as they were written')
    .argument('<folder>', 'of the bundle')
    .addHelpText('after', '\nExamples:\n  golem bundle check run-3f2a90c1b7de')
    .action(async (name: string, _: unknown, command: Command) => {
      const folder = resolve(context.cwd, name)
      const { files, faults } = await checkSums(folder)
      if (faults.length > 0) {
        throw new CliError('failed', printable(`${name} is damaged:\n  ${faults.join('\n  ')}`), {
          details: { faults },
        })
      }
      const { json } = command.optsWithGlobals<CommonOptions>()
      context.out(
        json
          ? JSON.stringify({ folder, files, faults })
          : `${name}: ${files} files, all as they were written.`,
      )
    })
  return group
}
