import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { RecipeDescription, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

const HEAD = `import { recipe } from '@golem/core'\n`
const AT_END = `atEnd: [{ set: { 'board.relay3': false } }]`

/** A recipe that commands the board. @param body - of its function */
const onBoard = (body: string, more = ''): string =>
  `${HEAD}export default recipe({ label: 'Test', commands: ['board'], ${AT_END}${more} }, async (lab, parameters) => {\n${body}\n})\n`

const README = readFileSync(join(ROOT, 'instance', 'recipes', 'README.md'), 'utf8')

const FILES: Readonly<Record<string, string>> = {
  'cool.ts': /^```ts\n(.*?)^```$/ms.exec(README)?.[1] ?? '',
  // Types, parameters, roles, stages, rows, what is read, several calls at once, and an error that is caught.
  'settle.ts': `${HEAD}
interface Seen { temperature: number }
export default recipe(
  {
    label: 'Settle',
    parameters: {
      times: { type: 'integer', label: 'How often', min: 1, max: 20, default: 2 },
      pause: { type: 'duration', label: 'Pause', default: '50 ms' },
    },
    instruments: { chamber: { default: 'board', label: 'Board' } },
    commands: ['chamber'],
    reads: ['chamber'],
    stages: ['looking', 'switching'],
    ${AT_END},
  },
  async (lab, parameters) => {
    lab.stage('looking')
    const before: Seen = { temperature: Number(await lab.value('chamber.rootsTemperature')) }
    if (!(before.temperature > -50)) throw new Error('too cold')
    lab.stage('switching')
    for (let n = 0; n < Number(parameters.times); n++) {
      lab.progress(n / Number(parameters.times), 'round ' + n)
      await lab.set({ 'chamber.relay0': true })
      await Promise.all([
        lab.wait(Number(parameters.pause)),
        lab.until({ reading: 'chamber.relay0', equals: true, timeout: '20 s' }),
      ])
      await lab.set({ 'chamber.relay0': false })
    }
    const row = await lab.measure({ readings: ['chamber.rootsTemperature'], name: 'end' })
    lab.note('measured ' + typeof row['board.rootsTemperature'])
    try {
      await lab.set({ 'chamber.relay9': true })
    } catch (error) {
      lab.note('caught: ' + (error as Error).message)
    }
    try {
      await lab.set({ 'other.relay0': true })
    } catch (error) {
      lab.note('caught: ' + (error as Error).message)
    }
  },
)
`,
  'throws.mjs': onBoard(`  await lab.set({ 'board.relay3': true })\n  throw new TypeError('on purpose')`),
  'refused.mjs': onBoard(`  await lab.set({ 'board.relay3': true })\n  await lab.value('board.nothing')`),
  'loops.mjs': onBoard(`  await lab.set({ 'board.relay3': true })\n  for (;;) parameters.x`),
  'orphan.mjs': onBoard(
    `  lab.note('pid ' + process.pid)\n  await lab.set({ 'board.relay3': true })\n  for (;;) parameters.x`,
  ),
  'eats.mjs': onBoard(
    `  await lab.set({ 'board.relay3': true })\n  const all = []\n  for (;;) { all.push(new Array(1e5).fill({ n: all.length })); if (all.length % 10 === 0) await null }`,
    ', memoryMb: 32',
  ),
  'exits.mjs': onBoard(`  await lab.set({ 'board.relay3': true })\n  process.exit(3)`),
  'dies.mjs': onBoard(
    `  await lab.set({ 'board.relay3': true })\n  process.kill(process.pid, 'SIGKILL')\n  await lab.wait('1 h')`,
  ),
  'floods.mjs': onBoard(
    `  await lab.set({ 'board.relay3': true })\n  for (;;) { lab.note('x'); await new Promise((then) => setImmediate(then)) }`,
  ),
  'late.mjs': onBoard(
    `  await lab.set({ 'board.relay3': true })\n  await lab.wait('1 h')`,
    `, timeLimit: '1500 ms'`,
  ),
  'waits.mjs': onBoard(
    `  await lab.set({ 'board.relay3': true })\n  await lab.wait('1 h')\n  lab.stage('after ' + lab.parameters.what)\n  await lab.wait('1 h')`,
    `, parameters: { what: { type: 'text', label: 'What', default: 'one' } }`,
  ),
  'blinks.mjs': onBoard(
    `  for (;;) { await lab.set({ 'board.relay0': true }); await lab.wait(100); await lab.set({ 'board.relay0': false }); await lab.wait(100) }`,
  ),
  'safe.mjs': onBoard(
    `  await lab.set({ 'board.relay3': true, 'board.relay1': true })\n  await lab.wait('1 h')`,
    `, onRestart: 'safe'`,
  ),
  'broken.ts': `${HEAD}export default recipe({ label: 'Broken' }, async (lab) => {\n  await lab.wait('5 s'\n})\n`,
  'hangs.mjs': `${HEAD}for (;;);\n`,
  'wrong.mjs': `${HEAD}export default recipe({ label: 'Wrong', comands: ['board'], onRestart: 'resume' }, async () => {})\n`,
}

let stand: Stand
let runs: Runs
before(async () => {
  stand = await startStand({ devices: [relayBoard('board'), relayBoard('other')], leaseMs: 2_000 })
  runs = new Runs(stand)
  mkdirSync(join(stand.dir, 'recipes'))
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(stand.dir, 'recipes', name), text)
  await stand.addScheduler()
  await runs.recipe('settle')
})
after(() => stand.close())
beforeEach(async () => {
  for (const relay of ['relay0', 'relay1', 'relay3']) {
    await eventually(
      async () => (await stand.command('board', { parameter: relay, value: false })).body.outcome === 'done',
      { what: 'the board is free and off' },
    )
  }
})

