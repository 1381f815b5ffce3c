import { parseDuration } from '@golem/config'
import { RUN_REQUESTS, type RunRecord, type RunRequest, type Value } from '@golem/core'
import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { count, withApi } from '../options.ts'
import { givenValues } from '../runs/given.ts'
import { RunsApi } from '../runs/runs-api.ts'
import { rowsTable, runInWords, runsTable, whereIs } from '../runs/words.ts'
import { runsExport } from './runs-export.ts'
import { runsStart } from './runs-start.ts'

/** How long the scheduler is given to do what it was asked, in ms. */
const ANSWER_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 150

/** What each request does, and how the log says that it was done. */
const REQUESTS: Readonly<Record<RunRequest, { does: string; done: RegExp }>> = {
  pause: { does: 'holds a run where it is; outputs stay as they are', done: /^Paused by / },
  resume: { does: 'lets a run go on that is paused or asks', done: /^Resumed by / },
  stop: {
    does: 'ends a run in order: what its recipe does at the end is done',
    done: /^Stopped by |^stopped: /,
  },
  abort: {
    does: 'ends a run at once: its instruments go to their safe state',
    done: /^Aborted by |^aborted: /,
  },
  skip: { does: 'ends the waiting of the step a run is at', done: / skipped / },
  reset: {
    does: 'goes back to the first step and pauses there; outputs stay as they are',
    done: /^Reset by /,
  },
  ping: { does: 'has a run say how it is, now', done: /./ },
  kill: { does: 'forgets a run at once; outputs stay AS THEY ARE', done: /^killed: / },
}

/** `golem runs`: runs of recipes. */
export function runs(program: Command, context: Context): Command {
  const group = withApi(program.command('runs'))
    .description('shows the runs of recipes; starts, steers and ends them')
    .option('--recipe <id>', 'only runs of this recipe')
    .option('--limit <n>', 'how many, newest first', count, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  golem runs\n  golem runs start ventilation --role board=control-board --wait\n' +
        '  golem runs show 3f2a90c1b7de\n  golem runs stop 3f2a90c1b7de\n  golem runs rows 3f2a90c1b7de --csv > scan.csv',
    )
    .action(async (options: CommonOptions & { recipe?: string; limit: number }) => {
      const api = openApi(context, options)
      const { recipe, limit } = options
      const found = await new RunsApi(api).runs({ ...(recipe === undefined ? {} : { recipe }), limit })
      if (options.json) return context.out(JSON.stringify(found, null, 2))
      if (found.length === 0) return context.out('There are no runs. `golem runs start RECIPE` starts one.')
      context.out(await runsTable(found, Date.parse((await api.state()).at)))
    })
  runsStart(group, context)
  show(group, context)
  for (const request of RUN_REQUESTS) ask(group, context, request)
  set(group, context)
  rows(group, context)
  runsExport(group, context)
  return group
}

function sub(group: Command, usage: string): Command {
  return withApi(group.command(usage)).option('--json', 'print JSON instead of text')
}

/** Options of a subcommand; those that the group has too may have been taken by the group. */
function all<T extends CommonOptions>(command: Command): T {
  return command.optsWithGlobals<T>()
}

function show(group: Command, context: Context): void {
  sub(group, 'show')
    .description('shows all there is to a run')
    .argument('<run>', 'id of a run')
    .addHelpText('after', '\nExamples:\n  golem runs show 3f2a90c1b7de')
    .action(async (id: string, _: unknown, command: Command) => {
      const options = all(command)
      const api = openApi(context, options)
      const runsApi = new RunsApi(api)
      const run = await runsApi.run(id)
      if (options.json) return context.out(JSON.stringify(run, null, 2))
      const [recipes, { at }] = await Promise.all([runsApi.recipes(), api.state()])
      const recipe = recipes.find((each) => each.id === run.recipe)
      context.out(printable(runInWords(run, recipe, Date.parse(at))))
    })
}

