import type { Calibration, CalibrationDraft, CurveKind, MeasuredPoint } from '@golem/core'
import { type Command, Option } from 'commander'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { measure, measureAsRead, type Subject } from '../calibrate/measure.ts'
import { pointsFromCsv, setPoints } from '../calibrate/sweep.ts'
import type { ApiClient } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable, table } from '../format.ts'
import { count, seconds, withApi } from '../options.ts'
import { splitTarget } from './get.ts'
import { findInstrument } from './list.ts'

interface CalibrateOptions extends CommonOptions {
  points?: string
  sweep: string[]
  settle: number
  kind?: CurveKind
  degree?: number
  note?: string
  by?: string
  dryRun?: boolean
}

interface Fit {
  rSquared: number | null
  rmsd: number
  residuals: number[]
}

interface All {
  calibrations: { name: string; version: string; versions: Calibration[] }[]
  drafts: CalibrationDraft[]
}

/** `golem calibrate`: shows calibrations; measures and makes a new version. */
export function calibrate(program: Command, context: Context): Command {
  return withApi(program.command('calibrate'))
    .description(
      'without a parameter: shows calibrations and their history; with one: sweeps its inputs, asks what the meter shows, fits, and saves a new version',
    )
    .argument('[instrument.parameter]', 'a parameter that a calibration makes')
    .option(
      '--sweep <range>',
      'NAME=FROM..TO/STEP, for each input (default: its limits, in five steps)',
      gather,
      [],
    )
    .option('--settle <s>', 'how long each point settles', seconds, 5)
    .option('--points <file>', 'a table (CSV) of points in place of the sweep: the inputs, then the value')
    .addOption(
      new Option('--kind <curve>', 'default: linear; of two inputs: surface').choices([
        'linear',
        'polynomial',
        'table',
        'surface',
      ]),
    )
    .option('--degree <n>', 'of a polynomial (default: 2)', count)
    .option('--note <text>', 'what one should know about it')
    .option('--by <name>', 'who measured (default: you)')
    .option('--dry-run', 'shows the fit and saves nothing')
    .addHelpText(
      'after',
      '\nEach point is kept as it comes: after a break the same command goes on. An empty answer skips a point, "end" goes to the fit.\n\n' +
        'Examples:\n  golem calibrate\n  golem calibrate exp-lamp.ppfd --sweep red=0..100/20 --sweep white=0..100/20\n' +
        '  golem calibrate exp-lamp.ppfd --points measured.csv --note "new meter" --dry-run',
    )
    .action(async (what: string | undefined, options: CalibrateOptions) => {
      const api = openApi(context, options)
      const all = await api.request<All>('/api/calibrations', { retry: true })
      if (what === undefined) return show(context, options, all)
      const subject = subjectOf(await api.instruments(), what)
      const points = await pointsOf(context, api, subject, options, all)
      const made = await make(api, subject, points, options)
      await report(context, options, subject, points, made)
    })
}

function gather(text: string, before: string[]): string[] {
  return [...before, text]
}

async function show(context: Context, { json }: CommonOptions, { calibrations, drafts }: All): Promise<void> {
  if (json) return context.out(JSON.stringify({ calibrations, drafts }, null, 2))
  if (calibrations.length === 0) context.out('There are no calibrations yet.')
  const rows = calibrations.flatMap(({ name, version, versions }) =>
    versions.map((one) => [
      name,
      one.version === version ? `${one.version} *` : one.version,
      one.at.slice(0, 16).replace('T', ' '),
      one.by,
      one.curve.kind,
      one.rSquared === undefined ? '' : one.rSquared.toFixed(5),
      one.source,
      one.note ?? '',
    ]),
  )
  if (rows.length > 0) {
    const head = ['name', 'version', 'made', 'by', 'curve', 'R²', 'source', 'note']
    context.out(await table([head, ...rows]))
    context.out('* counts now')
  }
  for (const { name, of, points } of drafts) {
    context.out(
      printable(`${name}: ${points.length} points of ${of} are measured; \`golem calibrate ${of}\` goes on.`),
    )
  }
}

