import { describeFault } from '@golem/config'
import type { InstrumentDescription, ReservationState, StateDocument, Value } from '@golem/core'
import type { OtherRuns, Plan, Program } from '@golem/recipes'
import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { parseValue, printable } from '../format.ts'
import { seconds, withApi } from '../options.ts'
import { planInWords } from '../recipes/plan-words.ts'
import { readSiteRecipes, type SiteRecipes } from '../recipes/site-recipes.ts'
import { timeOf } from '../reservation.ts'
import { givenRoles, givenValues } from '../runs/given.ts'

const DAY_S = 86_400
/** How long a running golem is waited for, in ms: without one there is a plan all the same. */
const API_WITHIN_MS = 3_000
/** So many starts of a schedule are looked at. */
const MOST_STARTS = 10_000

interface PlanOptions extends CommonOptions {
  role?: string[]
  reading?: string[]
  at?: string
  for: number
}

const collect = (word: string, before: string[] | undefined): string[] => [...(before ?? []), word]

/** `golem recipe plan`: a run in virtual time. */
export function recipePlan(group: Command, context: Context): void {
  withApi(group.command('plan'))
    .description(
      'plays a recipe in virtual time, without instruments: what would be sent when, what the limits of the site would refuse, who else has the instruments then, and what a crash at each step would leave on',
    )
    .argument('<recipe>', 'file, or id of a recipe')
    .argument('[values...]', 'as name=value; a duration with its unit')
    .option('--role <role=instrument>', 'as with `golem runs start`; may be given again', collect)
    .option('--reading <name=value>', 'what a reading shows, e.g. co2.co2=700; may be given again', collect)
    .option('--at <time>', 'when it starts, e.g. 18:30 (default: now)')
    .option('--for <s>', 'how far it is looked ahead, in s', seconds, DAY_S)
    .option('--json', 'print JSON instead of text')
    .addHelpText(
      'after',
      '\nWhat is written comes back as reading; of other readings it is taken that they are as the run needs them.\n' +
        'Reservations are looked at when golem is running.\n\n' +
        'Examples:\n  golem recipe plan ventilation\n  golem recipe plan ventilation duration=60s --at 18:30 --role board=control-board\n' +
        '  golem recipe plan instance/recipes/my-scan.yaml --reading co2.co2=700',
    )
    .action(async (name: string, words: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PlanOptions>()
      const found = await readSiteRecipes(context, options, [name])
      const { descriptions } = found
      const { planRun, conflictsOf } = await import('@golem/recipes')
      const { program, parameters } = await programOf(found, words, options.role)
      const startMs = options.at === undefined ? Date.now() : Date.parse(timeOf(options.at))
      const plan = planRun(program, {
        parameters,
        startMs,
        mostMs: options.for * 1000,
        readings: readingsOf(options.reading ?? [], descriptions),
        ...(descriptions === null ? {} : { descriptions }),
      })
      const { reservations, unseen } = await reservationsOf(context, options)
      const conflicts = conflictsOf(plan, reservations, await otherRuns(found, plan, options))
      if (options.json) context.out(JSON.stringify({ ...plan, conflicts, unseen }, null, 2))
      else context.out(printable(await planInWords(plan, conflicts, unseen)))
      if (plan.violations.length > 0) {
        throw new CliError('failed', `${plan.recipe} would be refused: ${plan.violations.join('; ')}`)
      }
      if (plan.end === 'failed') throw new CliError('failed', `${plan.recipe} would fail: ${plan.message}`)
    })
}

