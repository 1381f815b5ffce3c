import type { PlannedStart, ScheduleState } from '@golem/core'
import assert from 'node:assert/strict'
import { type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { type CliRun, runForTest, sendJson, StandInServer } from '../testing.ts'

const AT = '2026-05-01T08:05:00.000Z'
const AIR: ScheduleState = {
  id: 'air',
  label: 'Air',
  recipe: 'ventilation',
  when: 'every 10 min from the top of the hour',
  missed: 'skip',
  enabled: true,
  next: ['2026-05-01T08:10:00.000Z'],
  message: '',
  last: {
    schedule: 'air',
    plannedAt: '2026-05-01T08:00:00.000Z',
    run: 'air-20260501-080000',
    startedAt: '2026-05-01T08:00:00.020Z',
    lateMs: 20,
    finishedAt: '2026-05-01T08:04:05.000Z',
    end: 'completed',
  },
}
const STARTS: PlannedStart[] = [
  AIR.last ?? assert.fail(),
  {
    schedule: 'air',
    plannedAt: '2026-05-01T07:00:00.000Z',
    skipped: 'Nobody \u001B[31mwas there.',
    count: 3,
  },
  {
    schedule: 'air',
    plannedAt: '2026-05-01T06:50:00.000Z',
    run: 'r',
    lateMs: 0,
    finishedAt: AT,
    end: 'failed',
  },
]

async function site(
  t: TestContext,
  routes: Record<string, unknown> = {},
): Promise<{ server: StandInServer; golem: (...argv: string[]) => Promise<CliRun> }> {
  const server = await new StandInServer({
    'GET /api/state': { at: AT },
    'GET /api/schedules': [AIR],
    'GET /api/schedules/starts': STARTS,
    ...routes,
  }).listen()
  t.after(() => server.close())
  return { server, golem: (...argv) => runForTest([...argv, '--url', server.url]) }
}

test('schedules are shown with their next and last start', async (t) => {
  const { golem } = await site(t)
  const { code, out } = await golem('schedules')
  assert.equal(code, 0)
  assert.match(
    out,
    /air +ventilation +every 10 min from the top of the hour +on +in 5 min +completed, 5 min ago/,
  )
  assert.deepEqual(JSON.parse((await golem('schedules', '--json')).out), [AIR])
})

test('what became of planned starts, harmless for the terminal', async (t) => {
  const { golem, server } = await site(t)
  const { out } = await golem('schedules', 'starts', 'air', '--limit', '5')
  assert.match(out, /5 min ago +air +0\.0 s late +air-20260501-080000 +completed/)
  assert.match(out, /65 min ago +air +SKIPPED \(3 of them.*Nobody \uFFFD\[31mwas there\./)
  assert.match(out, /FAILED/)
  assert.ok(server.seen.some(({ path }) => path.includes('limit=5&schedule=air')))
})

test('switching waits until it is done, and says what is next', async (t) => {
  let shown = { ...AIR, enabled: false, next: [] as readonly string[] }
  const { golem, server } = await site(t, {
    'GET /api/schedules': (response: ServerResponse) => sendJson(response, 200, [shown]),
    'PATCH /api/schedules/air': (response: ServerResponse) => {
      sendJson(response, 202, shown)
      setTimeout(() => (shown = AIR), 200)
    },
  })
  const { code, out } = await golem('schedules', 'on', 'air')
  assert.equal(code, 0)
  assert.equal(out, 'air is on; the next start is planned for 2026-05-01T08:10:00.000Z')
  assert.deepEqual(server.seen.find(({ method }) => method === 'PATCH')?.body, { enabled: true })
})

test('a schedule that is not there is refused with those that are', async (t) => {
  const { golem } = await site(t)
  const { code, err } = await golem('schedules', 'off', 'water')
  assert.equal(code, 3)
  assert.match(err, /There is no schedule "water"\. There are: air\./)
})
