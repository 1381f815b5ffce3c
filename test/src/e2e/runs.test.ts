import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CommandRecord, RecipeDescription, RunRecord, RunRow } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
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

async function withRecipes(use: (stand: Stand) => Promise<void>, schedulers = 1): Promise<void> {
  const stand = await startStand({ schedulers, leaseMs: 2_000 })
  try {
    const folder = join(stand.dir, 'recipes')
    mkdirSync(folder, { recursive: true })
    for (const [id, text] of Object.entries(RECIPES)) writeFileSync(join(folder, `${id}.yaml`), text)
    await eventually(async () => (await recipes(stand)).some(({ id }) => id === 'blink'), {
      what: 'recipes are known',
    })
    await use(stand)
  } finally {
    await stand.close()
  }
}

async function recipes(stand: Stand): Promise<RecipeDescription[]> {
  return (await stand.api<RecipeDescription[]>('/api/recipes')).body
}

async function start(stand: Stand, recipe: string, parameters: object = {}): Promise<RunRecord> {
  const { status, body } = await stand.api<RunRecord>('/api/runs', {
    method: 'POST',
    body: { recipe, parameters },
  })
  assert.equal(status, 202, JSON.stringify(body))
  return body
}

async function run(stand: Stand, id: string): Promise<RunRecord> {
  return (await stand.api<RunRecord>(`/api/runs/${id}`)).body
}

function until(
  stand: Stand,
  id: string,
  wanted: (run: RunRecord) => boolean,
  what: string,
): Promise<RunRecord> {
  let last: RunRecord | undefined
  return eventually(
    async () => {
      last = await run(stand, id)
      return wanted(last) ? last : undefined
    },
    { what: `${what}; it is ${JSON.stringify(last)}`, timeoutMs: 20_000 },
  )
}

const tell = (stand: Stand, id: string, what: string) =>
  stand.api<RunRecord>(`/api/runs/${id}/${what}`, { method: 'POST', body: {} })

async function commandsOf(stand: Stand, id: string): Promise<CommandRecord[]> {
  const { body } = await stand.api<CommandRecord[]>('/api/commands?limit=1000')
  return body.filter(({ by }) => by === `run ${id}`).toReversed()
}

test('a run sets, waits and ends, each command once, under its reservation, and is seen by all', async () => {
  await withRecipes(async (stand) => {
    const { id } = await start(stand, 'blink', { times: 4 })
    const during = await stand.until('relays', ({ reservation }) => reservation?.current, 'it is reserved')
    assert.deepEqual(during.reservation?.current?.holder, { kind: 'run', name: id })
    const refused = await stand.command('relays', { parameter: 'relay1', value: true })
    assert.equal((refused.body as unknown as { code: string }).code, 'INSTRUMENT_RESERVED')
    const ended = await until(stand, id, ({ state }) => state === 'ended', 'it ends')
    assert.deepEqual([ended.end, ended.progress.fraction], ['completed', 1])
    const commands = await commandsOf(stand, id)
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
  await withRecipes(async (stand) => {
    const { id } = await start(stand, 'blink', { times: 50, pause: '200 ms' })
    await until(stand, id, ({ state }) => state === 'running', 'it runs')
    await tell(stand, id, 'pause')
    await until(stand, id, ({ state }) => state === 'paused', 'it is paused')
    const change = { method: 'PATCH', body: { parameters: { pause: '20 ms' } } } as const
    assert.equal((await stand.api(`/api/runs/${id}`, change)).status, 202)
    await until(stand, id, ({ parameters }) => parameters['pause'] === 20, 'the parameter is new')
    await tell(stand, id, 'resume')
    await until(stand, id, ({ state }) => state === 'running', 'it goes on')
    await tell(stand, id, 'stop')
    const ended = await until(stand, id, ({ state }) => state === 'ended', 'it ends')
    assert.equal(ended.end, 'stopped')
    const commands = await commandsOf(stand, id)
    assert.deepEqual([commands.at(-1)?.parameter, commands.at(-1)?.outcome], ['relay3', 'done'])
  })
})

test('an abort brings the instruments to their safe state', async () => {
  await withRecipes(async (stand) => {
    const { id } = await start(stand, 'blink', { pause: '1 h' })
    await stand.until('relays', ({ readings }) => readings['relay0']?.value === true, 'the relay is on')
    await tell(stand, id, 'abort')
    const ended = await until(stand, id, ({ state }) => state === 'ended', 'it ends')
    assert.equal(ended.end, 'aborted', ended.message)
    await stand.until('relays', ({ readings }) => readings['relay0']?.value === false, 'the relay is off')
  })
})

test('rows are measured; a recipe with faults can not be started and says why', async () => {
  await withRecipes(async (stand) => {
    const { id } = await start(stand, 'measure')
    const ended = await until(stand, id, ({ state }) => state === 'ended', 'it ends')
    assert.deepEqual([ended.end, ended.rows], ['completed', 1], ended.message)
    const { body: rows } = await stand.api<RunRow[]>(`/api/runs/${id}/rows`)
    assert.equal(typeof rows[0]?.values['relays.rootsTemperature'], 'number')
    const faulty = (await recipes(stand)).find((each) => each.id === 'faulty')
    assert.match(faulty?.faults[0] ?? '', /^recipes\/faulty\.yaml:6.*relay9/)
    const { status } = await stand.api('/api/runs', { method: 'POST', body: { recipe: 'faulty' } })
    assert.equal(status, 400)
  })
})

test('the scheduler is killed again and again: no command is given twice, and the run comes to its end', async () => {
  await withRecipes(async (stand) => {
    const { id } = await start(stand, 'blink', { times: 12, pause: '100 ms' })
    for (let n = 0; n < 3; n += 1) {
      const commands = (await commandsOf(stand, id)).length
      await eventually(async () => (await commandsOf(stand, id)).length > commands + 2, {
        what: 'it goes on',
        timeoutMs: 20_000,
      })
      await stand.schedulers[n]?.kill('SIGKILL')
      await stand.addScheduler()
    }
    const ended = await until(stand, id, ({ state }) => state === 'ended', 'it ends')
    assert.deepEqual([ended.end, ended.interruptions.count], ['completed', 3], ended.message)
    const values = (await commandsOf(stand, id)).filter(({ parameter }) => parameter === 'relay0')
    assert.deepEqual(
      values.map(({ value }) => value),
      Array.from({ length: 24 }, (_, n) => n % 2 === 0),
    )
  })
})
