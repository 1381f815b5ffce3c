import type { Command } from 'commander'
import type { FleetDocument, StateDocument } from '@golem/core'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { ageInWords, printable, spanInWords, table } from '../format.ts'
import { withApi } from '../options.ts'
import { holderInWords } from '../reservation.ts'

/** `golem status`: the whole site at one look. */
export function status(program: Command, context: Context): Command {
  return withApi(program.command('status'))
    .description('shows bus, workers, stops, instruments and queues; exit code 1 when something is not well')
    .addHelpText(
      'after',
      '\nExamples:\n  golem status\n  golem status --url http://pi-1.lab.example:8000 --json',
    )
    .action(async (options: CommonOptions) => {
      const api = openApi(context, options)
      const [state, fleet] = await Promise.all([api.state(), api.fleet()])
      const troubles = troublesOf(state, fleet)
      if (options.json) context.out(JSON.stringify({ url: api.url, troubles, state, fleet }, null, 2))
      else context.out(await inWords(api.url, state, fleet))
      if (troubles.length > 0) throw new CliError('failed', `Not all is well: ${troubles.join('; ')}.`)
    })
}

function troublesOf(state: StateDocument, fleet: FleetDocument): string[] {
  const troubles: string[] = []
  if (!state.bus.ok) troubles.push(`no Redis: ${state.bus.message}`)
  if (!fleet.workers.some((worker) => worker.alive)) troubles.push('no worker is running')
  for (const { alive, writes, trouble } of fleet.archivers) {
    if (alive && writes && trouble) troubles.push(`archive: ${trouble.message}`)
  }
  if (state.stop.site) troubles.push('the emergency stop is in force')
  const stopped = Object.keys(state.stop.instruments)
  if (stopped.length > 0) troubles.push(`stopped: ${stopped.join(', ')}`)
  const bad = Object.entries(state.instruments).filter(([, one]) => one.condition !== 'ok')
  if (bad.length > 0) troubles.push(`not ok: ${bad.map(([id]) => id).join(', ')}`)
  const calling = state.alarms.filter(
    ({ acknowledged, inhibited }) => !acknowledged && inhibited === undefined,
  )
  if (calling.length > 0) troubles.push(`nobody has acknowledged ${calling.map(({ id }) => id).join(', ')}`)
  return troubles.map(printable)
}

async function inWords(url: string, state: StateDocument, fleet: FleetDocument): Promise<string> {
  const now = Date.parse(state.at)
  const roundTrip =
    fleet.bus.roundTripMs === null ? '' : `, round trip ${fleet.bus.roundTripMs.toFixed(1)} ms`
  const head = [
    `golem at ${url}, version ${fleet.web.version}, web process up ${spanInWords(now - Date.parse(fleet.web.startedAt))}`,
    `bus: ${state.bus.ok ? `ok, Redis ${fleet.bus.redisVersion ?? '?'}${roundTrip}` : `DOWN ${ageInWords(state.bus.since, now)}: ${state.bus.message}`}`,
    ...stopLines(state, now),
  ].map(printable)
  const workers = fleet.workers.map((worker) => [
    worker.id,
    worker.host,
    worker.alive ? 'alive' : 'GONE',
    spanInWords(worker.ageMs),
    String(worker.links.length),
    `${worker.cpuPercent.toFixed(0)} %`,
    `${worker.rssMb.toFixed(0)} MB`,
  ])
  const archivers = fleet.archivers.map((archiver) => [
    archiver.id,
    archiver.host,
    archiver.alive ? (archiver.writes ? 'writes' : 'stands by') : 'GONE',
    spanInWords(archiver.ageMs),
    archiver.backlog === 0
      ? ''
      : `${archiver.backlog} of ${archiver.backlogLimit}, ${spanInWords(archiver.behindMs)}`,
    bytesInWords(archiver.sizeBytes),
    bytesInWords(archiver.freeBytes),
    archiver.trouble?.message ?? '',
  ])
  const instruments = Object.entries(state.instruments).map(([id, one]) => [
    id,
    one.condition === 'ok' ? 'ok' : one.condition.toUpperCase(),
    ageInWords(one.seenAt, now),
    one.owner ?? 'nobody',
    queueInWords(one.queue),
    holderInWords(one.reservation, now),
    one.message,
  ])
  return [
    head.join('\n'),
    workers.length === 0
      ? 'No worker has ever reported.'
      : await table([['worker', 'host', 'is', 'last beat', 'links', 'cpu', 'memory'], ...workers]),
    ...(archivers.length === 0
      ? []
      : [await table([['archiver', 'host', 'is', 'last beat', 'waits', 'takes', 'left', ''], ...archivers])]),
    instruments.length === 0
      ? 'No instruments.'
      : await table([
          ['instrument', 'condition', 'seen', 'owner', 'queue', 'reserved by', ''],
          ...instruments,
        ]),
  ].join('\n\n')
}

function bytesInWords(bytes: number | null): string {
  if (bytes === null) return ''
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

function stopLines(state: StateDocument, now: number): string[] {
  const { site, instruments } = state.stop
  const all = [...(site ? [['EVERYTHING', site] as const] : []), ...Object.entries(instruments)]
  return all.map(
    ([what, stop]) => `STOPPED: ${what}, ${ageInWords(stop.since, now)}, by ${stop.by}: ${stop.reason}`,
  )
}

function queueInWords(queue: StateDocument['instruments'][string]['queue']): string {
  if (queue.waiting === 0) return queue.running ? 'running' : ''
  return `${queue.waiting} wait, oldest ${spanInWords(queue.oldestMs)}`
}