const relay3 = (on: boolean) =>
  stand.until('board', ({ readings }) => readings['relay3']?.value === on, `relay 3 is ${on ? 'on' : 'off'}`)

async function eventsOf(id: string): Promise<string[]> {
  const { body } = await stand.api<SiteEvent[]>('/api/events?limit=1000&kind=run')
  return body.flatMap(({ message }) => (message.startsWith(`run ${id}`) ? [message] : []))
}

test('a program with types, roles and parameters: each command once, rows, stages, and errors it can catch', async () => {
  const described = await runs.recipe('settle')
  assert.equal(described.kind, 'code')
  assert.deepEqual(
    [described.stages, described.commands, described.reads],
    [['looking', 'switching'], ['board'], ['board']],
  )
  assert.equal(described.parameters['pause']?.default, 50)
  const id = await runs.start('settle', { times: 3 })
  const ended = await runs.ended(id)
  assert.deepEqual([ended.end, ended.rows], ['completed', 1], ended.message)
  const rounds = Array.from({ length: 3 }, () => ['board.relay0 true done', 'board.relay0 false done']).flat()
  assert.deepEqual(await runs.written(id), [...rounds, 'board.relay3 false done'])
  assert.equal(typeof (await runs.rows(id))[0]?.values['board.rootsTemperature'], 'number')
  const events = (await eventsOf(id)).join('\n')
  for (const wanted of [
    /Stage: switching/,
    /measured number/,
    /caught: .*relay9/,
    /caught: .*other.*"commands"/,
  ]) {
    assert.match(events, wanted)
  }
})

test('another board by its role', async () => {
  const id = await runs.start('settle', {}, { instruments: { chamber: 'other' } })
  const ended = await runs.ended(id)
  // What it does at the end names the board itself.
  assert.equal(ended.end, 'completed', ended.message)
  assert.deepEqual(
    (await runs.written(id)).filter((write) => write.startsWith('other')).slice(0, 4),
    [true, false, true, false].map((on) => `other.relay0 ${on} done`),
  )
})

