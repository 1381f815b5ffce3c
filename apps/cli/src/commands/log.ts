import { LOG_LEVELS, type LogLevel, type SiteEvent, comparePlaces } from '@golem/core'
import { parseDuration } from '@golem/config'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient, EventQuery } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'

/** How many entries are shown when nobody says so. */
const NEWEST = 50
/** How many are asked for at a time. */
const PAGE = 1_000
/** The same of the archive. */
const ARCHIVE_PAGE = 500
const FOLLOW_EVERY_MS = 500
/** How often a server that is away is asked, in ms. */
const AWAY_EVERY_MS = 1_000

interface LogOptions extends CommonOptions {
  follow?: boolean
  since?: string
  limit?: number
  instrument?: string
  kind?: string
  level?: LogLevel
  run?: string
  text?: string
}

/** `golem log`: what happened on the site, and what its programs have to say. */
export function log(program: Command, context: Context): Command {
  return withApi(program.command('log'))
    .description('shows what happened: commands, alarms, runs, people, and what programs log')
    .option('-f, --follow', 'goes on with what happens from now; ends with Ctrl-C')
    .option(
      '--since <when>',
      'from a time (2026-05-01T08:30Z) or a while ago ("10 min") on, as far back as it is archived; or from an id on',
    )
    .option('--limit <n>', `the newest so many (default: ${NEWEST}, or all with --since)`, upToThousand)
    .option('--instrument <id>', 'only of this instrument')
    .option('--kind <kind>', 'only of this kind, e.g. log, command, alarm, run, condition')
    .addOption(new Option('--level <level>', 'only of this level or more serious').choices(LOG_LEVELS))
    .option('--run <id>', 'only of this run')
    .option('--text <text>', 'only with this text in it')
    .addHelpText(
      'after',
      '\nWith --json each entry is a line. It goes on by itself when the server was away, without loss or repetition.\n\n' +
        'Examples:\n  golem log\n  golem log --follow --level warning\n  golem log --since "2 h" --run run-7\n' +
        '  golem log --follow --json | tee -a log.jsonl',
    )
    .action(async (options: LogOptions) => {
      const api = openApi(context, options)
      await new Reader(context, api, options).run()
    })
}

class Reader {
  readonly #context: Context
  readonly #api: ApiClient
  readonly #options: LogOptions
  readonly #filters: Omit<EventQuery, 'limit' | 'since'>
  #away = false
  /** What was said last of what may be missing. */
  #noted: string | undefined

  constructor(context: Context, api: ApiClient, options: LogOptions) {
    const { instrument, kind, level, run, text } = options
    this.#context = context
    this.#api = api
    this.#options = options
    this.#filters = { instrument, kind, level, run, text }
  }

  async run(): Promise<void> {
    const cursor = await this.#first()
    if (this.#options.follow) await this.#follow(cursor)
  }

  /** Shows what there is. A wrong address or filter is told at once. @returns the cursor */
  async #first(): Promise<string> {
    const { since, limit = since === undefined ? NEWEST : Infinity } = this.#options
    if (since === undefined) {
      const { events, cursor } = await this.#api.events({ ...this.#filters, limit })
      this.#show(events)
      return cursor || '0-0'
    }
    if (!isId(since)) return this.#archived(await timeOf(since, this.#api), limit)
    let cursor = since
    for (let left = limit; left > 0;) {
      const page = await this.#api.events({ ...this.#filters, since: cursor, limit: Math.min(left, PAGE) })
      this.#show(page.events)
      left -= page.events.length
      if (page.cursor === '' || page.cursor === cursor) break
      cursor = page.cursor
    }
    return cursor
  }

  /** Shows what there is from a time on, as far back as it is archived. @returns the cursor */
  async #archived(from: number, limit: number): Promise<string> {
    let newest = `${from}-0`
    let after = `${from}_0-0`
    for (let left = limit; left > 0;) {
      const page = await this.#api.timeline({ ...this.#filters, after, limit: Math.min(left, ARCHIVE_PAGE) })
      if (page.note !== undefined && page.note !== this.#noted) this.#context.err(`golem: ${page.note}`)
      this.#noted = page.note
      this.#show(page.entries)
      for (const { id } of page.entries)
        if (comparePlaces({ t: 0, id }, { t: 0, id: newest }) > 0) newest = id
      left -= page.entries.length
      if (page.after === null || page.after === after) break
      after = page.after
    }
    return newest
  }

  async #follow(from: string): Promise<void> {
    let cursor = from
    while (!this.#context.signal.aborted) {
      const next = await this.#next(cursor)
      const pause = this.#away ? AWAY_EVERY_MS : next === cursor ? FOLLOW_EVERY_MS : 0
      cursor = next
      // Ended early by Ctrl-C.
      await sleep(pause, undefined, { signal: this.#context.signal }).catch(() => undefined)
    }
  }

  /** Shows what has come. @returns the cursor after it: the same when there was nothing, or no answer */
  async #next(cursor: string): Promise<string> {
    try {
      const page = await this.#api.events({ ...this.#filters, since: cursor, limit: PAGE })
      if (this.#away) this.#context.err(`golem: ${this.#api.url} answers again`)
      this.#away = false
      this.#show(page.events)
      return page.cursor || cursor
    } catch (error) {
      if (this.#context.signal.aborted) return cursor
      if (!(error instanceof CliError)) throw error
      if (!this.#away) this.#context.err(`golem: ${error.message} Trying again.`)
      this.#away = true
      return cursor
    }
  }

  #show(events: readonly SiteEvent[]): void {
    for (const event of events) {
      this.#context.out(this.#options.json ? JSON.stringify(event) : inWords(event))
    }
  }
}

/** An entry as lines for a terminal: the exception below it. */
function inWords({ at, kind, instrument, level, by, message, data }: SiteEvent): string {
  const logger = data?.['logger']
  const exception = data?.['exception']
  const head = [
    at,
    level === undefined || level === 'info' ? kind : `${kind} ${level.toUpperCase()}`,
    ...(instrument === undefined ? [] : [`${instrument}:`]),
    ...(typeof logger === 'string' ? [`[${logger}]`] : []),
    message,
    ...(by === undefined ? [] : [`(${by})`]),
  ].join('  ')
  return printable([head, ...(typeof exception === 'string' ? exception.split('\n') : [])].join('\n    '))
}

/** The id of an entry? */
function isId(text: string): boolean {
  return /^\d{1,16}-\d{1,20}$/.test(text)
}

/** @returns from when on it is read, in ms since 1970 */
async function timeOf(text: string, api: ApiClient): Promise<number> {
  const span = parseDuration(text)
  // By the site's clock: that of this machine may be another.
  if (span !== null) return Math.max(0, Date.parse((await api.state()).at) - span)
  const time = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time) || time < 0) {
    throw new CliError(
      'usage',
      `"${text}" is no time: write for instance "10 min", 2026-05-01T08:30Z or 2026-05-01T10:30+02:00.`,
    )
  }
  return time
}

function upToThousand(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > PAGE) {
    throw new InvalidArgumentError(`It has to be a whole number, 1 to ${PAGE}.`)
  }
  return value
}
