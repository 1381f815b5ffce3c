import type { ReservationState } from '@golem/core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { timeOf } from '../reservation.ts'
import { type CliRun, runForTest, sendJson, StandInServer } from '../testing.ts'

const AT = '2026-05-01T08:00:00.000Z'
const PATH = '/api/instruments/lamp/reservation'
const HELD: ReservationState = {
  current: {
    instrument: 'lamp',
    holder: { kind: 'person', name: 'Ann' },
    fence: 7,
    since: AT,
    until: '2026-05-01T10:00:00.000Z',
    sharedWith: ['Bob'],
    onExpiry: 'safe',
    note: 'growth \u001B[31mcurve',
  },
  waiting: [{ holder: { kind: 'run', name: 'r-3' }, since: AT, forMs: 3_600_000 }],
  bookings: [
    {
      id: 'b1',
      holder: { kind: 'person', name: 'Eve' },
      from: '2026-05-02T08:00:00.000Z',
      until: '2026-05-02T09:00:00.000Z',
    },
  ],
}
const STATE = {
  cursor: '1',
  at: AT,
  full: true,
  instruments: {},
  runs: [],
  alarms: [],
  interlocks: [],
  stop: { site: null, instruments: {} },
  bus: { ok: true, since: AT, message: '' },
}

async function site(
  t: TestContext,
  routes: Record<string, unknown> = {},
): Promise<{ server: StandInServer; golem: (...argv: string[]) => Promise<CliRun> }> {
  const server = await new StandInServer({
    'GET /api/state': STATE,
    [`GET ${PATH}`]: HELD,
    [`PUT ${PATH}`]: HELD,
    [`DELETE ${PATH}`]: { current: null, waiting: [], bookings: [] },
    ...routes,
  }).listen()
  t.after(() => server.close())
  return {
    server,
    golem: (...argv) => runForTest([...argv, '--url', server.url], { env: { GOLEM_USER: 'Анна' } }),
  }
}

test('reserve says what it wants and who it is, and shows who has it, harmless for the terminal', async (t) => {
  const { server, golem } = await site(t)
  const { code, out } = await golem(
    'reserve',
    'lamp',
    '--for',
    '1 d 2h',
    '--note',
    'growth',
    '--share',
    'Bob',
    'Eve',
    '--quiet',
    '90min',
    '--safe',
  )
  assert.equal(code, 0)
  const asked = server.seen.find(({ method }) => method === 'PUT')
  assert.deepEqual(asked?.body, {
    forMs: 26 * 3_600_000,
    note: 'growth',
    quietUntil: '2026-05-01T09:30:00.000Z',
    share: ['Bob', 'Eve'],
    onExpiry: 'safe',
  })
  assert.equal(decodeURIComponent(String(asked?.headers['x-golem-user'])), 'Анна')
  assert.match(out, /lamp is reserved by Ann until .*, 2 h left \(growth \uFFFD\[31mcurve\)/)
  assert.match(out, /shared with Bob/)
  assert.match(out, /go to their safe state/)
  assert.match(out, /1\. in line: run r-3, for 60 min/)
  assert.match(out, /booking b1: Eve/)
})

test('reserve books, hands over, takes back what was shared, and only shows when it is asked to', async (t) => {
  const { server, golem } = await site(t)
  await golem('reserve', 'lamp', '--from', '2026-05-02T08:00:00Z', '--until', '2026-05-02T09:00:00Z')
  await golem('reserve', 'lamp', '--hand-over', 'Bob')
  await golem('reserve', 'lamp', '--share', 'nobody')
  await golem('reserve', 'lamp', '--wait')
  const bodies = server.seen.filter(({ method }) => method === 'PUT').map(({ body }) => body)
  assert.deepEqual(bodies, [
    { from: '2026-05-02T08:00:00.000Z', until: '2026-05-02T09:00:00.000Z' },
    { to: 'Bob' },
    { share: [] },
    { wait: true },
  ])
  const { out } = await golem('reserve', 'lamp', '--show', '--json')
  assert.equal((JSON.parse(out) as ReservationState).current?.fence, 7)
  assert.equal(server.seen.filter(({ method }) => method === 'PUT').length, 4)
})

test('a refusal says who has it and how to wait', async (t) => {
  const { golem } = await site(t, {
    [`PUT ${PATH}`]: (response: Parameters<typeof sendJson>[0]) =>
      sendJson(response, 409, {
        code: 'INSTRUMENT_RESERVED',
        effect: 'none',
        detail: 'lamp is reserved by Ann until 2026-05-01 10:00:00 UTC.',
      }),
  })
  const { code, err } = await golem('reserve', 'lamp')
  assert.notEqual(code, 0)
  assert.match(err, /reserved by Ann until .*golem reserve INSTRUMENT --wait/)
})

test('give-back gives back, cancels a booking or leaves the line', async (t) => {
  const { server, golem } = await site(t)
  const { code, out } = await golem('give-back', 'lamp')
  assert.equal(code, 0)
  assert.match(out, /Nobody holds lamp/)
  await golem('give-back', 'lamp', '--reason', 'left & gone')
  await golem('give-back', 'lamp', '--booking', 'b1')
  await golem('give-back', 'lamp', '--line')
  const paths = server.seen.filter(({ method }) => method === 'DELETE').map(({ path }) => path)
  assert.deepEqual(paths, [
    PATH,
    `${PATH}?reason=left+%26+gone`,
    `${PATH}?booking=b1`,
    `${PATH}?waiting=true`,
  ])
})

test('what is no span and no time is refused before anything is asked', async (t) => {
  const { server, golem } = await site(t)
  for (const wrong of [
    ['--for', 'long'],
    ['--for', '2'],
    ['--until', '25:00'],
    ['--until', 'tomorrow'],
    ['--for', '1h', '--until', '10:00'],
  ]) {
    assert.equal((await golem('reserve', 'lamp', ...wrong)).code, 2, wrong.join(' '))
  }
  assert.equal(server.seen.filter(({ method }) => method !== 'GET').length, 0)
})

test('a clock time is the next one by this clock, and a date without a zone is of this zone', () => {
  const now = new Date(2026, 4, 1, 12, 0)
  assert.equal(timeOf('18:30', now), new Date(2026, 4, 1, 18, 30).toISOString())
  assert.equal(timeOf('9:05', now), new Date(2026, 4, 2, 9, 5).toISOString())
  assert.equal(timeOf('2026-05-03 07:00', now), new Date(2026, 4, 3, 7, 0).toISOString())
  assert.equal(timeOf('2026-05-03T07:00:00Z', now), '2026-05-03T07:00:00.000Z')
})