test('the example of the README, word for word', async () => {
  const run = { instruments: { chamber: 'board' } }
  const id = await runs.start('cool', { below: 5, first: '10 ms' }, run)
  await runs.until(id, ({ rows, progress }) => rows > 1 && progress.stage === 'cooling', 'it measures')
  await runs.change(id, { below: 40 })
  assert.equal((await runs.ended(id)).end, 'completed')
  const written = await runs.written(id)
  assert.deepEqual(written.slice(0, 2), ['board.relay2 true done', 'board.relay2 false done'])
  assert.deepEqual(written.slice(-2), ['board.relay2 false done', 'board.relay2 false done'])
})

const FAILURES: readonly [recipe: string, message: RegExp][] = [
  ['throws', /throws\.mjs:4: TypeError: on purpose/],
  ['refused', /refused\.mjs:4: board\.nothing is not there/],
  ['loops', /loops\.mjs hangs/],
  ['eats', /memory/],
  ['exits', /process\.exit\(3\)/],
  ['dies', /dies\.mjs ended before it was done \(SIGKILL\)/],
  ['floods', /too much at once/],
  ['late', /not over within 1500 ms|not over within 1.5 s/],
]
for (const [recipe, message] of FAILURES) {
  test(`a program that ${recipe}: the run has failed, what it wants done at the end is done, and the scheduler goes on`, async () => {
    await runs.recipe(recipe)
    const scheduler = stand.schedulers.at(-1)
    const id = await runs.start(recipe)
    const ended = await runs.ended(id, 40_000)
    assert.equal(ended.end, 'failed')
    assert.match(ended.message, message)
    assert.deepEqual(await runs.written(id), ['board.relay3 true done', 'board.relay3 false done'])
    assert.ok(scheduler?.alive)
  })
}

test('files that can not be run are listed with their fault, and started by nobody', async () => {
  const faults = async (id: string): Promise<string> =>
    (await stand.api<RecipeDescription[]>('/api/recipes')).body
      .find((each) => each.id === id)
      ?.faults.join('\n') ?? ''
  assert.match(await faults('broken'), /broken\.ts:4:\d+ /)
  assert.match(await faults('hangs'), /hangs\.mjs.*(has not told|hangs)/)
  assert.match(await faults('wrong'), /"comands".*\n.*onRestart/)
  const { status } = await stand.api('/api/runs', { method: 'POST', body: { recipe: 'broken' } })
  assert.equal(status, 400)
})

test('skip, new parameters, pause, resume and stop at its calls', async () => {
  const id = await runs.start('waits')
  await runs.until(id, ({ progress }) => /wait 1 h/.test(progress.doing), 'it waits')
  await runs.change(id, { what: 'two' })
  await runs.until(id, ({ parameters }) => parameters['what'] === 'two', 'the parameter is new')
  await runs.ask(id, 'pause')
  await runs.until(id, ({ state }) => state === 'paused', 'it is paused')
  await runs.ask(id, 'skip')
  await runs.ask(id, 'resume')
  await runs.until(id, ({ state }) => state === 'running', 'it goes on')
  assert.equal((await runs.get(id)).progress.stage, null, 'nothing is skipped while it is paused')
  await runs.ask(id, 'skip')
  await runs.until(id, ({ progress }) => progress.stage === 'after two', 'it is at its second wait')
  await runs.ask(id, 'stop')
  assert.equal((await runs.ended(id)).end, 'stopped')
  assert.deepEqual(await runs.written(id), ['board.relay3 true done', 'board.relay3 false done'])
})

