import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CommandRecord, RecipeDescription, RunRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const RECIPE = `label: Later
parameters: { relay: { type: boolean, label: Relay } }
stages:
  - name: all
    steps:
      - note: begun
      - wait: 4 s
      - set: { relays.relay1: $relay }
finally:
  - set: { relays.relay2: $relay }
`

let stand: Stand
before(async () => {
  // The same scheduler leads all the time: what a leader before has left behind is another matter.
  stand = await startStand({ schedulers: 1, leaseMs: 15_000 })
  writeRecipes(stand, { later: RECIPE })
  await eventually(
    async () => (await stand.api<RecipeDescription[]>('/api/recipes')).body.some(({ id }) => id === 'later'),
    { what: 'the recipe is known' },
  )
})
after(() => stand.close())

const written = (relay: boolean): number =>
  stand.sim
    .device('relays')
    .requests()
    .filter(({ body }) => body === `{"channel":1,"state":${relay ? 1 : 0}}`).length

/** A run at its wait, and what Redis knew then. */
async function begun(relay: boolean): Promise<string> {
  const body = { recipe: 'later', parameters: { relay } }
  const { body: run } = await stand.api<RunRecord>('/api/runs', { method: 'POST', body })
  await eventually(async () => (await runOf(run.id)).progress.doing.startsWith('wait'), { what: 'it waits' })
  await stand.redis.mark()
  return run.id
}

const runOf = async (id: string): Promise<RunRecord> => (await stand.api<RunRecord>(`/api/runs/${id}`)).body

const given = (id: string, state: CommandRecord['state']): Promise<unknown> =>
  eventually(
    async () => {
      const { body } = await stand.api<CommandRecord[]>('/api/commands')
      return body.some((one) => one.by === `run ${id}` && one.parameter === 'relay1' && one.state === state)
    },
    { what: `its command is ${state}`, timeoutMs: 20_000 },
  )

async function completes(id: string): Promise<void> {
  const ended = await eventually(
    async () => {
      const run = await runOf(id)
      return run.state === 'ended' ? run : undefined
    },
    { what: `the run ends: ${JSON.stringify(await runOf(id))}`, timeoutMs: 40_000 },
  )
  assert.equal(ended.end, 'completed', ended.message)
}

test('a command that Redis lost before any worker had begun with it is given again, and sent once', async () => {
  const id = await begun(true)
  const [worker] = stand.workers
  worker?.stop()
  await given(id, 'queued')
  await stand.redis.killAndRollBack()
  worker?.cont()
  await completes(id)
  assert.equal(written(true), 1)
})

test('a command that Redis lost while it was carried out is not sent again', async () => {
  const id = await begun(false)
  await stand.sim.device('relays').setFault({ kind: 'delay', ms: 1_000, times: 1, match: { method: 'POST' } })
  await given(id, 'running')
  await stand.redis.killAndRollBack()
  await completes(id)
  assert.equal(written(false), 1)
})

const kept = async (name: string): Promise<number> =>
  (await stand.redis.call('HGET', '{golem:test}:scheduler', name)).trim().length

test('the program of a run stands in Redis once, is written again when Redis was started anew, and goes with the run', async () => {
  const id = await begun(true)
  const [program, state] = [await kept(`program:${id}`), await kept(`run:${id}`)]
  assert.ok(program > state, `${program} and ${state} bytes`)
  await stand.redis.call('HDEL', '{golem:test}:scheduler', `program:${id}`)
  await stand.redis.restart()
  await completes(id)
  await eventually(async () => (await kept(`run:${id}`)) === 0, { what: 'it is forgotten' })
  assert.equal(await kept(`program:${id}`), 0)
})

test('a run whose program is gone has failed, and says why', async () => {
  const id = await begun(true)
  await stand.redis.call('HDEL', '{golem:test}:scheduler', `program:${id}`)
  await stand.schedulers[0]?.kill('SIGKILL')
  await stand.addScheduler()
  const ended = await eventually(
    async () => {
      const run = await runOf(id)
      return run.state === 'ended' ? run : undefined
    },
    { what: 'the run ends', timeoutMs: 40_000 },
  )
  assert.deepEqual([ended.end, await kept(`run:${id}`)], ['failed', 0])
  assert.match(ended.message, /Redis has lost what it was to do/)
})
