import type { InterlockRecord, InterlockRule, InterlockTrip, InterlockView } from '@golem/core'
import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'

interface InterlocksOptions extends CommonOptions {
  reset?: boolean
  note?: string
}

/** An entry of `GET /api/interlocks`. */
type Listed = InterlockRule & {
  at: Readonly<Record<string, Omit<InterlockView, 'name'>>>
  tripped: InterlockTrip | null
}

/** `golem interlocks`: how they stand, and their reset. */
export function interlocks(program: Command, context: Context): Command {
  return withApi(program.command('interlocks'))
    .description('shows the interlocks of the site, or resets one that has tripped')
    .argument('[name]', 'name of an interlock (default: all)')
    .option('--reset', 'resets it, once its cause is over; nothing is switched on again by this')
    .option('--note <text>', 'with --reset: what you found, and did about it')
    .addHelpText(
      'after',
      '\nAn interlock that has tripped holds its outputs until a person resets it.\n\nExamples:\n  golem interlocks\n  golem interlocks door --reset --note "hinge replaced"',
    )
    .action(async (name: string | undefined, options: InterlocksOptions) => {
      const api = openApi(context, options)
      if (options.reset) {
        if (name === undefined)
          throw new CliError('usage', 'Which one? `golem interlocks` shows those there are.')
        const record = await api.request<InterlockRecord>(
          `/api/interlocks/${encodeURIComponent(name)}/reset`,
          {
            method: 'POST',
            body: { note: options.note ?? '' },
            retry: true,
            unknownHint: 'Whether it was reset is not known: see `golem interlocks`.',
          },
        )
        context.out(
          options.json ? JSON.stringify(record) : printable(`${name} is reset. Outputs stay as they are.`),
        )
        return
      }
      const all = await api.request<Listed[]>('/api/interlocks', { retry: true })
      const chosen = all.filter((one) => name === undefined || one.name === name)
      if (name !== undefined && chosen.length === 0) {
        throw new CliError('refused', `The site has no interlock "${name}".`)
      }
      if (options.json) context.out(JSON.stringify(chosen, null, 2))
      else if (chosen.length === 0) context.out('The site has no interlocks.')
      else for (const one of chosen) context.out(printable(inWords(one)))
    })
}

function inWords({ name, at, tripped, guidance }: Listed): string {
  const lines = Object.entries(at).map(
    ([instrument, { condition, message }]) => `  ${instrument}: ${condition}: ${message}`,
  )
  const trip = tripped ? [`  TRIPPED at ${tripped.at}: ${tripped.message}`] : []
  const advice = tripped && guidance !== undefined ? [`  ${guidance}`] : []
  const nobody = lines.length === 0 ? ['  no worker keeps it just now'] : []
  return [name, ...trip, ...advice, ...lines, ...nobody].join('\n')
}
