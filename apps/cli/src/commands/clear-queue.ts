import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withSite } from '../options.ts'
import { loadChosenSite, redisUrlOf } from '../site-file.ts'
import { agree } from './init-db.ts'

/** `golem clear-queue`: refuses what waits. */
export function clearQueue(program: Command, context: Context): Command {
  return withSite(program.command('clear-queue'))
    .description('refuses all waiting commands; each ends in the ledger as refused, none is sent')
    .option('--instrument <id>', 'only those of one instrument')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      '\nWhat is running already is not interrupted; `golem stop` does that.\n\nExamples:\n  golem clear-queue\n  golem clear-queue --instrument lamp-1 --yes',
    )
    .action(async (options: CommonOptions & { instrument?: string; yes?: boolean }) => {
      const site = await loadChosenSite(context, options)
      const { instrument } = options
      if (instrument !== undefined && !site.instruments.some(({ id }) => id === instrument)) {
        const known = site.instruments.map(({ id }) => id).join(', ') || 'none'
        throw new CliError(
          'refused',
          `Site "${site.name}" has no instrument "${instrument}". It has: ${known}.`,
        )
      }
      const redisUrl = await redisUrlOf(site)
      await agree(context, options, `Refuse all commands that wait for ${instrument ?? 'any instrument'}?`)
      const queue = await import('@golem/queue')
      const refused = await queue.clearQueue({
        site: site.name,
        redisUrl,
        by: userInfo().username,
        instruments: instrument === undefined ? [] : [instrument],
      })
      context.out(options.json ? JSON.stringify({ refused }) : `Waiting commands refused: ${refused}.`)
    })
}
