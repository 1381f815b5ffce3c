import { hostname, userInfo } from 'node:os'
import { type StopState, messageOf } from '@golem/core'
import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withApi } from '../options.ts'
import { loadChosenSite, redisUrlOf } from '../site-file.ts'

/** How long Redis may take to answer when it is asked directly, in ms. */
const CONNECT_MS = 5_000

/** `golem stop`: the emergency stop. */
export function stop(program: Command, context: Context): Command {
  return withApi(program.command('stop'))
    .description(
      'EMERGENCY STOP of everything, or of one instrument: refuses what waits, sends the safe values',
    )
    .argument('[instrument]', 'id of an instrument (default: the whole site)')
    .option('--reason <text>', 'why; everybody sees it', 'stopped from the command line')
    .addHelpText(
      'after',
      '\nThe stop stays in force until `golem release`. It does not end the golem processes. When no web process\nanswers, the stop goes directly through Redis.\n\nExamples:\n  golem stop\n  golem stop lamp-1 --reason "smells burnt"',
    )
    .action(async (id: string | undefined, options: CommonOptions & { reason: string }) => {
      const state = await openApi(context, options)
        .stop(id, options.reason)
        .catch((error: unknown) => stopThroughRedis(context, options, id, error))
      if (options.json) context.out(JSON.stringify(state))
      else context.out(`${id ?? 'Everything'} is stopped. \`golem release${id ? ` ${id}` : ''}\` lifts it.`)
    })
}

/**
 * The way that is left when no web process confirms the stop: whoever sits at the machine and may read the site
 * file may stop it. Being refused (no such instrument, no right) is no reason for it.
 *
 * @param error - why the web process did not confirm
 * @throws CliError that says the stop was not confirmed
 */
async function stopThroughRedis(
  context: Context,
  options: CommonOptions & { reason: string },
  instrument: string | undefined,
  error: unknown,
): Promise<StopState> {
  if (!(error instanceof CliError)) throw error
  const notConfirmed = (why: string): CliError =>
    new CliError(
      error.exit,
      `THE STOP WAS NOT CONFIRMED. If it is urgent, switch off at the bench. ${error.message} ${why}`.trim(),
      { cause: error, details: error.details },
    )
  if (error.details['code'] !== undefined) throw notConfirmed('')
  try {
    const site = await loadChosenSite(context, options)
    if (instrument !== undefined && !site.instruments.some(({ id }) => id === instrument)) {
      throw new CliError('refused', `${site.file} has no instrument "${instrument}".`)
    }
    const redisUrl = await redisUrlOf(site)
    const { openSiteClient, untilConnected } = await import('@golem/queue')
    const client = openSiteClient({ site: site.name, redisUrl, maxWaiting: site.maxWaiting })
    try {
      await untilConnected(client, CONNECT_MS)
      const by = `${userInfo().username} at ${hostname()}`
      const reason = options.reason
      return await client.stop({ by, reason, ...(instrument === undefined ? {} : { instrument }) })
    } finally {
      await client.close()
    }
  } catch (second) {
    throw notConfirmed(`Directly through Redis it failed too: ${messageOf(second)}`)
  }
}