function ask(group: Command, context: Context, request: RunRequest): void {
  const { does, done } = REQUESTS[request]
  sub(group, request)
    .description(does)
    .argument('<run>', 'id of a run')
    .option('--note <text>', 'why; it is kept in the log')
    .addHelpText('after', `\nExamples:\n  golem runs ${request} 3f2a90c1b7de`)
    .action(async (id: string, _: unknown, command: Command) => {
      const options = all<CommonOptions & { note?: string }>(command)
      const runsApi = new RunsApi(openApi(context, options))
      const since = await runsApi.newestEvent()
      await runsApi.ask(id, request, options.note)
      const inWords = request === 'ping' ? { inWords: (_: string, run: RunRecord) => whereIs(run) } : {}
      await answered(context, options, runsApi, { id, since, done, ...inWords })
    })
}

function set(group: Command, context: Context): void {
  sub(group, 'set')
    .description('changes parameters of a run while it goes on; each change is kept in the log')
    .argument('<run>', 'id of a run')
    .argument('<values...>', 'as name=value; a duration with its unit')
    .addHelpText(
      'after',
      '\nExamples:\n  golem runs set 3f2a90c1b7de duration=300s\n  golem runs set 3f2a90c1b7de low=700 high=800',
    )
    .action(async (id: string, words: string[], _: unknown, command: Command) => {
      const options = all(command)
      const runsApi = new RunsApi(openApi(context, options))
      const before = await runsApi.run(id)
      const recipe = await runsApi.recipe(before.recipe)
      const values = givenValues(recipe, words)
      const isSame = Object.entries(values).every(([name, value]) => isNow(before.parameters[name], value))
      if (isSame && before.state !== 'ended') {
        return context.out(
          options.json ? JSON.stringify(before) : `run ${id} has these values already: nothing to change.`,
        )
      }
      const since = await runsApi.newestEvent()
      await runsApi.change(id, values)
      await answered(context, options, runsApi, { id, since, done: / changed / })
    })
}

/** A duration is given as text and kept in ms. */
function isNow(now: Value | undefined, given: unknown): boolean {
  const ms = typeof given === 'string' && typeof now === 'number' ? parseDuration(given) : null
  return (ms ?? given) === now
}

function rows(group: Command, context: Context): void {
  sub(group, 'rows')
    .description('shows what a run has measured')
    .argument('<run>', 'id of a run')
    .option('--csv', 'as CSV, with a column for each reading')
    .addHelpText(
      'after',
      '\nExamples:\n  golem runs rows 3f2a90c1b7de\n  golem runs rows 3f2a90c1b7de --csv > scan.csv',
    )
    .action(async (id: string, _: unknown, command: Command) => {
      const options = all<CommonOptions & { csv?: boolean }>(command)
      const runsApi = new RunsApi(openApi(context, options))
      if (options.csv) return context.out((await runsApi.rowsAsCsv(id)).replace(/\r\n$/, ''))
      const found = await runsApi.rows(id)
      if (options.json) return context.out(JSON.stringify(found, null, 2))
      context.out(found.length === 0 ? 'It has measured nothing yet.' : await rowsTable(found))
    })
}

interface Answer {
  id: string
  /** The entry of the log that was the newest before. */
  since: string
  /** How the log says that it was done. */
  done: RegExp
  /** What is printed then. */
  inWords?: (told: string, run: RunRecord) => string
}

/** Waits until the log says what came of a request. @throws CliError refused: it was not done; unknown: nobody says */
async function answered(
  context: Context,
  options: CommonOptions,
  runsApi: RunsApi,
  { id, since, done, inWords = (told) => told }: Answer,
): Promise<void> {
  const deadline = performance.now() + ANSWER_WITHIN_MS
  for (;;) {
    const said = await runsApi.saidOf(id, since)
    const refused = said.find((message) => /^not done: |^has ended: /.test(message))
    if (refused !== undefined) {
      throw new CliError('refused', printable(`run ${id}: ${refused}`), { details: { run: id } })
    }
    const told = said.find((message) => done.test(message))
    if (told !== undefined) {
      const run = await runsApi.run(id)
      return context.out(options.json ? JSON.stringify(run) : printable(`run ${id}: ${inWords(told, run)}`))
    }
    if (performance.now() > deadline) {
      throw new CliError(
        'unknown',
        `The request was handed over, but no scheduler has answered within ${ANSWER_WITHIN_MS / 1000} s. Is one running? See \`golem runs show ${id}\`.`,
        { details: { run: id } },
      )
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: context.signal })
  }
}
