import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Report } from '@golem/conformance'
import { ROOT } from '../kit/root.ts'
import { makeTempDir } from '../kit/temp.ts'

const empty = makeTempDir()
after(() => empty.remove())

interface Run {
  code: number
  stdout: string
  stderr: string
}

/** Runs `golem conformance` as a shell would, with an instance folder of its own. @param signal - ends it by SIGINT */
function conformance(argv: readonly string[], signal?: AbortSignal): Promise<Run> {
  const main = join(ROOT, 'apps/cli/dist/main.js')
  const env = { ...process.env, GOLEM_INSTANCE: empty.path }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, 'conformance', ...argv],
      { env },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
      },
    )
    signal?.addEventListener('abort', () => child.kill('SIGINT'))
  })
}

/** A supply that is quick to try, and one thing wrong with it: nobody says what a stop does to its voltage. */
const SUPPLY = `model: supply
label: Supply
kind: power supply
source: made up for this test
transport: line
link: { replyTimeout: 300 ms, quiet: 30 ms }
identify: { ask: '*IDN?', pattern: '^ACME,PSU,' }
parameters:
  voltage: { label: Voltage, type: number, unit: V, min: 0, max: 10, step: 0.1, read: 'VOLT?', write: 'VOLT {value}', readBack: true }
simulation:
  identity: ACME,PSU,1,1.0
  state:
    voltage: { value: 0, min: 0, max: 10, format: fixed 3 }
  rules:
    - { pattern: '^\\*IDN\\?$', reply: 'ACME,PSU,1,1.0' }
    - { pattern: '^VOLT\\?$', reply: '{voltage}' }
    - { pattern: '^VOLT (?<voltage>.+)$' }
`

describe('golem conformance', { concurrency: true }, () => {
  mkdirSync(join(empty.path, 'models'))
  const file = join(empty.path, 'models', 'supply.yaml')
  writeFileSync(file, SUPPLY)

  test('a model of the site that lacks something: its level, the reason, exit code 1; over a serial line', async () => {
    const run = await conformance(['supply', '--quick', '--over', 'serial'])
    assert.equal(run.code, 1, run.stdout + run.stderr)
    assert.match(run.stdout, /bronze +description +FAILED +voltage has neither a safe value nor a note/)
    assert.match(run.stdout, /silver +delay, jitter, .*passed/)
    assert.match(run.stdout, /^supply is not even bronze .*For bronze is missing:\n +description: voltage/m)
    assert.match(run.stderr, /^golem: Below bronze: supply \(not even bronze\)\.$/m)
  })

  test('the same file, mended: gold by machine', async () => {
    const mended = join(empty.path, 'mended.yaml')
    writeFileSync(
      mended,
      SUPPLY.replace('readBack: true', 'readBack: true, safe: 0').replace('model: supply', 'model: mended'),
    )
    const run = await conformance([mended, '--quick', '--level', 'gold', '--json'])
    assert.equal(run.code, 0, run.stdout + run.stderr)
    const { reports } = JSON.parse(run.stdout) as { reports: Report[] }
    assert.deepEqual(
      reports.map(({ model, level, next }) => [model, level, next?.missing.map(({ check }) => check)]),
      [['mended', 'gold', ['nothing mixed up']]],
    )
    assert.equal((await conformance([mended, '--quick', '--level', 'platinum'])).code, 1)
  })

  test('what can not be tried is said, with what to do', async () => {
    mkdirSync(join(empty.path, 'drivers'))
    const driver = join(empty.path, 'drivers', 'mine.mjs')
    writeFileSync(
      driver,
      `export default { id: 'mine', label: 'Mine', kind: 'oven', source: 'me', transport: 'line', optionsSchema: {},
        create: () => { throw new Error('not made here') } }`,
    )
    const run = await conformance([driver])
    assert.equal(run.code, 1)
    assert.match(run.stderr, /mine can't be tried: .*golem model test .*mine\.mjs --address ADDRESS/)
    assert.match((await conformance(['no-such'])).stderr, /no model "no-such"\. Models: .*rigol-dp800/)
    const way = await conformance(['esp32-relay', '--over', 'usbtmc'])
    assert.match(way.stderr, /esp32-relay can't be tried over usbtmc: only over tcp\./)
    const options = await conformance(['grbl', '--options', 'axes=5'])
    assert.equal(options.code, 2)
    assert.match(options.stderr, /grbl does not take these options: options\.axes: /)
  })

  test('Ctrl-C ends it in the middle', async () => {
    const startedAt = performance.now()
    const run = await conformance([file], AbortSignal.timeout(4000))
    assert.equal(run.code, 1, run.stderr)
    assert.match(run.stderr, /Ended early/)
    assert.ok(performance.now() - startedAt < 30_000, 'it does not go on for the minute that it takes')
  })
})
