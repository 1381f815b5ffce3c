import type { AlarmRecord, SiteEvent } from '@golem/core'
import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { ageInWords, printable, table } from '../format.ts'
import { count, withApi } from '../options.ts'

/** How long the scheduler is given to do what it was asked, in ms. */
const ANSWER_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 150

interface NotifierAnswer {
  name: string
  kind: string
  severities: string[]
  failing: string | null
}

/** `golem alarms`: what calls a person, and who is told. */
export function alarms(program: Command, context: Context): Command {
  const group = withApi(program.command('alarms'))
    .description('shows alarms; acknowledges them; shows who is told of them and sends tests')
    .addHelpText(
      'after',
      '\nWho you are says your token or, where there are none, GOLEM_USER.\n\nExamples:\n  golem alarms\n' +
        '  golem alarms ack lamp-1.temperature.high --note "turned it down"\n  golem alarms history --limit 50\n' +
        '  golem alarms notifiers\n  golem alarms test mail',
    )
    .action(async (options: CommonOptions) => {
      const api = openApi(context, options)
      const found = await all(api)
      if (options.json) return context.out(JSON.stringify(found, null, 2))
      if (found.length === 0) return context.out('There are no alarms.')
      context.out(await inWords(found, Date.parse((await api.state()).at)))
    })
  acknowledge(group, context)
  history(group, context)
  notifiers(group, context)
  testNotifier(group, context)
  return group
}

function acknowledge(group: Command, context: Context): void {
  sub(group, 'ack')
    .description('says that you have seen an alarm; one that is over is settled with that')
    .argument('<alarm...>', 'ids of alarms')
    .option('--note <text>', 'what you make of it, or do about it; everybody sees it')
    .addHelpText('after', '\nExamples:\n  golem alarms ack lamp-1.temperature.high --note "on my way"')
    .action(async (ids: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { note?: string }>()
      const api = openApi(context, options)
      const { note } = options
      for (const id of ids) {
        await api.request<AlarmRecord>(`/api/alarms/${encodeURIComponent(id)}/acknowledge`, {
          method: 'POST',
          body: note === undefined ? {} : { note },
          unknownHint: 'Whether it was acknowledged is not known: see `golem alarms`.',
        })
      }
      const left = await acknowledged(api, ids)
      if (options.json) context.out(JSON.stringify(left, null, 2))
      else {
        for (const id of ids) {
          const isLeft = left.some((alarm) => alarm.id === id)
          context.out(printable(`${id}: ${isLeft ? 'acknowledged' : 'acknowledged, and settled'}`))
        }
      }
    })
}

/** Waits until the scheduler has done it. @returns those of the alarms that are still there */
async function acknowledged(api: ApiClient, ids: readonly string[]): Promise<AlarmRecord[]> {
  const end = performance.now() + ANSWER_WITHIN_MS
  for (;;) {
    const mine = (await all(api)).filter(({ id }) => ids.includes(id))
    if (mine.every((alarm) => alarm.acknowledged !== null)) return mine
    if (performance.now() > end) {
      throw new CliError('unknown', 'The scheduler has not done it yet: see `golem alarms`.')
    }
    await sleep(LOOK_EVERY_MS)
  }
}

function history(group: Command, context: Context): void {
  sub(group, 'history')
    .description('shows what became of alarms, the newest last')
    .option('--limit <n>', 'how many', count, 20)
    .addHelpText('after', '\nExamples:\n  golem alarms history --limit 50')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { limit: number }>()
      const api = openApi(context, options)
      const events = await api.request<SiteEvent[]>(`/api/alarms/history?limit=${options.limit}`, {
        retry: true,
      })
      if (options.json) return context.out(JSON.stringify(events, null, 2))
      for (const { at, message } of events) context.out(printable(`${at}  ${message}`))
    })
}

function notifiers(group: Command, context: Context): void {
  sub(group, 'notifiers')
    .description('shows who is told of alarms')
    .addHelpText('after', '\nExamples:\n  golem alarms notifiers')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      const found = await openApi(context, options).request<NotifierAnswer[]>('/api/notifiers', {
        retry: true,
      })
      if (options.json) return context.out(JSON.stringify(found, null, 2))
      if (found.length === 0) {
        return context.out('Nobody is told of alarms. "notify" in site.yaml says who is to be.')
      }
      const rows = found.map((one) => [one.name, one.kind, one.severities.join(', '), one.failing ?? 'works'])
      context.out(await table([['notifier', 'kind', 'is told of', ''], ...rows]))
    })
}

function testNotifier(group: Command, context: Context): void {
  sub(group, 'test')
    .description('sends a test to a notifier; takes the role admin')
    .argument('<notifier>', 'its name in site.yaml')
    .addHelpText('after', '\nExamples:\n  golem alarms test mail')
    .action(async (name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      const api = openApi(context, options)
      const before = await api.request<SiteEvent[]>('/api/events?kind=notify&limit=1', { retry: true })
      await api.request(`/api/notifiers/${encodeURIComponent(name)}/test`, {
        method: 'POST',
        unknownHint: 'Whether the test was sent is not known.',
      })
      const said = await testResult(api, name, before[0]?.id ?? '0')
      if (options.json) context.out(JSON.stringify(said, null, 2))
      else context.out(printable(said.message))
      if (said.message.includes('failed')) throw new CliError('failed', 'The notifier does not work.')
    })
}

/** What the log says of the test. */
async function testResult(api: ApiClient, name: string, since: string): Promise<SiteEvent> {
  // A mail server may take its time to say no.
  const end = performance.now() + 4 * ANSWER_WITHIN_MS
  while (performance.now() < end) {
    const events = await api.request<SiteEvent[]>(`/api/events?kind=notify&since=${since}`, { retry: true })
    const said = events.find(({ message }) => message.startsWith(`${name} was tested`))
    if (said) return said
    await sleep(LOOK_EVERY_MS)
  }
  throw new CliError('unknown', 'Nothing is known of the test yet: see the log.')
}

function sub(group: Command, usage: string): Command {
  return withApi(group.command(usage)).option('--json', 'print JSON instead of text')
}

function all(api: ApiClient): Promise<AlarmRecord[]> {
  return api.request('/api/alarms', { retry: true })
}

function inWords(found: readonly AlarmRecord[], now: number): Promise<string> {
  const rows = found.map((alarm) => [
    alarm.id,
    alarm.severity === 'critical' ? 'CRITICAL' : alarm.severity,
    alarm.condition === 'active' ? 'active' : 'over',
    ageInWords(alarm.since, now),
    alarm.acknowledged
      ? [`${alarm.acknowledged.by}:`, alarm.acknowledged.note].join(' ').trim()
      : alarm.inhibited === undefined
        ? 'NOBODY'
        : 'inhibited',
    [alarm.message, alarm.guidance ?? ''].join(' ').trim(),
  ])
  return table([['alarm', 'severity', 'is', 'since', 'seen by', ''], ...rows])
}
