/**
 * Runs the compiled tests, each file in a process of its own, and ends with the line `N passed, N failed`.
 *
 *   node test/run.mjs [--only PATTERN] [--unit [--fast] | --portable] [--every-node]
 *
 *   --only PATTERN  only files whose path matches this regular expression
 *   --unit          only tests beside the code, of the test kit and of the conventions
 *   --fast          of those, not the ones that start whole processes again and again
 *   --portable      all but those that do not depend on the Node version (browser, systemd)
 *   --every-node    then the portable ones once more on each supported Node (see every-node.mjs)
 *
 * Files beside the code run several at a time, those that start whole stands a few, those that depend on short time-outs
 * one by one. A file whose process does not end by itself is a failure: something was left open. A file that failed beside
 * others is run once more alone at the end, with the machine for itself: what passes then was starved of time, which is
 * said by name at the end, with what went wrong. Works on Node 20.19 and newer, without packages.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ROOT, add, summary } from './common.mjs'

/** How long one file may take before it counts as hanging, in ms. */
const FILE_TIMEOUT_MS = { unit: 240_000, long: 600_000 }
/** Folders below test/src whose files start whole stands, browsers or machines. They mostly wait: a few run at a time. */
const STANDS = new Set(['hardware', 'systemd', 'e2e', 'browser'])
const STAND_LANES = Math.max(2, Math.min(4, 2 * availableParallelism()))
/**
 * Folders below test/src whose files need the machine for themselves, one at a time: they talk to instruments in other
 * processes with time-outs of some tens of milliseconds.
 */
const ALONE = new Set(['transports', 'usb'])
/** Folders below test/src whose outcome does not depend on the Node version. */
const ONCE = new Set(['systemd', 'browser', 'hardware'])
/** Where tsc puts a workspace's modules when it is not `dist`: the dashboard's dist is the browser's bundle. */
const COMPILED = { 'apps/dashboard': 'tsc/dist' }
/** Files beside the code that start whole processes again and again: up to half a minute each. */
const SLOW = new Set([
  'apps/web/src/start.test.ts',
  'apps/cli/src/up/up.test.ts',
  'apps/simulator/src/main.test.ts',
])
/** With more failed files than this, something is broken: none of them is run once more. */
const SECOND_ATTEMPTS = 6
/** So many files beside the code run at a time: they mostly wait, for time-outs and for other processes. */
const LANES = 2 * Math.max(2, availableParallelism())
/** What must not leak from the caller's shell into a test: it might reach a real Redis or the caller's systemd. */
const PRIVATE_ENV = /^(REDIS_URL|GOLEM_.*|NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_.*|NODE_TEST_CONTEXT|NODE_ENV)$/

/**
 * The whole of `npm test` after building.
 *
 * @param {string[]} argv - options as on the command line
 * @returns {Promise<number>} exit code: 0 when at least one test ran and none failed
 */
export async function runTests(argv) {
  const { values: options } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string' },
      unit: { type: 'boolean', default: false },
      fast: { type: 'boolean', default: false },
      portable: { type: 'boolean', default: false },
      'every-node': { type: 'boolean', default: false },
    },
  })
  const total = await runFiles(select(findTests(), options))
  if (options['every-node']) {
    const { runOnEveryNode } = await import('./every-node.mjs')
    add(total, await runOnEveryNode(options.only ? ['--only', options.only] : []))
  }
  console.log(summary(total))
  return total.failed > 0 || total.passed === 0 ? 1 : 0
}

/** All test sources with the place of their compiled form: `{ source, compiled, kind }`, kind = folder below test/src. */
function findTests() {
  const roots = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(ROOT, group)).map((name) => join(group, name)),
  )
  return [...roots, 'test'].flatMap((root) => {
    const src = join(ROOT, root, 'src')
    if (!existsSync(src)) return []
    return readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.test\.tsx?$/.test(file))
      .sort()
      .map((file) => ({
        source: join(root, 'src', file),
        compiled: join(root, COMPILED[root] ?? 'dist', file.replace(/\.tsx?$/, '.js')),
        kind: root === 'test' ? (file.split(sep)[0] ?? '') : 'beside',
      }))
  })
}

function select(tests, { only, unit, fast, portable }) {
  const pattern = only === undefined ? undefined : new RegExp(only)
  return tests.filter(
    ({ source, kind }) =>
      (pattern?.test(source) ?? true) &&
      !(unit && (ALONE.has(kind) || STANDS.has(kind))) &&
      !(fast && SLOW.has(source)) &&
      !(portable && ONCE.has(kind)),
  )
}

