import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecipeDescription } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { Runs } from '../kit/runs.ts'
import { startStand, type Stand } from '../kit/stand.ts'

const RECIPES: Readonly<Record<string, string>> = {
  blink: `
label: Blink
parameters:
  times: { type: integer, label: How often, min: 1, max: 50, default: 3 }
  pause: { type: duration, label: Pause, min: 10 ms, max: 1 h, default: 50 ms }
stages:
  - name: blink
    steps:
      - repeat:
          times: $times
          steps:
            - set: { relays.relay0: true }
            - wait: $pause
            - set: { relays.relay0: false }
            - wait: $pause
finally:
  - set: { relays.relay3: true }
`,
  measure: `
label: Measure
stages:
  - name: measure
    steps:
      - measure: { readings: [relays.rootsTemperature], samples: 2 }
`,
  faulty: `
label: Faulty
stages:
  - name: one
    steps:
      - set: { relays.relay9: true }
`,
}

async function withRecipes(use: (stand: Stand, runs: Runs) => Promise<void>, schedulers = 1): Promise<void> {
  const stand = await startStand({ schedulers, leaseMs: 2_000 })
  try {
    writeRecipes(stand, RECIPES)
    const runs = new Runs(stand)
    await runs.recipe('blink')
    await use(stand, runs)
  } finally {
    await stand.close()
  }
}

test('a run sets, waits and ends, each command once, under its reservation, and is seen by all', async () => {
  await withRecipes(async (stand, runs) => {
    const id = await runs.start('blink', { times: 4 })
    const during = await stand.until('relays', ({ reservation }) => reservation?.current, 'it is reserved')
    assert.deepEqual(during.reservation?.current?.holder, { kind: 'run', name: id })
    const refused = await stand.command('relays', { parameter: 'relay1', value: true })
    assert.equal((refused.body as unknown as { code: string }).code, 'INSTRUMENT_RESERVED')
    const ended = await runs.ended(id)
    assert.deepEqual([ended.end, ended.progress.fraction], ['completed', 1])
    const commands = await runs.commands(id)
    assert.deepEqual(
      commands.map(({ parameter, value, outcome }) => [parameter, value, outcome]),
      [
        ...Array.from({ length: 4 }, () => [
          ['relay0', true, 'done'],
          ['relay0', false, 'done'],
        ]).flat(),
        ['relay3', true, 'done'],
      ],
    )
    await stand.until('relays', ({ reservation }) => !reservation?.current, 'it is given back')
    assert.ok((await stand.state()).runs.some((one) => one.id === id))
  })
})

test('pause, resume, new parameters and stop: what is at the end is done', async () => {
  await withRecipes(async (_, runs) => {
    const id = await runs.start('blink', { times: 50, pause: '200 ms' })
    await runs.until(id, ({ state }) => state === 'running', 'it runs')
    await runs.ask(id, 'pause')
    await runs.until(id, ({ state }) => state === 'paused', 'it is paused')
    await runs.change(id, { pause: '20 ms' })
    await runs.until(id, ({ parameters }) => parameters['pause'] === 20, 'the parameter is new')
    await runs.ask(id, 'resume')
    await runs.until(id, ({ state }) => state === 'running', 'it goes on')
    await runs.ask(id, 'stop')
    const ended = await runs.ended(id)
    assert.equal(ended.end, 'stopped')
    const commands = await runs.commands(id)
    assert.deepEqual([commands.at(-1)?.parameter, commands.at(-1)?.outcome], ['relay3', 'done'])
  })
})

test('an abort brings the instruments to their safe state', async () => {
  await withRecipes(async (stand, runs) => {
    const id = await runs.start('blink', { pause: '1 h' })
    await stand.until('relays', ({ readings }) => readings['relay0']?.value === true, 'the relay is on')
    await runs.ask(id, 'abort')
    const ended = await runs.ended(id)
    assert.equal(ended.end, 'aborted', ended.message)
    await stand.until('relays', ({ readings }) => readings['relay0']?.value === false, 'the relay is off')
  })
})

test('rows are measured; a recipe with faults can not be started and says why', async () => {
  await withRecipes(async (stand, runs) => {
    const id = await runs.start('measure')
    const ended = await runs.ended(id)
    assert.deepEqual([ended.end, ended.rows], ['completed', 1], ended.message)
    const rows = await runs.rows(id)
    assert.equal(typeof rows[0]?.values['relays.rootsTemperature'], 'number')
    const { body: recipes } = await stand.api<RecipeDescription[]>('/api/recipes')
    const faulty = recipes.find(({ id: recipe }) => recipe === 'faulty')
    assert.match(faulty?.faults[0] ?? '', /^recipes\/faulty\.yaml:6.*relay9/)
    const { status } = await stand.api('/api/runs', { method: 'POST', body: { recipe: 'faulty' } })
    assert.equal(status, 400)
  })
})

test('the scheduler is killed again and again: no command is given twice, and the run comes to its end', async () => {
  await withRecipes(async (stand, runs) => {
    const id = await runs.start('blink', { times: 12, pause: '100 ms' })
    for (let n = 0; n < 3; n += 1) {
      const commands = (await runs.commands(id)).length
      await eventually(async () => (await runs.commands(id)).length > commands + 2, {
        what: 'it goes on',
        timeoutMs: 20_000,
      })
      await stand.schedulers[n]?.kill('SIGKILL')
      await stand.addScheduler()
    }
    const ended = await runs.ended(id)
    assert.deepEqual([ended.end, ended.interruptions.count], ['completed', 3], ended.message)
    const values = (await runs.commands(id)).filter(({ parameter }) => parameter === 'relay0')
    assert.deepEqual(
      values.map(({ value }) => value),
      Array.from({ length: 24 }, (_, n) => n % 2 === 0),
    )
  })
})
