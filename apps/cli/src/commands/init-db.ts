import type { Command } from 'commander'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withSite } from '../options.ts'
import { loadChosenSite, redisUrlOf } from '../site-file.ts'

/** `golem init-db`: makes this site's part of Redis anew. */
export function initDb(program: Command, context: Context): Command {
  return withSite(program.command('init-db'))
    .description(
      'removes everything golem keeps in Redis for this site: ledger, queues, readings, events, stops',
    )
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      '\nNothing else in that Redis is touched, and the archive stays as it is: what it does not have yet is lost. Stop the workers first.\n\nExamples:\n  golem init-db\n  golem init-db --yes --site instance/site.yaml',
    )
    .action(async (options: CommonOptions & { yes?: boolean }) => {
      const site = await loadChosenSite(context, options)
      const redisUrl = await redisUrlOf(site)
      await agree(
        context,
        options,
        `Remove everything of site "${site.name}" from Redis, also the record of its commands?`,
      )
      const queue = await import('@golem/queue')
      const removed = await queue.initDb({ site: site.name, redisUrl })
      context.out(
        options.json
          ? JSON.stringify({ removed })
          : `Removed ${removed} keys of site "${site.name}".${site.archive ? ' The archive is as it was.' : ''}`,
      )
    })
}

/**
 * Asks before something is thrown away.
 *
 * @throws CliError usage when nobody can be asked, refused when the answer is no
 */
export async function agree(context: Context, options: { yes?: boolean }, question: string): Promise<void> {
  if (options.yes) return
  if (!context.interactive) {
    throw new CliError('usage', `${question} There is nobody to ask here: say it with --yes.`)
  }
  if (!(await context.confirm(question))) throw new CliError('refused', 'Nothing was changed.')
}
