import type { HistoryDocument, HistorySeries } from '@golem/core'
import { type Command, InvalidArgumentError } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { printable, table } from '../format.ts'
import { withApi } from '../options.ts'

interface HistoryOptions extends CommonOptions {
  from: string
  to: string
  points: number
}

/** As many as one reads in a terminal. */
const POINTS = 24

/** `golem history`: how readings went, in few lines. */
export function history(program: Command, context: Context): Command {
  return withApi(program.command('history'))
    .description('shows how readings went: lowest, mean and highest over time, and gaps with their reasons')
    .argument('<series...>', 'INSTRUMENT.PARAMETER')
    .option('--from <when>', '2026-05-01T08:30:00Z, or counted from now: -7d, -90min', '-1h')
    .option('--to <when>', 'not included', 'now')
    .option('--points <count>', 'at most so many lines for each', points, POINTS)
    .addHelpText(
      'after',
      '\nAll readings as a file: golem export. Times are UTC.\n\nExamples:\n  golem history gas.co2\n' +
        '  golem history gas.co2 oven.temperature --from -7d --points 50\n  golem history gas.co2 --from -1d --json',
    )
    .action(async (series: string[], options: HistoryOptions) => {
      const query = new URLSearchParams({
        series: series.join(','),
        from: options.from,
        to: options.to,
        points: String(options.points),
      })
      const found = await openApi(context, options).request<HistoryDocument>(
        `/api/history?${query.toString()}`,
        { retry: true },
      )
      context.out(
        options.json
          ? JSON.stringify(found, null, 2)
          : (await Promise.all(found.series.map(inWords))).join('\n\n'),
      )
    })
}

function points(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 4 || value > 20_000) {
    throw new InvalidArgumentError('It has to be a whole number, 4 to 20000.')
  }
  return value
}

async function inWords({
  series,
  label,
  unit,
  completeness,
  bucketMs,
  gaps,
  ...columns
}: HistorySeries): Promise<string> {
  const { times, min, max, mean, texts } = columns
  const whole =
    completeness === null
      ? 'nothing archived'
      : `${(Math.floor(completeness * 1000) / 10).toFixed(1)} % complete`
  const head = `${series}: ${label}${unit === undefined ? '' : ` (${unit})`}, ${whole}`
  const number = (value: number | undefined): string => String(Number((value ?? NaN).toPrecision(6)))
  const rows = times.map((t, index) => {
    const at = new Date(t).toISOString()
    if (texts) return [at, texts[index] ?? '']
    if (bucketMs === 0) return [at, number(mean[index])]
    return [at, number(min[index]), number(mean[index]), number(max[index])]
  })
  const names = texts || bucketMs === 0 ? ['time', 'value'] : ['time', 'min', 'mean', 'max']
  const told = gaps.map(({ from, to, message }) => printable(`  ${from} to ${to ?? 'now'}: ${message}`))
  return [
    printable(head),
    ...(rows.length > 0 ? [await table([names, ...rows])] : []),
    ...(told.length > 0 ? ['no readings:', ...told] : []),
  ].join('\n')
}