/** What would be carried out, and its parameters. @throws CliError failed with all faults */
async function programOf(
  { chosen: [read], programs: [code], recipes, descriptions }: SiteRecipes,
  words: readonly string[],
  roles: readonly string[] | undefined,
): Promise<{ program: Program; parameters: Record<string, unknown> }> {
  const { describeRecipe, link } = await import('@golem/recipes')
  if (code) {
    if (!code.recipe) throw faulty(code.faults.map(describeFault))
    const names = (ids: readonly string[]): string => (ids.length === 0 ? 'nothing' : ids.join(', '))
    throw new CliError(
      'failed',
      `${code.id} is in code: what it does follows from what it reads, so it can't be planned ahead. ` +
        `It commands ${names(code.commands)} and looks at ${names(code.reads)}; \`golem recipe check ${code.id}\` tells what is wrong with it.`,
    )
  }
  if (!read?.recipe) throw faulty((read?.faults ?? []).map(describeFault))
  const description = describeRecipe(read, recipes, descriptions ?? undefined)
  const parameters = givenValues(description, words)
  const bindings = givenRoles(description, roles)
  // What the site's limits forbid is a finding of the plan, with the time at which it would be met.
  const { program, faults } = link(read.recipe, { recipes, bindings })
  if (!program) throw faulty(faults.map(describeFault))
  return { program, parameters }
}

function faulty(faults: readonly string[]): CliError {
  return new CliError('failed', `The recipe has faults, so there is no plan: ${faults.join(' ')}`)
}

function readingsOf(
  words: readonly string[],
  descriptions: ReadonlyMap<string, InstrumentDescription> | null,
): Record<string, Value> {
  return Object.fromEntries(
    words.map((word) => {
      const [, key = '', instrument = '', name = '', text = ''] =
        /^(([^.=]+)\.([^=]+))=(.*)$/s.exec(word) ?? []
      if (key === '') throw new CliError('usage', `"${word}" is no reading: write instrument.name=value.`)
      const parameter = descriptions?.get(instrument)?.parameters[name]
      if (descriptions && !parameter) throw new CliError('usage', `This site has no reading ${key}.`)
      return [key, parameter ? parseValue(key, parameter, text) : guessed(text)]
    }),
  )
}

/** A value of which it is not known what it should be. */
function guessed(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** Who has which instrument. `unseen`: golem does not say. */
async function reservationsOf(
  context: Context,
  options: CommonOptions,
): Promise<{ reservations: Record<string, ReservationState | null>; unseen: string | null }> {
  const api = openApi(context, options)
  try {
    const { instruments } = await api.request<StateDocument>('/api/state', { timeoutMs: API_WITHIN_MS })
    const entries = Object.entries(instruments).map(([id, one]) => [id, one.reservation] as const)
    return { reservations: Object.fromEntries(entries), unseen: null }
  } catch (error) {
    if (!(error instanceof CliError) || options.url !== undefined) throw error
    const details = 'code' in error.details ? `: ${error.message}` : '.'
    return { reservations: {}, unseen: `golem does not answer at ${api.url}${details}` }
  }
}

/** What the site's schedules start in the time of a plan, or have started before and is still going. */
async function otherRuns(
  { site, recipes, descriptions }: SiteRecipes,
  plan: Plan,
  options: PlanOptions,
): Promise<OtherRuns[]> {
  const { link, planRun, startsBetween } = await import('@golem/recipes')
  const from = Date.parse(plan.startsAt)
  const until = plan.endsAt === null ? from + options.for * 1000 : Date.parse(plan.endsAt)
  return (site?.schedules ?? []).flatMap((schedule): OtherRuns[] => {
    const recipe = recipes.get(schedule.recipe)
    if (!schedule.enabled || !recipe) return []
    const described = descriptions === null ? {} : { descriptions }
    const { program } = link(recipe, { recipes, bindings: schedule.instruments, ...described })
    // A schedule with faults starts nothing; `golem check` tells it.
    if (!program) return []
    const { parameters } = schedule
    const { commands, endsAt, startsAt } = planRun(program, {
      parameters,
      startMs: from,
      mostMs: DAY_S * 1000,
    })
    const lastsMs = endsAt === null ? null : Date.parse(endsAt) - Date.parse(startsAt)
    const starts = startsBetween(schedule.when, from - (lastsMs ?? DAY_S * 1000), until, MOST_STARTS)
    return [{ schedule: schedule.id, commands, starts, lastsMs }]
  })
}
