/**
 * `npm run check`: everything that should be right before a commit, in under a minute. One line per step; the output
 * of what failed follows at the end.
 *
 *   node test/check.mjs [--without-tests]    --without-tests: where the tests are run by themselves anyway
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from './common.mjs'

const bin = (name) => join(ROOT, 'node_modules', '.bin', name)
const { values: options } = parseArgs({ options: { 'without-tests': { type: 'boolean', default: false } } })

/** Steps of one stage run side by side; a stage begins when the one before has ended. */
const STAGES = [
  [
    { name: 'types', command: bin('tsc'), args: ['-b', '.', 'test'] },
    { name: 'format', command: bin('prettier'), args: ['--check', '.', '--log-level', 'warn'] },
  ],
  [
    { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
    { name: 'unused code', command: bin('knip'), args: ['--no-progress'] },
  ],
  [
    options['without-tests']
      ? {
          name: 'conventions',
          command: process.execPath,
          args: ['test/run.mjs', '--only', '^test/src/conventions/'],
        }
      : {
          name: 'unit tests and conventions',
          command: process.execPath,
          args: ['test/run.mjs', '--unit', '--fast'],
        },
  ],
]

const failures = []
for (const stage of STAGES) {
  await Promise.all(
    stage.map(async (step) => {
      const { code, output, ms } = await run(step)
      console.log(`${code === 0 ? '✔' : '✖'} ${step.name} (${(ms / 1000).toFixed(1)} s)`)
      if (code !== 0) failures.push({ ...step, output })
    }),
  )
}
for (const { name, output } of failures) console.log(`\n--- ${name}\n${output.trim()}`)
console.log(
  failures.length === 0 ? '\nAll is well.' : `\nFailed: ${failures.map(({ name }) => name).join(', ')}.`,
)
process.exitCode = failures.length === 0 ? 0 : 1

function run({ command, args }) {
  const begun = performance.now()
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    const end = (code) => resolve({ code, output, ms: performance.now() - begun })
    child.once('error', (error) => {
      output += error.message
      end(1)
    })
    child.once('close', end)
  })
}
