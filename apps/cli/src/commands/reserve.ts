import { parseDuration } from '@golem/config'
import { type Command, InvalidArgumentError } from 'commander'
import type { ReservationRequest } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'
import { reservationInWords, timeOf } from '../reservation.ts'

const DAY_MS = 24 * 3_600_000

interface ReserveOptions extends CommonOptions {
  for?: number
  until?: string
  from?: string
  note?: string
  quiet?: number
  share?: string[]
  handOver?: string
  wait?: boolean
  safe?: boolean
  show?: boolean
}

/** `golem reserve`: the right to command an instrument. */
export function reserve(program: Command, context: Context): Command {
  return withApi(program.command('reserve'))
    .description('reserves an instrument: others can look, but not command it; renews what is yours already')
    .argument('<instrument>', 'id of an instrument')
    .option('--for <span>', 'how long, e.g. 2h, 90min, 3d (default: 1h; yours already: as it is)', span)
    .option('--until <time>', 'instead: until when, e.g. 18:30 or "2026-05-01 18:30"')
    .option('--from <time>', 'books a time to come, with --for or --until')
    .option('--note <text>', 'what for; everybody sees it')
    .option('--quiet <span>', 'for so long you will not be heard of, and it is not abandoned', span)
    .option('--share <name...>', 'others who may command it too ("nobody": no one any more)')
    .option('--hand-over <name>', 'gives it to somebody else')
    .option('--wait', 'waits in line when somebody else has it')
    .option('--safe', 'if it is not given back, outputs go to their safe state at its end')
    .option('--show', 'only shows who has it, who waits and who has booked it')
    .addHelpText(
      'after',
      '\n`golem give-back` ends it. Who you are says your token or, where there are none, GOLEM_USER.\n\nExamples:\n  golem reserve lamp-1 --for 2h --note "growth curve"\n  golem reserve lamp-1 --wait\n  golem reserve lamp-1 --from "2026-05-01 18:00" --for 12h\n  golem reserve lamp-1 --share Bob Eve\n  golem reserve lamp-1 --hand-over Bob',
    )
    .action(async (id: string, options: ReserveOptions) => {
      const api = openApi(context, options)
      const now = Date.parse((await api.state()).at)
      const state = options.show ? await api.reservation(id) : await api.reserve(id, requestOf(options, now))
      context.out(
        options.json ? JSON.stringify(state, null, 2) : printable(reservationInWords(id, state, now)),
      )
    })
}

/** @param now - the site's clock, ms since 1970 */
function requestOf(options: ReserveOptions, now: number): ReservationRequest {
  if (options.for !== undefined && options.until !== undefined) {
    throw new CliError('usage', 'Give either --for or --until.')
  }
  const { note, share } = options
  const quietUntil =
    options.quiet === undefined ? {} : { quietUntil: new Date(now + options.quiet).toISOString() }
  return {
    ...(options.for === undefined ? {} : { forMs: options.for }),
    ...(options.until === undefined ? {} : { until: timeOf(options.until) }),
    ...(options.from === undefined ? {} : { from: timeOf(options.from) }),
    ...(note === undefined ? {} : { note }),
    ...quietUntil,
    ...(share === undefined ? {} : { share: share.filter((name) => name !== 'nobody') }),
    ...(options.handOver === undefined ? {} : { to: options.handOver }),
    ...(options.wait ? { wait: true } : {}),
    ...(options.safe ? { onExpiry: 'safe' } : {}),
  }
}

/** Reads a span of hours or days in ms: `90 min`, `2h`, `1 d 12 h`. */
function span(text: string): number {
  const parts = text.split(/(?<=[a-z])\s*(?=\d)/).map((part) => {
    const days = /^(\d+(?:\.\d+)?) ?d$/.exec(part)?.[1]
    return days === undefined ? parseDuration(part) : Number(days) * DAY_MS
  })
  const ms = parts.reduce<number>((sum, part) => sum + (part ?? Number.NaN), 0)
  if (!(ms >= 1_000)) throw new InvalidArgumentError('It has to be a span of time, e.g. 2h, 90min or 1d12h.')
  return Math.round(ms)
}