async function runFiles(tests) {
  const results = new Map()
  const running = new Set()
  const onSignal = (signal) => {
    for (const child of running) killGroup(child)
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)

  const take = async (queue, live) => {
    for (let test = queue.shift(); test; test = queue.shift()) {
      results.set(test, await runFile(test, running, live))
    }
  }
  // Those that start processes take longest: they come first, so that no long one is left over at the end.
  const together = tests
    .filter(({ kind }) => !ALONE.has(kind) && !STANDS.has(kind))
    .sort((a, b) => Number(a.kind === 'beside') - Number(b.kind === 'beside'))
  const order = [...STANDS]
  const stands = tests
    .filter(({ kind }) => STANDS.has(kind))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
  const alone = tests.filter(({ kind }) => ALONE.has(kind))
  await Promise.all(Array.from({ length: LANES }, () => take(together, false)))
  await Promise.all(Array.from({ length: STAND_LANES }, () => take(stands, false)))
  await take(alone, true)
  const starved = await secondAttempts(results, (test) => runFile(test, running, true))
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal)

  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const result of results.values()) add(total, result.total)
  const failures = [...results.values()].flatMap((result) => result.failures)
  const skips = [...results.values()].flatMap((result) => result.skips)
  if (tests.length === 0) console.log('No test file was found.')
  if (skips.length > 0) console.log(`\nskipped:\n${skips.map((line) => `  ${line}`).join('\n')}`)
  if (starved.length > 0) console.log(`\nfailed beside others, passed alone:\n\n${starved.join('\n\n')}\n`)
  if (failures.length > 0) console.log(`\nfailed:\n\n${failures.join('\n\n')}\n`)
  return total
}

/**
 * Runs files that failed once more, one by one, and puts the new result in the place of the old one where all passed.
 *
 * @returns {Promise<string[]>} what went wrong the first time in those that passed now
 */
async function secondAttempts(results, run) {
  const failed = [...results].filter(([, { total }]) => total.failed > 0)
  if (results.size === 1 || failed.length > SECOND_ATTEMPTS) return []
  const starved = []
  for (const [test, first] of failed) {
    console.log('\nonce more, alone:')
    const second = await run(test)
    if (second.total.failed > 0 || second.total.passed === 0) continue
    starved.push(...first.failures)
    results.set(test, second)
  }
  return starved
}

/** Runs one file. `live`: its lines are printed as they come, else in one block at its end. */
async function runFile({ source, compiled, kind }, running, live) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const failures = []
  const skips = []
  const block = []
  const print = (line) => (live ? console.log(line) : block.push(line))
  const fail = (name, detail) => {
    total.failed++
    print(`  ✖ ${name}`)
    failures.push(`✖ ${source}: ${name}\n${indent(detail)}`)
  }
  if (live) console.log(source)

  if (!existsSync(join(ROOT, compiled))) {
    fail('the file', `${compiled} is not there: build first (npm run build).`)
  } else {
    const run = await spawnFile(
      compiled,
      running,
      ALONE.has(kind) || STANDS.has(kind) ? FILE_TIMEOUT_MS.long : FILE_TIMEOUT_MS.unit,
      {
        onResult: (result) => {
          const name = `${'  '.repeat(result.nesting)}${result.name}`
          if (result.suite) return
          if (result.skip) {
            total.skipped++
            const reason = typeof result.skip === 'string' ? result.skip : 'no reason given'
            print(`  - ${name} (skipped: ${reason})`)
            skips.push(`${source}: ${result.name}: ${reason}`)
          } else if (result.ok) {
            total.passed++
            print(`  ✔ ${name} (${Math.round(result.ms)} ms)`)
          } else if (!result.inherited) {
            fail(result.name, result.error)
          }
        },
      },
    )
    const output = run.output.trim()
    if (run.timedOut) {
      fail(
        'the file',
        `It did not end within ${run.ms / 1000} s and was killed: a test hangs, or something was left open.`,
      )
    } else if (run.code !== 0 && total.failed === 0) {
      fail('the file', `It ended with ${run.signal ?? `code ${run.code}`}. ${run.suiteError}`)
    } else if (total.passed + total.failed + total.skipped === 0) {
      fail('the file', 'It contains no test.')
    }
    if (total.failed > 0 && output !== '')
      failures.push(`  output of ${source}:\n${indent(lastLines(output, 80))}`)
    print(`  ${source}: ${summary(total)} in ${run.ms} ms`)
  }
  if (!live) console.log([source, ...block].join('\n'))
  return { total, failures, skips }
}

function spawnFile(compiled, running, timeoutMs, { onResult }) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PRIVATE_ENV.test(name)))
  const begun = performance.now()
  const child = spawn(
    // The shell leads the session: a leader that opens a serial port would get it as its controlling terminal.
    '/bin/sh',
    [
      '-c',
      '"$@"; exit $?',
      'sh',
      process.execPath,
      '--enable-source-maps',
      `--test-reporter=${join(ROOT, 'test', 'reporter.mjs')}`,
      '--test-reporter-destination=stdout',
      compiled,
    ],
    // A process group of its own, so that a hanging file goes together with what it has started.
    { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  )
  running.add(child)
  let output = ''
  let suiteError = ''
  let timedOut = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-200_000)
    })
  }
  createInterface({ input: child.stdio[3] }).on('line', (line) => {
    const result = JSON.parse(line)
    if (result.suite && !result.ok && !result.inherited) suiteError = result.error
    onResult(result)
  })
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child)
  }, timeoutMs)
  return new Promise((resolve) => {
    // 'exit', not 'close': a grandchild that was left behind may hold the pipes open.
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      killGroup(child)
      const end = () => {
        running.delete(child)
        resolve({ code, signal, output, suiteError, timedOut, ms: Math.round(performance.now() - begun) })
      }
      const patience = setTimeout(end, 2_000)
      child.once('close', () => {
        clearTimeout(patience)
        end()
      })
    })
  })
}

/** Kills a file's process and all that it has started and that is still in its group. */
function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}

function lastLines(text, count) {
  const lines = text.split('\n')
  return lines.length <= count ? text : ['…', ...lines.slice(-count)].join('\n')
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await runTests(process.argv.slice(2))
}