test('paused between commands it gives none; abort makes everything safe; reset begins anew', async () => {
  const id = await runs.start('blinks')
  await eventually(async () => (await runs.commands(id)).length > 3, { what: 'it blinks' })
  await runs.ask(id, 'pause')
  await runs.until(id, ({ state }) => state === 'paused', 'it is paused')
  const paused = (await runs.commands(id)).length
  await runs.ask(id, 'ping')
  await eventually(async () => (await eventsOf(id)).length > 2, { what: 'it has been pinged' })
  assert.ok((await runs.commands(id)).length <= paused + 1, 'what was under way, no more')
  await runs.ask(id, 'reset')
  await runs.ask(id, 'resume')
  await eventually(async () => (await runs.commands(id)).length > paused + 4, { what: 'it blinks anew' })
  await stand.command('board', { parameter: 'relay0', value: true })
  await runs.ask(id, 'abort')
  assert.equal((await runs.ended(id)).end, 'aborted')
  await stand.until('board', ({ readings }) => readings['relay0']?.value === false, 'it is off')
})

test('the scheduler is killed: the run is paused, resume is refused in words, stop still does what is at the end', async () => {
  const id = await runs.start('waits')
  await relay3(true)
  await runs.until(id, ({ progress }) => /wait 1 h/.test(progress.doing), 'it waits')
  await stand.schedulers.at(-1)?.kill('SIGKILL')
  await stand.addScheduler()
  const held = await runs.until(id, ({ state }) => state === 'paused', 'it is paused')
  assert.match(held.message, /can not be resumed/)
  await runs.ask(id, 'resume')
  await eventually(
    async () => (await eventsOf(id)).some((text) => /not done: .*can not be resumed/.test(text)),
    {
      what: 'it is refused',
    },
  )
  assert.equal((await runs.get(id)).state, 'paused')
  await runs.ask(id, 'stop')
  assert.equal((await runs.ended(id)).end, 'stopped')
  assert.deepEqual(await runs.written(id), ['board.relay3 true done', 'board.relay3 false done'])
})

test('the scheduler is killed under a program that wants it safe then: it is aborted, its outputs are safe', async () => {
  // Begun by a leader that is new itself: it need not ask the files what they are.
  const id = await runs.start('safe')
  await relay3(true)
  await eventually(async () => (await runs.commands(id)).length === 2, { what: 'both are on' })
  await stand.schedulers.at(-1)?.kill('SIGKILL')
  await stand.addScheduler()
  assert.equal((await runs.ended(id, 30_000)).end, 'aborted')
  await relay3(false)
  await stand.until('board', ({ readings }) => readings['relay1']?.value === false, 'relay 1 is off too')
})

test('a program that hangs does not outlive its scheduler', async () => {
  const id = await runs.start('orphan')
  await relay3(true)
  const pid = Number(/pid (\d+)/.exec((await eventsOf(id)).join('\n'))?.[1])
  assert.ok(process.kill(pid, 0))
  await stand.schedulers.at(-1)?.kill('SIGKILL')
  await eventually(
    () => {
      try {
        return !process.kill(pid, 0)
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ESRCH'
      }
    },
    { what: 'it has ended' },
  )
  await stand.addScheduler()
  await runs.until(id, ({ state }) => state === 'paused', 'the run is paused')
  await runs.ask(id, 'kill')
  assert.equal((await runs.ended(id)).end, 'killed')
})

test('an emergency stop holds a program; after its release and resume it goes on where it was', async () => {
  const id = await runs.start('waits')
  await runs.until(id, ({ progress }) => /wait 1 h/.test(progress.doing), 'it waits', 30_000)
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'test' } })
  await runs.until(id, ({ state }) => state === 'paused', 'it is paused')
  await stand.until('board', ({ readings }) => readings['relay3']?.value === false, 'it is off')
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  await runs.ask(id, 'resume')
  await runs.until(id, ({ state }) => state === 'running', 'it goes on')
  await runs.ask(id, 'skip')
  await runs.until(id, ({ progress }) => progress.stage === 'after one', 'it is at its second wait')
  await runs.ask(id, 'stop')
  assert.equal((await runs.ended(id)).end, 'stopped')
})
