import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ScheduleState } from '@golem/core'
import { open } from './app-in-memory.ts'
import type { ProblemDocument } from './problem.ts'

const AIR: ScheduleState = {
  id: 'air',
  label: 'Air',
  recipe: 'ventilation',
  when: 'every 10 min from the top of the hour',
  missed: 'skip',
  enabled: true,
  next: [],
  message: '',
  last: null,
}

async function withSchedule(t: TestContext) {
  const site = await open(t)
  site.client.view.schedules.set('air', AIR)
  const turn = (id: string, payload: object) =>
    site.app.inject({ method: 'PATCH', url: `/api/schedules/${id}`, payload })
  return { ...site, turn }
}

test('a schedule is switched by the scheduler', async (t) => {
  const { app, client, turn } = await withSchedule(t)
  assert.deepEqual((await app.inject('/api/schedules')).json(), [AIR])
  assert.equal((await turn('air', { enabled: false })).statusCode, 202)
  const [request] = client.requests
  assert.ok(request?.type === 'schedule')
  assert.deepEqual([request.schedule, request.enabled], ['air', false])
})

test('what can not be switched is refused', async (t) => {
  const { client, turn } = await withSchedule(t)
  const gone = await turn('water', { enabled: false })
  assert.equal(gone.statusCode, 404)
  assert.match(gone.json<ProblemDocument>().detail, /no schedule "water".*air/)
  assert.equal((await turn('air', { enabled: 'no' })).statusCode, 422)
  assert.equal((await turn('air', {})).statusCode, 400)
  assert.deepEqual(client.requests, [])
})

test('what is planned can be asked for within reason', async (t) => {
  const { app } = await withSchedule(t)
  assert.deepEqual((await app.inject('/api/schedules/planned?hours=24')).json(), [])
  assert.equal((await app.inject('/api/schedules/planned?hours=100000')).statusCode, 422)
})
