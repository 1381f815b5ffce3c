import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunRecord, SiteEvent } from '@golem/core'
import { demoDevices } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import { type NodeProcess, spawnNode } from '../kit/process.ts'
import { PYTHON_CLIENT, type Ran, runPython } from '../kit/python.ts'
import { ROOT } from '../kit/root.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { freePort } from '../kit/supply-stand.ts'

/** Some of the demo's devices under the names of its instruments. */
const NAMES: Readonly<Record<string, string>> = { 'relay-1': 'exp-board', sba5: 'co2', oven: 'oven' }

const COUNT = `
label: Count
parameters:
  times: { type: integer, label: How often, min: 1, max: 100, default: 3 }
  pause: { type: duration, label: Pause, min: 0 s, max: 1 h, default: 10 ms }
stages:
  - name: count
    steps:
      - repeat:
          times: $times
          steps:
            - measure: { readings: [co2.co2] }
            - wait: $pause
finally:
  - set: { oven.setpoint: 20 }
`

let stand: Stand
let runs: Runs
/** A web process at a port of its own choice, so that one that is killed comes back where it was. */
let web: NodeProcess
let url: string
let port: number

before(async () => {
  const devices = demoDevices().flatMap((spec) => {
    const name = NAMES[spec.name]
    if (name === undefined) return []
    return [{ ...spec, name, ...(spec.kind === 'sba5' ? { warmUpSeconds: 0.2, zeroSeconds: 0.5 } : {}) }]
  })
  stand = await startStand({ devices, schedulers: 1, settled: false })
  runs = new Runs(stand)
  writeRecipes(stand, { count: COUNT })
  port = await freePort()
  url = `http://127.0.0.1:${port}`
  await startWeb()
  await stand.until('co2', ({ readings }) => readings['co2']?.quality === 'good', 'CO2 is measured', 30_000)
  await stand.until('oven', ({ condition }) => condition === 'ok', 'the oven answers', 30_000)
  await runs.recipe('ventilation')
  await runs.recipe('count')
})
after(async () => {
  await web?.kill()
  await stand.close()
})
beforeEach(async () => {
  for (const name of ['exp-board', 'oven']) {
    await stand.sim.device(name).setFault(null)
    await stand.until(name, ({ condition }) => condition === 'ok', `${name} answers`, 30_000)
  }
})

async function startWeb(): Promise<void> {
  const main = join(ROOT, 'apps', 'web', 'dist', 'main.js')
  web = spawnNode(main, ['--site', stand.siteFile, '--port', String(port)], { name: 'web for Python' })
  await web.ready
}

/** Runs a program that has `lab`, and gives what it has put into `found`. */
async function python<T = unknown>(lines: string, name = 'anna'): Promise<T> {
  const program = [
    'import json, time, golem',
    'from golem import *',
    `lab = Golem(name=${JSON.stringify(name)})`,
    'found = None',
    lines,
    'print(json.dumps(found))',
  ]
  const { code, out, errors } = await runPython(program.join('\n'), url)
  assert.equal(code, 0, `${errors}\n${stand.log()}`)
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T
}

/** As lines of a program: what an exception says of itself goes into `found`. */
const caught = (line: string): string =>
  [
    'try:',
    `    ${line}`,
    'except Exception as e:',
    '    found = [type(e).__name__, getattr(e, "code", None), str(e)]',
  ].join('\n')

const writes = (): number => stand.sim.device('exp-board').counters()['POST /relay'] ?? 0

test('the example of the README runs, word for word', async () => {
  const readme = readFileSync(join(PYTHON_CLIENT, 'README.md'), 'utf8')
  const examples = [...readme.matchAll(/^```python\n(.*?)^```$/gms)].map(([, text = '']) => text)
  // The second is about logging: logs.test.ts runs it.
  assert.equal(examples.length, 2)
  const ran: Ran = await runPython(examples[0] ?? '', url)
  assert.equal(ran.code, 0, ran.errors)
  assert.match(ran.out, /^CO2: \d+(\.\d+)? ppm\nRefused: .*relay0.*\n$/)
  const [run] = (await stand.api<RunRecord[]>('/api/runs?recipe=ventilation')).body
  assert.deepEqual([run?.end, run?.by], ['completed', 'anna (local)'])
  // A line of the log is answered before it is stored.
  await eventually(
    async () => {
      const { body: events } = await stand.api<SiteEvent[]>('/api/events?limit=200')
      return events.some(
        ({ message, by }) => message === `aired, the run ${run?.id} has completed` && by === 'anna (local)',
      )
    },
    { what: 'its line is in the log' },
  )
})

