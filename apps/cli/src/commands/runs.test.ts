import type { RunRecord } from '@golem/core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type CliRun, runForTest, sendJson, StandInServer } from '../testing.ts'

const AT = '2026-05-01T08:00:00.000Z'
const RECIPE = {
  id: 'air',
  label: 'Air',
  parameters: {
    time: { type: 'duration', label: 'Time', default: 240_000 },
    gas: { type: 'boolean', label: 'Gas', default: false },
  },
  roles: {
    board: { label: 'Board', default: 'exp' },
    lamp: { label: 'The lamp', default: null },
  },
  faults: [],
}
const RUN: RunRecord = {
  id: 'r1',
  recipe: 'air',
  label: 'Air',
  by: 'Ann',
  parameters: { time: 240_000, gas: false },
  instruments: { board: 'control' },
  state: 'running',
  message: 'Stage 1 of 2: open.',
  submittedAt: AT,
  startedAt: AT,
  progress: {
    stage: 'open',
    stageNumber: 1,
    stages: 2,
    step: 3,
    steps: 9,
    doing: 'wait \u001B[31m5 s',
    fraction: 0.256,
    endsAt: '2026-05-01T08:04:05.000Z',
  },
  seenAt: AT,
  interruptions: { count: 2, ms: 61_000 },
  rows: 3,
  scheduler: 's',
}
const ENDED: RunRecord = { ...RUN, state: 'ended', end: 'failed', message: 'The valve said no.', endedAt: AT }

interface Golem {
  server: StandInServer
  golem: (...argv: string[]) => Promise<CliRun>
}

/** @param said - what the log says after a request */
async function site(t: TestContext, said: readonly string[] = [], routes: object = {}): Promise<Golem> {
  const server = await new StandInServer({
    'GET /api/recipes': [RECIPE],
    'GET /api/runs': [RUN, { ...ENDED, id: 'r0' }],
    'GET /api/runs/r1': RUN,
    'GET /api/state': { at: AT, instruments: {} },
    'POST /api/runs': RUN,
    'PATCH /api/runs/r1': RUN,
    'POST /api/runs/r1/pause': RUN,
    'GET /api/events': (response: Parameters<typeof sendJson>[0], { path }: { path: string }) =>
      sendJson(
        response,
        200,
        path.includes('since=7-0')
          ? said.map((message, n) => ({ id: `8-${n}`, at: AT, kind: 'run', message }))
          : [{ id: '7-0', at: AT, kind: 'run', message: 'run r1: Paused by Bob.' }],
      ),
    ...routes,
  }).listen()
  t.after(() => server.close())
  return { server, golem: (...argv) => runForTest([...argv, '--url', server.url]) }
}

const bodyOf = ({ server }: Golem, method: string): unknown =>
  server.seen.find((seen) => seen.method === method)?.body