function subjectOf(instruments: Awaited<ReturnType<ApiClient['instruments']>>, what: string): Subject {
  const [id, name = ''] = splitTarget(what)
  const instrument = findInstrument(instruments, id)
  const parameter = Object.hasOwn(instrument.parameters, name) ? instrument.parameters[name] : undefined
  if (parameter?.calibration) return { instrument, mark: parameter.calibration, of: what }
  const known = Object.entries(instrument.parameters).flatMap(([one, { calibration }]) =>
    calibration ? [one] : [],
  )
  throw new CliError(
    'refused',
    `No calibration makes ${what}. Of ${id} they make: ${known.join(', ') || 'none ("calibrations:" in the site file names them)'}.`,
    { details: { code: 'UNKNOWN_NAME' } },
  )
}

async function pointsOf(
  context: Context,
  api: ApiClient,
  subject: Subject,
  options: CalibrateOptions,
  { drafts }: All,
): Promise<MeasuredPoint[]> {
  const { instrument, mark, of } = subject
  if (options.points !== undefined) {
    const file = path.resolve(context.cwd, options.points)
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new CliError('usage', `${file} can't be read.`, { cause: error })
    })
    return pointsFromCsv(text, mark.from.length)
  }
  if (!context.interactive) {
    throw new CliError('usage', 'Nobody is at the terminal who could read the meter: give --points, a table.')
  }
  const kept = drafts.find(({ name, of: other }) => name === mark.name && other === of)?.points ?? []
  if (kept.length > 0) context.err(`${kept.length} points were measured before; they are kept.`)
  if (!mark.from.every((name) => instrument.parameters[name]?.writable)) {
    return [...kept, ...(await measureAsRead(context, api, subject))]
  }
  const known = new Set(kept.map(({ inputs }) => inputs.join(' ')))
  const left = setPoints(instrument, mark.from, options.sweep).filter((point) => !known.has(point.join(' ')))
  return [...kept, ...(await measure(context, api, subject, left, options.settle))]
}

async function make(
  api: ApiClient,
  { instrument, mark, of }: Subject,
  points: readonly MeasuredPoint[],
  options: CalibrateOptions,
): Promise<{ fit: Fit; saved: Calibration | null }> {
  const { kind = mark.from.length === 2 ? 'surface' : 'linear', degree, note, by, dryRun } = options
  const curve = { kind, ...(degree === undefined ? {} : { degree }), points }
  const fit = await api.request<Fit>('/api/calibrations/fit', { method: 'POST', body: curve, retry: true })
  if (dryRun) return { fit, saved: null }
  const unit = instrument.parameters[splitTarget(of)[1] ?? '']?.unit
  const saved = await api.request<Calibration>('/api/calibrations', {
    method: 'POST',
    body: {
      name: mark.name,
      of,
      ...curve,
      ...(unit === undefined ? {} : { unit }),
      ...(note === undefined ? {} : { note }),
      ...(by === undefined ? {} : { by }),
    },
    unknownHint: 'Whether it was saved is not known: see `golem calibrate`.',
  })
  return { fit, saved }
}

async function report(
  context: Context,
  { json }: CommonOptions,
  { mark }: Subject,
  points: readonly MeasuredPoint[],
  { fit, saved }: { fit: Fit; saved: Calibration | null },
): Promise<void> {
  if (json) return context.out(JSON.stringify({ fit, saved }, null, 2))
  const rows = points.map(({ inputs, value }, n) => [
    ...inputs.map(String),
    String(value),
    (fit.residuals[n] ?? 0).toPrecision(3),
  ])
  context.out(await table([[...mark.from, 'measured', 'misses by'], ...rows]))
  const rSquared = fit.rSquared === null ? 'not to be told' : fit.rSquared.toFixed(5)
  context.out(`R² ${rSquared}, root mean square ${fit.rmsd.toPrecision(3)}`)
  context.out(
    saved
      ? `saved: ${mark.name}, version ${saved.version}; it counts from now on`
      : 'nothing was saved (--dry-run)',
  )
}