test('what there is, readings with time and quality, and only good ones as values', async () => {
  const found = await python<[string[], [number, string, string, null], boolean]>(
    'found = [[i["id"] for i in lab.instruments()], list(lab.read("co2.co2")), lab.value("exp-board.relay1")]',
  )
  assert.deepEqual(found[0].toSorted(), ['co2', 'exp-board', 'oven'])
  assert.equal(found[1][2], 'good')
  assert.ok(Math.abs(Date.parse(found[1][1]) - Date.now()) < 20_000)
  assert.equal(found[2], false)
  await stand.sim.device('exp-board').setFault({ kind: 'silence' })
  await stand.until('exp-board', ({ readings }) => readings['relay1']?.quality !== 'good', 'it is not read')
  const [kind] = await python<string[]>(caught('lab.value("exp-board.relay1")'))
  assert.equal(kind, 'NotGood')
  assert.deepEqual((await python<string[]>(caught('lab.read("co2.oxygen")'))).slice(0, 2), [
    'GolemError',
    'UNKNOWN_NAME',
  ])
  assert.equal((await python<string[]>(caught('lab.read("co2")')))[0], 'ValueError')
})

test('commands end done, refused, failed or unknown, the last three as exceptions', async () => {
  const done = await python<string[]>(
    'r = lab.set("exp-board.relay1", True); z = lab.do("co2.zero"); found = [r["outcome"], r["by"], z["outcome"]]',
  )
  assert.deepEqual(done, ['done', 'anna (local)', 'done'])
  const refused = await python<string[]>(caught('lab.set("oven.setpoint", 1e6)'))
  assert.deepEqual(refused.slice(0, 2), ['Refused', 'OUT_OF_RANGE'])
  await stand.sim.device('oven').setFault({ kind: 'exception', value: 3, match: { method: '6' }, times: 1 })
  const failed = await python<string[]>(caught('lab.set("oven.setpoint", 33)'))
  assert.deepEqual(failed.slice(0, 2), ['CommandFailed', 'INSTRUMENT_REFUSED'])
  await stand.sim.device('exp-board').setFault({ kind: 'cut', match: { method: 'POST' }, times: 1 })
  const unknown = await python<string[]>(caught('lab.set("exp-board.relay1", False)'))
  assert.deepEqual(unknown.slice(0, 2), ['OutcomeUnknown', 'LINK_LOST'])
})

test('wait_for: held for so long, and given up in time', async () => {
  const found = await python<[number, string]>(
    [
      'lab.set("exp-board.relay2", True)',
      'began = time.monotonic()',
      'lab.wait_for("exp-board.relay2", equals=True, hold=1.2, timeout=30, every=0.1)',
      'held = time.monotonic() - began',
      caught('lab.wait_for("co2.co2", below=-1, timeout=0.5, every=0.1)'),
      'found = [held, found[0]]',
    ].join('\n'),
  )
  assert.ok(found[0] >= 1.2, String(found[0]))
  assert.equal(found[1], 'TimeoutError')
})

