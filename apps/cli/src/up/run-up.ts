import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { loadSite, type Site } from '@golem/config'
import { messageOf } from '@golem/core'
import {
  type CommonOptions,
  type Context,
  GOLEM_ROOT,
  instanceDirOf,
  readRunning,
  siteFileOf,
} from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { lockInstance } from './instance-lock.ts'
import type { ProgramListener } from './program.ts'
import { Supervisor } from './supervisor.ts'

export interface UpOptions extends CommonOptions {
  demo?: boolean
  workers: number
  port?: number
  verbose?: boolean
}

/**
 * Runs everything until it is told to end (Ctrl-C, SIGTERM, SIGHUP).
 *
 * @throws CliError when it cannot start; then nothing is left running. SiteFaults for a faulty site file
 */
export async function runUp(context: Context, options: UpOptions): Promise<void> {
  const print = new Printer(context, options)
  const file = chooseSiteFile(context, options, print)
  const instanceDir = instanceDirOf(context, file)
  makeFolder(path.join(instanceDir, 'run'))
  const lock = await lockInstance(instanceDir)
  if (!lock) throw alreadyRunning(instanceDir)
  try {
    const site: Site = loadSite(file, { env: context.env })
    const supervisor = new Supervisor({
      site,
      env: context.env,
      workers: options.workers,
      port: options.port,
      listener: print,
    })
    await superviseUntilEnd(context, supervisor, print)
  } finally {
    await lock.release()
  }
}

async function superviseUntilEnd(context: Context, supervisor: Supervisor, print: Printer): Promise<void> {
  const { signal } = context
  const end = new Promise<'end'>((resolve) => {
    if (signal.aborted) resolve('end')
    else signal.addEventListener('abort', () => resolve('end'), { once: true })
  })
  const killAtOnce = (): void => {
    supervisor.kill()
    process.exit(0)
  }
  void end.then(() => {
    process.on('SIGINT', killAtOnce)
    // The terminal is gone or a second request came; it ends anyway, and in order.
    for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined)
  })
  const starting = supervisor.start()
  try {
    const first = await Promise.race([starting, end])
    if (first !== 'end') {
      print.ready(first, supervisor.pids())
      await end
    }
    print.say('stopping', 'Stopping …  (Ctrl-C again kills at once)')
  } finally {
    await stopEverything(supervisor, starting)
    process.off('SIGINT', killAtOnce)
  }
  print.say('stopped', 'golem has stopped.')
}

/** Ends also what is still being started: a part that begins while the others end would be left over. */
async function stopEverything(supervisor: Supervisor, starting: Promise<string>): Promise<void> {
  await supervisor.stop()
  // Its failure is either being thrown already or the consequence of the stop.
  await starting.catch(() => undefined)
  await supervisor.stop()
}

function chooseSiteFile(context: Context, options: UpOptions, print: Printer): string {
  const demo = path.join(GOLEM_ROOT, 'instance', 'demo.yaml')
  if (options.demo) {
    if (options.site) throw new CliError('usage', 'Give either --demo or --site, not both.')
    return demo
  }
  const file = siteFileOf(context, options)
  if (existsSync(file)) return file
  if (options.site ?? context.env['GOLEM_SITE']) {
    throw new CliError('failed', `There is no site file ${file}: see --site and GOLEM_SITE.`)
  }
  print.say(
    'demo',
    `There is no ${file} yet: this is the demo stand, all its instruments are simulated. ` +
      'Copy instance/site.example.yaml to instance/site.yaml to begin your own.',
  )
  return demo
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new CliError(
      'failed',
      `golem keeps its data in ${path.dirname(folder)} and cannot write there (${messageOf(error)}). ` +
        'Give that folder to the user who runs golem, or name another one in GOLEM_INSTANCE.',
      { cause: error },
    )
  }
}

function alreadyRunning(instanceDir: string): CliError {
  const running = readRunning(instanceDir)
  const where = running ? `at ${running.url} (process ${running.pid})` : 'and is just starting or stopping'
  return new CliError(
    'failed',
    `golem is already running for ${instanceDir}, ${where}. End that one first, or use it.`,
    { details: { ...running } },
  )
}

/** pino's levels; from this one on a line of a log is shown. */
const WARN = 40
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
}

/** What `golem up` shows: news as sentences, log lines from warning on. */
class Printer implements ProgramListener {
  readonly #context: Context
  readonly #json: boolean
  readonly #verbose: boolean

  constructor(context: Context, options: UpOptions) {
    this.#context = context
    this.#json = options.json ?? false
    this.#verbose = options.verbose ?? false
  }

  say(event: string, message: string, more: Record<string, unknown> = {}): void {
    this.#context.out(this.#json ? JSON.stringify({ event, message, ...more }) : message)
  }

  ready(url: string, pids: Record<string, number>): void {
    this.say('ready', `golem is ready: ${url}`, { url, pids })
  }

  onNews(name: string, sentence: string): void {
    this.say('news', `${name} ${sentence}`, { part: name })
  }

  onLine(name: string, line: string): void {
    const entry = parseLog(line)
    if (!this.#verbose && (entry === null || entry.level < WARN)) return
    const text = entry === null ? line : `${LEVELS[entry.level] ?? entry.level}: ${entry.message}`
    if (this.#json) this.#context.out(JSON.stringify({ event: 'log', part: name, line }))
    else this.#context.err(printable(`${name} ${text}`))
  }
}

function parseLog(line: string): { level: number; message: string } | null {
  if (!line.startsWith('{')) return null
  try {
    const { level, msg, err } = JSON.parse(line) as {
      level?: unknown
      msg?: unknown
      err?: { message?: unknown }
    }
    if (typeof level !== 'number') return null
    return { level, message: [msg, err?.message].filter((part) => typeof part === 'string').join(': ') }
  } catch {
    // Begins like JSON and is not: shown, or not, like any other text.
    return null
  }
}
