import type {
  ArchivedSeries,
  CommandRecord,
  HistoryDocument,
  HistorySeries,
  RunRow,
  SiteEvent,
} from '@golem/core'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ApiClient } from '../client.ts'
import type { Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { download } from '../export/download.ts'
import { RunsApi } from '../runs/runs-api.ts'
import { filesIn, writeSums } from './checksums.ts'
import type { PageData, RunArchiveDocument } from './contents.ts'
import { writeDocuments } from './documents.ts'
import { fetchLines } from './ndjson-file.ts'
import { readmeOf } from './readme.ts'
import { writeGaps, writeRows } from './tables.ts'

/** The page as it is shipped; apps/cli/dist/bundle is two levels below it. */
const PAGE = fileURLToPath(new URL('../../bundle-page', import.meta.url))
/** Of each series, for the page. */
const POINTS = 1_500
/** Series of one question. */
const SERIES_AT_ONCE = 20
/** Entries of the log, and commands, that the page shows. */
const ENTRIES_SHOWN = 2_000

export interface BundleRequest {
  run: string
  /** Where it is to be; must not exist. */
  folder: string
  /** Series to be taken instead of those of the run's instruments; `*`: all. */
  series: readonly string[]
}

/**
 * Makes a folder with all there is to a run. It has its name when it is whole.
 *
 * @param tell - told of each step, as a sentence
 * @returns the series and the files it has
 */
export async function makeBundle(
  context: Context,
  api: ApiClient,
  { run: id, folder, series: wanted }: BundleRequest,
  tell: (step: string) => void,
): Promise<{ series: number; files: number; bytes: number }> {
  if (existsSync(folder))
    throw new CliError('usage', `${folder} is there already: name another with --output.`)
  const part = `${folder}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(join(part, 'page'), { recursive: true })
  const archive = await api.request<RunArchiveDocument>(`/api/runs/${encodeURIComponent(id)}/archive`, {
    retry: true,
  })
  const { run } = archive
  const origin = await originOf(api)
  const span = spanOf(run, Date.parse(origin.exportedAt))
  const instruments = await instrumentsOf(api, archive)
  const chosen = await seriesOf(api, wanted, instruments, span)

  tell(`readings of ${chosen.length} series`)
  const notes = await fetchReadings(context, api, part, chosen, span)
  tell('log, commands and rows')
  const isOurs = ({ instrument, run: of }: { instrument?: string; run?: string }): boolean =>
    (instrument === undefined || instruments.includes(instrument)) && (of === undefined || of === id)
  const stages: { name: string; from: number }[] = []
  const alarms: SiteEvent[] = []
  const events = await fetchLines<SiteEvent>(api, { what: 'events', ...span }, join(part, 'log.ndjson'), {
    isWanted: isOurs,
    shown: ENTRIES_SHOWN,
    seen: (event) => {
      if (event.kind === 'alarm') alarms.push(event)
      if (event.run !== id || event.stage === undefined || event.stage === stages.at(-1)?.name) return
      stages.push({ name: event.stage, from: Date.parse(event.at) })
    },
  })
  writeFileSync(join(part, 'alarms.ndjson'), alarms.map((alarm) => `${JSON.stringify(alarm)}\n`).join(''))
  const commands = await fetchLines<CommandRecord>(
    api,
    { what: 'commands', ...span },
    join(part, 'commands.ndjson'),
    {
      isWanted: ({ instrument }) => instruments.includes(instrument),
      shown: ENTRIES_SHOWN,
    },
  )
  const rows = join(part, 'rows.ndjson')
  await fetchLines<RunRow>(api, { what: 'rows', run: id, ...span }, rows, { isWanted: () => true, shown: 0 })
  await writeRows(rows, join(part, 'rows.csv'))

  tell('page and checksums')
  const documents = writeDocuments(part, archive.documents)
  const history = await historyOf(api, chosen, span)
  writeJson(part, 'run.json', { ...run, span, instruments })
  writeJson(
    part,
    'completeness.json',
    Object.fromEntries(history.map((one) => [one.series, one.completeness])),
  )
  writeFileSync(join(part, 'README.txt'), readmeOf(run, origin, span))
  copyPage(part)
  const files = filesIn(part).map((file) => ({ file, bytes: statSync(join(part, file)).size }))
  const data: PageData = {
    run,
    origin,
    span,
    instruments,
    series: history,
    stages,
    events,
    commands,
    documents,
    files,
    ...notes,
  }
  writeFileSync(join(part, 'page', 'data.js'), `window.GOLEM_BUNDLE = ${JSON.stringify(data)}\n`)
  await writeSums(part)
  renameSync(part, folder)
  const all = filesIn(folder)
  const bytes = all.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  return { series: chosen.length, files: all.length, bytes }
}

/** From the begin of a run to its end, or until now. */
function spanOf(run: RunArchiveDocument['run'], now: number): { from: string; to: string } {
  const from = run.startedAt ?? run.submittedAt
  // The last reading belongs to it, and what is written about its end.
  const end = run.endedAt === undefined ? now : Date.parse(run.endedAt) + 1_000
  return { from, to: new Date(Math.min(now, Math.max(end, Date.parse(from) + 1))).toISOString() }
}

/** Those that the archive knows of, and those that the recipe names, as far as the site still has it. */
async function instrumentsOf(api: ApiClient, { run, instruments }: RunArchiveDocument): Promise<string[]> {
  const recipe = (await new RunsApi(api).recipes()).find(({ id }) => id === run.recipe)
  const named = recipe ? [...recipe.commands, ...recipe.reads] : []
  return [...new Set([...instruments, ...named])].sort()
}

async function seriesOf(
  api: ApiClient,
  wanted: readonly string[],
  instruments: readonly string[],
  span: { from: string; to: string },
): Promise<string[]> {
  const all = await api.request<ArchivedSeries[]>(`/api/series?${String(new URLSearchParams(span))}`, {
    retry: true,
  })
  const isWanted = ({ series, instrument }: ArchivedSeries): boolean =>
    wanted.length === 0
      ? instruments.includes(instrument)
      : wanted.some((name) => name === '*' || name === series || name === instrument)
  const chosen = all.filter(isWanted).map(({ series }) => series)
  if (chosen.length > 0) return chosen
  throw new CliError(
    'refused',
    `The archive has no series of ${wanted.length > 0 ? wanted.join(', ') : 'this run'}.`,
  )
}

/** readings.csv, readings.parquet and gaps.csv. */
async function fetchReadings(
  context: Context,
  api: ApiClient,
  folder: string,
  series: readonly string[],
  span: { from: string; to: string },
): Promise<Awaited<ReturnType<typeof writeGaps>>> {
  for (const format of ['csv', 'parquet'] as const) {
    const query = String(new URLSearchParams({ series: series.join(','), ...span, format }))
    await download(context, api, {
      query: `/api/export?${query}`,
      file: join(folder, `readings.${format}`),
      format,
    })
  }
  return writeGaps(join(folder, 'readings.csv'), join(folder, 'gaps.csv'))
}

async function historyOf(
  api: ApiClient,
  series: readonly string[],
  span: { from: string; to: string },
): Promise<HistorySeries[]> {
  const found: HistorySeries[] = []
  for (let at = 0; at < series.length; at += SERIES_AT_ONCE) {
    const names = series.slice(at, at + SERIES_AT_ONCE).join(',')
    const query = String(new URLSearchParams({ series: names, ...span, points: String(POINTS) }))
    const { series: part } = await api.request<HistoryDocument>(`/api/history?${query}`, { retry: true })
    found.push(...part)
  }
  return found
}

async function originOf(api: ApiClient): Promise<PageData['origin']> {
  const { site, title, version } = await api.request<{ site: string; title: string; version: string }>(
    '/api/session',
    {
      retry: true,
    },
  )
  return { site, title, golem: version, exportedAt: (await api.state()).at }
}

function writeJson(folder: string, file: string, value: unknown): void {
  writeFileSync(join(folder, file), `${JSON.stringify(value, null, 2)}\n`)
}

/** The page, and the library that draws its plots. */
function copyPage(folder: string): void {
  for (const file of readdirSync(PAGE)) {
    copyFileSync(join(PAGE, file), join(folder, file === 'index.html' ? file : join('page', file)))
  }
  const uplot = dirname(fileURLToPath(import.meta.resolve('uplot')))
  for (const file of ['uPlot.iife.min.js', 'uPlot.min.css'])
    copyFileSync(join(uplot, file), join(folder, 'page', file))
}