test('a reservation keeps others out, is waited for in line and given back, also after an error', async () => {
  const holder = python<string[]>(
    [
      'try:',
      '    with lab.reserve("exp-board", minutes=5, note="leak test") as mine:',
      '        lab.set("exp-board.relay0", True)',
      '        mine.renew(10)',
      '        lab.wait_for("exp-board.relay3", equals=True, timeout=40, every=0.1)',
      '        lab.set("exp-board.relay0", False)',
      '        raise KeyError("on purpose")',
      'except KeyError as e:',
      '    found = [str(e), lab.state()["instruments"]["exp-board"]["reservation"]["current"]]',
    ].join('\n'),
    'Анна',
  )
  await stand.until('exp-board', ({ readings }) => readings['relay0']?.value === true, 'it is used')
  const others = [
    'lab.set("exp-board.relay1", True)',
    'lab.reserve("exp-board")',
    'lab.reserve("exp-board", wait=1)',
  ]
  const refusals = await Promise.all(others.map((line) => python<string[]>(caught(line), 'boris')))
  assert.deepEqual(refusals[0]?.slice(0, 2), ['Refused', 'INSTRUMENT_RESERVED'])
  assert.match(refusals[0]?.[2] ?? '', /Анна/)
  assert.deepEqual(refusals[1]?.slice(0, 2), ['Refused', 'INSTRUMENT_RESERVED'])
  assert.equal(refusals[2]?.[0], 'TimeoutError')
  await stand.until(
    'exp-board',
    ({ reservation }) => reservation?.waiting.length === 0,
    'who has given up stands in line no longer',
  )
  // The wish is fulfilled at the board itself, which asks nobody.
  const waiting = python<string>(
    'mine = lab.reserve("exp-board", wait=40); found = mine.current["holder"]["name"]; mine.give_back()',
    'boris',
  )
  await stand.until('exp-board', ({ reservation }) => reservation?.waiting.length === 1, 'he stands in line')
  const bench = new URL('/relay', stand.sim.device('exp-board').address)
  await fetch(bench, { method: 'POST', body: JSON.stringify({ channel: 3, state: 1 }) })
  assert.deepEqual((await holder)[0], "'on purpose'")
  assert.equal(await waiting, 'boris (local)')
  await stand.until('exp-board', ({ reservation }) => !reservation?.current, 'nobody has it')
})

test('runs: rows, parameters while it goes on, stop, and an end that is an exception', async () => {
  const rows = await python<{ values: Record<string, number> }[]>(
    'run = lab.start("count", times=4); record = run.wait(30); found = run.rows()',
  )
  assert.equal(rows.length, 4)
  assert.equal(typeof rows[0]?.values['co2.co2'], 'number')
  const stopped = await python<string[]>(
    [
      'run = lab.start("count", pause="1 h", note="by hand")',
      'while run.record()["rows"] < 1: time.sleep(0.1)',
      'run.change(times=2)',
      'run.skip()',
      'while run.record()["rows"] < 2: time.sleep(0.1)',
      'run.pause()',
      'while run.record()["state"] != "paused": time.sleep(0.1)',
      'run.resume()',
      'run.stop("enough")',
      'again = lab.run(run.id)',
      caught('again.wait(30)'),
    ].join('\n'),
  )
  assert.equal(stopped[0], 'RunFailed')
  assert.match(stopped[2] ?? '', /stopped/)
  assert.equal((await python<string[]>(caught('lab.start("count", times=101)')))[0], 'Refused')
  assert.equal((await python<string[]>(caught('lab.start("nothing")')))[1], 'NOT_FOUND')
})

test('the web process is killed in the middle of waits: they go on, and each command is done once', async () => {
  await stand.sim
    .device('exp-board')
    .setFault({ kind: 'delay', ms: 1_500, match: { method: 'POST' }, times: 1 })
  const before = writes()
  const command = python<string>('found = lab.set("exp-board.relay1", False)["outcome"]')
  const run = python<string>('found = lab.start("count", times=6, pause="1 s").wait(60)["end"]')
  await eventually(() => writes() === before + 1, { what: 'the board has received it' })
  await eventually(async () => (await stand.state()).runs.some(({ state }) => state === 'running'), {
    what: 'the run goes on',
  })
  await web.kill('SIGKILL')
  await sleep(500)
  await startWeb()
  assert.deepEqual(await Promise.all([command, run]), ['done', 'completed'])
  assert.equal(writes(), before + 1)
  const started = (await stand.api<RunRecord[]>('/api/runs?recipe=count')).body
  assert.equal(started.filter(({ parameters }) => parameters['times'] === 6).length, 1)
})

test('nobody there: a command is refused, a question has no answer, each in words and in time', async () => {
  const nobody = `lab = Golem("http://127.0.0.1:${await freePort()}", patience=0.5)`
  const refused = await python<string[]>([nobody, caught('lab.set("exp-board.relay1", True)')].join('\n'))
  assert.equal(refused[0], 'Refused')
  assert.match(refused[2] ?? '', /Nothing was done/)
  const question = await python<string[]>([nobody, caught('lab.read("co2.co2")')].join('\n'))
  assert.equal(question[0], 'NoAnswer')
})
