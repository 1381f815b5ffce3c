import { createInterface } from 'node:readline/promises'
import { Command, CommanderError } from 'commander'
import { asGolemError, GolemError } from '@golem/core'
import { alarms } from './commands/alarms.ts'
import { backup } from './commands/backup.ts'
import { bundle } from './commands/bundle.ts'
import { calibrate } from './commands/calibrate.ts'
import { check } from './commands/check.ts'
import { clearQueue } from './commands/clear-queue.ts'
import { conformance } from './commands/conformance.ts'
import { discover } from './commands/discover.ts'
import { doctor } from './commands/doctor.ts'
import { doAction } from './commands/do.ts'
import { exportReadings } from './commands/export.ts'
import { gateway } from './commands/gateway.ts'
import { get } from './commands/get.ts'
import { history } from './commands/history.ts'
import { giveBack } from './commands/give-back.ts'
import { initDb } from './commands/init-db.ts'
import { interlocks } from './commands/interlocks.ts'
import { list } from './commands/list.ts'
import { log } from './commands/log.ts'
import { note } from './commands/note.ts'
import { model } from './commands/model.ts'
import { recipe } from './commands/recipe.ts'
import { release } from './commands/release.ts'
import { reserve } from './commands/reserve.ts'
import { restore } from './commands/restore.ts'
import { runs } from './commands/runs.ts'
import { schedules } from './commands/schedules.ts'
import { set } from './commands/set.ts'
import { startApp } from './commands/start-app.ts'
import { startArchive } from './commands/start-archive.ts'
import { startTasks } from './commands/start-tasks.ts'
import { startWorkers } from './commands/start-workers.ts'
import { status } from './commands/status.ts'
import { stop } from './commands/stop.ts'
import { stopApp } from './commands/stop-app.ts'
import { stopArchive } from './commands/stop-archive.ts'
import { stopTasks } from './commands/stop-tasks.ts'
import { stopWorkers } from './commands/stop-workers.ts'
import { token } from './commands/token.ts'
import { up } from './commands/up.ts'
import { watch } from './commands/watch.ts'
import type { Context } from './context.ts'
import { CliError, EXIT_CODES, exitCodesInWords, exitOf } from './exit-codes.ts'

/** The environment, and what else is to be other than the process has it. */
export type GivenContext = Partial<Context> & Pick<Context, 'env'>

/** One command: adds itself to the program. */
export type CommandModule = (program: Command, context: Context) => Command

/** All commands, in the order help shows them. */
export const COMMANDS: readonly CommandModule[] = [
  up,
  status,
  list,
  get,
  set,
  doAction,
  watch,
  log,
  note,
  history,
  exportReadings,
  bundle,
  reserve,
  giveBack,
  recipe,
  runs,
  schedules,
  calibrate,
  alarms,
  stop,
  release,
  interlocks,
  check,
  discover,
  model,
  conformance,
  doctor,
  gateway,
  token,
  backup,
  restore,
  initDb,
  clearQueue,
  startWorkers,
  stopWorkers,
  startApp,
  stopApp,
  startTasks,
  stopTasks,
  startArchive,
  stopArchive,
]

/**
 * Runs one command line to its end.
 *
 * @param argv - the words after `golem`
 * @param given - the environment, and for tests other parts of the world than the process's own
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], given: GivenContext): Promise<number> {
  const context = contextOf(given)
  const json = argv.includes('--json')
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' })
    return EXIT_CODES.ok.code
  } catch (error) {
    return report(error, context, json)
  }
}

/** The program with all its commands; nothing has run yet. */
export function buildProgram(context: Context): Command {
  const program = new Command('golem')
    .description('Sees, drives and automates the instruments of a laboratory.')
    .configureOutput({
      writeOut: (text) => context.out(text.replace(/\n$/, '')),
      writeErr: (text) => context.err(text.replace(/\n$/, '')),
    })
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(`golem help COMMAND` shows what it takes, with examples.)')
    .addHelpText('after', `\n${exitCodesInWords()}\n\nExamples:\n  golem up --demo\n  golem status`)
  for (const add of COMMANDS) {
    // Output and exit settings are taken over when a command is added with .command(); the modules use that.
    add(program, context)
      .option('--json', 'print JSON instead of text')
      .addHelpText('after', `\n${exitCodesInWords()}`)
  }
  return program
}

function report(error: unknown, context: Context, json: boolean): number {
  if (error instanceof CommanderError) {
    // Help and version end this way too; commander has already printed what there is to say.
    return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code
  }
  const known =
    error instanceof CliError
      ? error
      : new CliError(exitOf(asGolemError(error).code), asGolemError(error).message, {
          cause: error,
          details: { code: asGolemError(error).code, ...asGolemError(error).details },
        })
  const { code } = EXIT_CODES[known.exit]
  if (json) {
    context.err(JSON.stringify({ error: { message: known.message, exit: code, ...known.details } }))
  } else {
    context.err(`golem: ${known.message}`)
    const isBug = !(error instanceof CliError) && !(error instanceof GolemError)
    if (isBug && error instanceof Error && error.stack) context.err(error.stack)
  }
  return code
}

function contextOf(given: GivenContext): Context {
  // `golem list | head`: nobody reads on, which is no fault.
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  const interrupted = new AbortController()
  if (!given.signal) {
    // `up` and `watch` end well on Ctrl-C; for all others it ends the request and says so.
    process.once('SIGINT', () => interrupted.abort())
    process.once('SIGTERM', () => interrupted.abort())
    process.once('SIGHUP', () => interrupted.abort())
  }
  return {
    cwd: process.cwd(),
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    confirm: askYesOrNo,
    ask: askLine,
    signal: interrupted.signal,
    ...given,
  }
}

async function askYesOrNo(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await askLine(`${question} [y/N]`)).trim())
}

async function askLine(question: string): Promise<string> {
  const asker = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await asker.question(`${question} `)
  } finally {
    asker.close()
  }
}