test('golem runs shows each run on a line, and runs show all there is, harmless for the terminal', async (t) => {
  const { golem, server } = await site(t)
  const list = await golem('runs', '--recipe', 'air', '--limit', '5')
  assert.match(list.out, /^r1 +air +running +25 % +0\.0 s ago +Ann +open: wait \uFFFD\[31m5 s$/m)
  assert.match(list.out, /^r0 +air +FAILED .*The valve said no\.$/m)
  assert.ok(server.seen.some(({ path }) => path === '/api/runs?recipe=air&limit=5'))
  const { out, code } = await golem('runs', 'show', 'r1')
  assert.equal(code, 0)
  for (const line of [
    'run r1 of Air (air): running',
    'stage 1 of 2: open, step 3 of 9 begun',
    'ends in 4 min if nothing',
    'board is control',
    'time = 4 min',
    'gas = off',
    'interrupted twice',
    '3 rows measured: golem runs rows r1 --csv',
  ]) {
    assert.ok(out.includes(line.replace('twice', '2 times, for 61 s in all')), `${line}\n${out}`)
  }
  assert.ok(!out.includes('\u001B'))
  assert.deepEqual(JSON.parse((await golem('runs', 'show', 'r1', '--json')).out), RUN)
})

test('runs start hands over values, roles and note, once however often it is sent', async (t) => {
  const stand = await site(t)
  const { code, out } = await stand.golem(
    ...'runs start air --role board=control --role lamp=l2 gas=on --note leak'.split(' '),
    'time=5 min',
  )
  assert.equal(code, 0)
  assert.match(out, /run r1 of Air was handed over: golem runs show r1/)
  assert.deepEqual(bodyOf(stand, 'POST'), {
    recipe: 'air',
    parameters: { time: '5 min', gas: true },
    instruments: { board: 'control', lamp: 'l2' },
    note: 'leak',
  })
  assert.ok(stand.server.seen.find(({ method }) => method === 'POST')?.headers['idempotency-key'])
})

test('what can not be meant is said before anything is sent', async (t) => {
  const { golem, server } = await site(t)
  const cases: [string[], number, RegExp][] = [
    [['start', 'aire'], 3, /no recipe "aire"\. There are: air\./],
    [['start', 'air', 'time=5'], 2, /time takes a time with its unit/],
    [['start', 'air', 'tiem=5s'], 2, /air has no parameter "tiem"\. It takes: time, gas\./],
    [['start', 'air', 'time'], 2, /write name=value/],
    [['start', 'air', '--role', 'bord=x'], 2, /air has no role "bord"\. Its roles: board, lamp\./],
    [['start', 'air', '--role', 'board'], 2, /write role=instrument/],
    [['start', 'air'], 2, /Which instrument is the lamp \(The lamp\)\?.*add --role lamp=INSTRUMENT/],
    [['set', 'r1', 'gas=perhaps'], 2, /gas takes on or off/],
  ]
  for (const [argv, code, words] of cases) {
    const run = await golem('runs', ...argv)
    assert.deepEqual([run.code, words.test(run.err)], [code, true], run.err)
  }
  assert.ok(server.seen.every(({ method }) => method === 'GET'))
})

test('a request waits for what the log says of it: done, or not done and why', async (t) => {
  const done = await site(t, ['run r2: Paused by Ann.', 'run r1: Stage 2.', 'run r1: Paused by Ann.'])
  const { code, out } = await done.golem('runs', 'pause', 'r1', '--note', 'lunch')
  assert.deepEqual([code, out], [0, 'run r1: Paused by Ann.'])
  assert.deepEqual(bodyOf(done, 'POST'), { note: 'lunch' })
  const refused = await site(t, ['run r1: not done: The run is paused already.'])
  const not = await refused.golem('runs', 'pause', 'r1')
  assert.deepEqual([not.code, /The run is paused already/.test(not.err)], [3, true])
  const late = await site(t, ['run r1 has ended: the request came too late'])
  assert.equal((await late.golem('runs', 'pause', 'r1')).code, 3)
})

test('runs set sends what is new, and nothing when it is so already', async (t) => {
  const stand = await site(t, ['run r1: Ann changed time from 240 s to 300 s.'])
  const same = await stand.golem('runs', 'set', 'r1', 'time=240s', 'gas=off')
  assert.deepEqual([same.code, bodyOf(stand, 'PATCH')], [0, undefined])
  const { code, out } = await stand.golem('runs', 'set', 'r1', 'time=5min')
  assert.deepEqual([code, out], [0, 'run r1: Ann changed time from 240 s to 300 s.'])
  assert.deepEqual(bodyOf(stand, 'PATCH'), { parameters: { time: '5min' } })
})

test('runs start --wait ends as the run does', async (t) => {
  const rest = ['start', 'air', '--role', 'lamp=l2', '--wait']
  const failing = await site(t, [], { 'GET /api/runs/r1': ENDED })
  const failed = await failing.golem('runs', ...rest)
  assert.equal(failed.code, 1)
  assert.match(failed.err, /Stage 1 of 2[^]*run r1: failed: The valve said no\./)
  const going = await site(t, [], {
    'GET /api/runs/r1': { ...ENDED, end: 'completed', message: 'All done.' },
  })
  const { code, out } = await going.golem('runs', ...rest)
  assert.deepEqual([code, /run r1: completed: All done\./.test(out)], [0, true])
})

test('rows are a table for people, CSV as it comes, or JSON', async (t) => {
  const row = {
    id: '1',
    table: 'scan',
    at: AT,
    values: { 'm.v': 1.5 },
    samples: 3,
    variables: { voltage: 2 },
  }
  const { golem } = await site(t, [], {
    'GET /api/runs/r1/rows': (response: Parameters<typeof sendJson>[0], { path }: { path: string }) => {
      if (path.includes('format=csv'))
        response.writeHead(200, { 'content-type': 'text/csv' }).end('a,b\r\n1,2\r\n')
      else sendJson(response, 200, [row])
    },
  })
  assert.match((await golem('runs', 'rows', 'r1')).out, /^at +table +samples +voltage +m\.v$/m)
  assert.equal((await golem('runs', 'rows', 'r1', '--csv')).out, 'a,b\r\n1,2')
  assert.deepEqual(JSON.parse((await golem('runs', 'rows', 'r1', '--json')).out), [row])
})
