import { type Command, Option } from 'commander'
import type { ConformanceOptions, Finding, Level, Report, RigMaker, Way } from '@golem/conformance'
import { messageOf, type Model } from '@golem/core'
import { checkOptions, modelOptions, withModels } from '../chosen-models.ts'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { table } from '../format.ts'
import { withSite } from '../options.ts'
import { Progress } from './conformance-progress.ts'
import { findingsInWords, levelInWords, missingInWords } from './conformance-words.ts'

interface ConformanceCommandOptions extends CommonOptions {
  level: Level
  over?: Way
  quick?: boolean
  options?: string[]
}

/** A model that could not be tried, and why. */
interface Untried {
  model: string
  reason: string
}

/** Models that are tried at the same time, and checks of each: nearly all of the time is waiting for time-outs. */
const MODELS_AT_ONCE = 3
const CHECKS_AT_ONCE = 16

/** `golem conformance`: what the drivers of models are worth when things go wrong. */
export function conformance(program: Command, context: Context): Command {
  return withSite(program.command('conformance'))
    .description(
      'takes a model through faults on the wire (silence, cuts, garbage, late answers, another instrument ...) and says what it is worth',
    )
    .argument(
      '[model]',
      'id of a model that golem or the site has, or its file (default: all for which there is a simulated instrument)',
    )
    .addOption(
      new Option('--level <level>', 'exit code 1 when a model does not reach it')
        .choices(['bronze', 'silver', 'gold', 'platinum'])
        .default('bronze'),
    )
    .option('--quick', 'leave out the 10 000 exchanges that platinum takes')
    .addOption(
      new Option(
        '--over <way>',
        'how the instrument is reached: tcp, serial (a pseudo terminal, needs socat), usbtmc, or rtu-tcp (Modbus RTU through a converter); default: tcp, or its own bus',
      ).choices(['tcp', 'serial', 'usbtmc', 'rtu-tcp'] satisfies Way[]),
    )
    .option(
      '--options <option...>',
      'options of the model as in site.yaml: name=value each, or a JSON object (default: those its simulated instrument is made for)',
    )
    .addHelpText(
      'after',
      [
        '\nLevels: each takes all below it.',
        '  bronze    identifies, reads and writes everything; labels, limits, safe values or reasons',
        '  silver    under each fault: ends in time, tells the truth, nothing wrong is read, nothing is sent twice',
        '  gold      is good again by itself after each fault; a stop gets through during it; another instrument,',
        '            a reboot and a refusal are noticed',
        '  platinum  a write is called done only when it reads back; everything has a safe value; 10 000 exchanges',
        '            with faults at random and nothing mixed up',
        '\nNothing real is touched: each check has a simulated instrument of its own. One model takes about a minute.',
        '\nExamples:',
        '  golem conformance rigol-dp800 --quick',
        '  golem conformance instance/models/my-supply.yaml --level gold --over usbtmc',
        '  golem conformance --quick --json > levels.json',
      ].join('\n'),
    )
    .action(async (name: string | undefined, options: ConformanceCommandOptions) => {
      const given = modelOptions(options.options)
      if (given && name === undefined) {
        throw new CliError(
          'usage',
          '--options are of one model: say which, e.g. golem conformance grbl --options axes=xyz',
        )
      }
      await withModels(context, options, name, async (models) => {
        const { makers, untried } = await makersOf(models, options, name !== undefined)
        if (given) for (const { model } of makers) await checkOptions(model, given)
        const reports = await runAll(context, options, makers, given)
        if (options.json) context.out(JSON.stringify({ reports, untried }, null, 2))
        else await print(context, reports, untried, name !== undefined)
        await judge(reports, options.level)
      })
    })
}

/** @param named - the user named the model: that it can't be tried is an error */
async function makersOf(
  models: readonly Model[],
  { over }: ConformanceCommandOptions,
  named: boolean,
): Promise<{ makers: RigMaker[]; untried: Untried[] }> {
  const { rigFor } = await import('@golem/conformance')
  const makers: RigMaker[] = []
  const untried: Untried[] = []
  for (const model of models) {
    try {
      makers.push(rigFor(model, over))
    } catch (error) {
      if (named) throw error
      untried.push({ model: model.id, reason: messageOf(error) })
    }
  }
  return { makers, untried }
}

async function runAll(
  context: Context,
  { quick, json }: ConformanceCommandOptions,
  makers: readonly RigMaker[],
  given: ConformanceOptions['options'],
): Promise<Report[]> {
  const { runConformance } = await import('@golem/conformance')
  const progress = new Progress(context.interactive && json !== true)
  const reports: Report[] = []
  const waiting = [...makers.entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !context.signal.aborted; next = waiting.shift()) {
      const [index, maker] = next
      const { id } = maker.model
      reports[index] = await runConformance(maker, {
        concurrency: CHECKS_AT_ONCE,
        signal: context.signal,
        onFinding: (finding: Finding) => progress.found(id, finding),
        ...(quick === true ? { exchanges: 0 } : {}),
        ...(given ? { options: given } : {}),
      })
      progress.done(id)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(MODELS_AT_ONCE, makers.length) }, work))
  } finally {
    progress.end()
  }
  if (context.signal.aborted) throw new CliError('failed', 'Ended early: no model was tried to the end.')
  return reports
}

async function print(
  context: Context,
  reports: readonly Report[],
  untried: readonly Untried[],
  inFull: boolean,
): Promise<void> {
  if (inFull) {
    for (const report of reports) {
      context.out(
        await table([['level', 'check', 'result', 'what was seen'], ...findingsInWords(report.findings)]),
      )
      context.out(`\n${levelInWords(report)}`)
    }
    return
  }
  const rows = reports.map((report) => [report.model, report.level ?? 'none', missingInWords(report)])
  if (rows.length > 0) context.out(await table([['model', 'level', 'missing for the next'], ...rows]))
  for (const { reason } of untried) context.out(`Not tried: ${reason}`)
  if (reports.length > 0) context.out('`golem conformance MODEL` shows what was seen of one.')
}

async function judge(reports: readonly Report[], wanted: Level): Promise<void> {
  const { isAtLeast } = await import('@golem/conformance')
  const below = reports.filter(({ level }) => !isAtLeast(level, wanted))
  if (below.length === 0) return
  const words = below.map(({ model, level }) => `${model} (${level ?? 'not even bronze'})`)
  throw new CliError('failed', `Below ${wanted}: ${words.join(', ')}.`)
}
