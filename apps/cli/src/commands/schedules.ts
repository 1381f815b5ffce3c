import type { PlannedStart, ScheduleState } from '@golem/core'
import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { count, withApi } from '../options.ts'
import { schedulesTable, startsTable } from '../schedules/words.ts'

/** How long the scheduler is given to do what it was asked, in ms. */
const ANSWER_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 150

/** `golem schedules`: when runs start by themselves. */
export function schedules(program: Command, context: Context): Command {
  const group = withApi(program.command('schedules'))
    .description('shows when runs start by themselves, and what became of planned starts; switches schedules')
    .addHelpText(
      'after',
      '\nSchedules are written in the site file (instance/README.md); here they are switched on and off.\n\n' +
        'Examples:\n  golem schedules\n  golem schedules off exp-ventilation\n  golem schedules on exp-ventilation\n' +
        '  golem schedules starts exp-ventilation --limit 50',
    )
    .action(async (options: CommonOptions) => {
      const api = openApi(context, options)
      const found = await all(api)
      if (options.json) return context.out(JSON.stringify(found, null, 2))
      if (found.length === 0) {
        return context.out('There are no schedules; "schedules:" in the site file names them.')
      }
      context.out(printable(await schedulesTable(found, Date.parse((await api.state()).at))))
    })
  turn(group, context, true)
  turn(group, context, false)
  starts(group, context)
  return group
}

function sub(group: Command, name: string): Command {
  return withApi(group.command(name)).option('--json', 'print JSON instead of text')
}

function turn(group: Command, context: Context, enabled: boolean): void {
  const word = enabled ? 'on' : 'off'
  sub(group, word)
    .description(
      enabled
        ? 'switches a schedule on: it plans from now on, and makes up for nothing'
        : 'switches a schedule off: nothing is started any more; a run that goes on is left alone',
    )
    .argument('<schedule>', 'id of a schedule')
    .addHelpText('after', `\nExamples:\n  golem schedules ${word} exp-ventilation`)
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      const api = openApi(context, options)
      await find(api, id)
      await api.request(`/api/schedules/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        body: { enabled },
        unknownHint: 'Whether it was switched is not known: see `golem schedules`.',
      })
      const now = await untilSwitched(api, id, enabled)
      if (options.json) return context.out(JSON.stringify(now, null, 2))
      const next = now.next[0] === undefined ? '' : `; the next start is planned for ${now.next[0]}`
      context.out(`${id} is ${word}${next}`)
    })
}

function starts(group: Command, context: Context): void {
  sub(group, 'starts')
    .description('shows what became of planned starts, newest first')
    .argument('[schedule]', 'id of a schedule (default: all)')
    .option('--limit <n>', 'how many', count, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  golem schedules starts\n  golem schedules starts exp-ventilation --json',
    )
    .action(async (id: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { limit: number }>()
      const api = openApi(context, options)
      if (id !== undefined) await find(api, id)
      const query = new URLSearchParams({
        limit: String(options.limit),
        ...(id === undefined ? {} : { schedule: id }),
      })
      const found = await api.request<PlannedStart[]>(`/api/schedules/starts?${query.toString()}`, {
        retry: true,
      })
      if (options.json) return context.out(JSON.stringify(found, null, 2))
      if (found.length === 0) return context.out('Nothing was planned so far.')
      context.out(printable(await startsTable(found, Date.parse((await api.state()).at))))
    })
}

function all(api: ApiClient): Promise<ScheduleState[]> {
  return api.request('/api/schedules', { retry: true })
}

/** @throws CliError refused, naming those there are */
async function find(api: ApiClient, id: string): Promise<ScheduleState> {
  const found = await all(api)
  const one = found.find((each) => each.id === id)
  if (one) return one
  const known = found.map((each) => each.id).join(', ') || 'none; the site file names them'
  throw new CliError('refused', `There is no schedule "${id}". There are: ${known}.`, {
    details: { code: 'NOT_FOUND' },
  })
}

async function untilSwitched(api: ApiClient, id: string, enabled: boolean): Promise<ScheduleState> {
  const end = performance.now() + ANSWER_WITHIN_MS
  for (;;) {
    const now = await find(api, id)
    if (now.enabled === enabled) return now
    if (performance.now() > end) {
      throw new CliError('unknown', `The scheduler has not switched ${id} yet: see \`golem schedules\`.`)
    }
    await sleep(LOOK_EVERY_MS)
  }
}
