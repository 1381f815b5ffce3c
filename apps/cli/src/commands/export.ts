import { type Command, Option } from 'commander'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import process from 'node:process'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { type FileFormat, download, partOf, piecesOf } from '../export/download.ts'
import { readPartial } from '../export/whole-rows.ts'
import { withApi } from '../options.ts'

const FORMATS = ['csv', 'parquet', 'ndjson'] as const

interface ExportOptions extends CommonOptions {
  from: string
  to: string
  format?: FileFormat
  layout: string
  every: string
  excel?: true | 'semicolon'
  log?: 'events' | 'commands'
  run?: string
  output?: string
  resume?: boolean
}

/** `golem export`: readings, events and commands of the archive as files. */
export function exportReadings(program: Command, context: Context): Command {
  return withApi(program.command('export'))
    .description('writes what the archive has into a file: readings, or with --log what happened')
    .argument('[series...]', 'INSTRUMENT.PARAMETER; INSTRUMENT: all of it; "*": all there are')
    .option('--from <when>', '2026-05-01T08:30:00Z, or counted from now: -7d, -90min', '-1d')
    .option('--to <when>', 'not included', 'now')
    .addOption(
      new Option('--format <format>', 'default: as the name of the file says, else csv').choices(FORMATS),
    )
    .addOption(
      new Option(
        '--layout <layout>',
        'long: a row for each reading; wide: for each time, with a column for each series',
      )
        .choices(['long', 'wide'])
        .default('long'),
    )
    .addOption(
      new Option('--every <span>', 'exact: as stored; else gathered: mean, min, max, count')
        .choices(['exact', 'minute', 'hour'])
        .default('exact'),
    )
    .option(
      '--excel [semicolon]',
      'CSV that Excel opens; "semicolon" where it expects decimal commas, as in German and Russian',
    )
    .addOption(new Option('--log <what>', 'no readings, but lines of JSON').choices(['events', 'commands']))
    .option('--run <id>', 'with --log: only of this run')
    .option('-o, --output <file>', 'the file; FILE.part until it is whole (default: stdout)')
    .option('--resume', 'goes on with FILE.part of an export that broke off; not of Parquet')
    .addHelpText(
      'after',
      '\nTimes are UTC. The first lines, and the metadata of Parquet, say where the file comes from, units, calibrations and\n' +
        'gaps. CSV without its last line "# end, N rows" is not whole.\n\n' +
        'Examples:\n  golem export oven.temperature gas.co2 --from -7d -o week.csv\n' +
        '  golem export "*" --from 2026-05-01T00:00:00Z --to 2026-06-01T00:00:00Z -o may.parquet\n' +
        '  golem export oven --every minute --layout wide --excel -o oven.csv\n' +
        '  golem export -o week.csv --resume\n  golem export --log events --from -1d -o log.ndjson',
    )
    .action(async (series: string[], options: ExportOptions) => {
      const api = openApi(context, options)
      const format = formatOf(options)
      const { output } = options
      if (output === undefined) {
        if (options.resume)
          throw new CliError('usage', '--resume needs the file to go on with: --output FILE.')
        return toStdout(await api.open(queryOf(series, options, format)))
      }
      const file = resolve(context.cwd, output)
      const resume = options.resume ?? false
      const query = resume ? await queryInFile(file, format) : queryOf(series, options, format)
      const bytes = await download(context, api, { query, file, format, resume })
      context.out(options.json ? JSON.stringify({ file, bytes, query }) : `${output}: ${bytes} bytes`)
    })
}

function formatOf({ format, output, log }: ExportOptions): FileFormat {
  if (log !== undefined) {
    if (format !== undefined && format !== 'ndjson')
      throw new CliError('usage', '--log gives lines of JSON only.')
    return 'ndjson'
  }
  const byName = FORMATS.find((known) => known === extname(output ?? '').slice(1))
  return format ?? byName ?? 'csv'
}

function queryOf(series: string[], options: ExportOptions, format: FileFormat): string {
  const { from, to, layout, every, excel, log, run } = options
  if (log !== undefined) {
    if (series.length > 0)
      throw new CliError('usage', '--log is of the whole site, or of a run: name no series.')
    const query = { what: log, from, to, ...(run === undefined ? {} : { run }) }
    return `/api/export/log?${String(new URLSearchParams(query))}`
  }
  if (run !== undefined)
    throw new CliError('usage', '--run goes with --log. All of a run: `golem runs export ID`.')
  if (series.length === 0) throw new CliError('usage', 'Name the series, e.g. oven.temperature, oven or "*".')
  if (excel !== undefined && excel !== true && excel !== 'semicolon') {
    throw new CliError('usage', '--excel stands alone, or as --excel semicolon; name the series before it.')
  }
  if (excel !== undefined && format !== 'csv') throw new CliError('usage', '--excel is a form of CSV.')
  const dialect = excel === undefined ? 'plain' : excel === true ? 'excel' : 'excel-semicolon'
  const query = { series: series.join(','), from, to, format, layout, every, dialect }
  return `/api/export?${String(new URLSearchParams(query))}`
}

/** The request that a file that was cut off is of: times counted from now meant another now. */
async function queryInFile(file: string, format: FileFormat): Promise<string> {
  if (format === 'parquet') {
    throw new CliError(
      'usage',
      "A Parquet file can't be gone on with: its table of contents comes last. Start it again.",
    )
  }
  if (!existsSync(partOf(file))) throw new CliError('usage', `There is no ${partOf(file)} to go on with.`)
  const { query } = await readPartial(partOf(file), format)
  if (query === null) throw new CliError('usage', `${partOf(file)} was cut off in its head: start it again.`)
  return query
}

async function toStdout(response: Response): Promise<void> {
  try {
    for await (const piece of piecesOf(response)) {
      if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
    }
  } catch (error) {
    throw new CliError('refused', 'The export broke off: what was printed is not whole.', { cause: error })
  }
}
