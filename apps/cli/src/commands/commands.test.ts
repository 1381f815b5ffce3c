import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord, InstrumentDescription, InstrumentState, StateDocument } from '@golem/core'
import { type CliRun, runForTest, type SeenRequest, sendJson, StandInServer } from '../testing.ts'

const AT = '2026-01-01T00:00:00.000Z'

const LAMP: InstrumentDescription = {
  id: 'lamp',
  label: 'Lamp',
  group: 'Lamps',
  kind: 'lamp',
  model: 'pwm-lamp',
  host: null,
  address: 'http://192.0.2.1',
  pollEveryMs: 1000,
  onStop: 'hold',
  parameters: {
    red: {
      label: 'Red',
      type: 'number',
      unit: '%',
      min: -5,
      max: 100,
      decimals: 0,
      readable: true,
      writable: true,
    },
    fan: { label: 'Fan', type: 'boolean', readable: true, writable: true },
  },
  actions: { flash: { label: 'Flash', arguments: { times: { label: 'Times', type: 'integer' } } } },
}

const STATE: InstrumentState = {
  condition: 'ok',
  conditionSince: AT,
  message: 'answers',
  owner: 'worker-1',
  seenAt: AT,
  readings: {
    red: { value: 40, at: AT, quality: 'good' },
    fan: { value: false, at: AT, quality: 'bad', error: 'the fan does not turn' },
  },
  queue: { waiting: 0, oldestMs: 0, running: null, last: null },
  reservation: null,
}

function stateOf(lamp: Partial<InstrumentState> = {}, cursor = '1'): StateDocument {
  return {
    cursor,
    at: AT,
    full: true,
    instruments: { lamp: { ...STATE, ...lamp } },
    runs: [],
    alarms: [],
    interlocks: [],
    stop: { site: null, instruments: {} },
    bus: { ok: true, since: AT, message: 'Redis answers' },
  }
}

function recordOf(more: Partial<CommandRecord>): CommandRecord {
  const ends = { submittedAt: AT, validUntil: AT, state: 'ended' as const }
  return { id: 'c1', instrument: 'lamp', parameter: 'red', value: 1, by: 'test', ...ends, ...more }
}

interface Site {
  server: StandInServer
  golem: (...argv: string[]) => Promise<CliRun>
}

async function site(t: TestContext, routes: Record<string, unknown> = {}): Promise<Site> {
  const server = await new StandInServer({
    'GET /api/instruments': [LAMP],
    'GET /api/state': stateOf(),
    ...routes,
  }).listen()
  t.after(() => server.close())
  return { server, golem: (...argv) => runForTest(argv, { env: { GOLEM_URL: server.url } }) }
}

const COMMANDS = 'POST /api/instruments/lamp/commands'

test('list shows the instruments, and what one of them takes', async (t) => {
  const { golem } = await site(t)
  assert.match((await golem('list')).out, /lamp +Lamp +Lamps +pwm-lamp +any +http:\/\/192.0.2.1/)
  const { out } = await golem('list', 'lamp')
  assert.match(out, /red +Red +-5 to 100 % +read, write/)
  assert.match(out, /flash +Flash +times=number/)
})

test('get prints a reading with its age', async (t) => {
  const { golem } = await site(t)
  assert.deepEqual(await golem('get', 'lamp.red'), { code: 0, out: '40 %  (0.0 s ago)', err: '' })
  assert.match((await golem('get', 'lamp')).out, /^lamp: OK, answers\n {2}red {2}40 %/)
})

test('get of a reading that is not good prints it and ends with 1 and the reason', async (t) => {
  const { golem } = await site(t)
  const { code, out, err } = await golem('get', 'lamp.fan')
  assert.equal(code, 1)
  assert.match(out, /off {2}\(BAD/)
  assert.match(err, /lamp.fan has no good reading: the fan does not turn/)
})

test('get of what does not exist names what does', async (t) => {
  const { golem } = await site(t)
  const parameter = await golem('get', 'lamp.blue')
  assert.equal(parameter.code, 3)
  assert.match(parameter.err, /lamp has no parameter "blue". It has: red, fan\./)
  const instrument = await golem('get', 'lmap')
  assert.equal(instrument.code, 3)
  assert.match(instrument.err, /There is no instrument "lmap". There are: lamp\./)
})

test('set sends the value in its type and prints the outcome', async (t) => {
  const { golem, server } = await site(t, {
    [COMMANDS]: recordOf({ outcome: 'done', value: 60, result: 60 }),
  })
  const { code, out } = await golem('set', 'lamp.red', '60', '--valid-for', '2.5')
  assert.equal(code, 0)
  assert.equal(out, 'lamp: red = 60 is done, it answers 60 %')
  assert.deepEqual(server.seen.at(-1)?.body, { parameter: 'red', value: 60, validForMs: 2500 })
})

test('set takes a negative number as a value', async (t) => {
  const { golem, server } = await site(t, { [COMMANDS]: recordOf({ outcome: 'done' }) })
  const plain = await golem('set', 'lamp.red', '-2.5')
  assert.equal(plain.code, 0, plain.err)
  assert.deepEqual(server.seen.at(-1)?.body, { parameter: 'red', value: -2.5 })
})

const outcomes: [Partial<CommandRecord>, number, RegExp][] = [
  [
    { outcome: 'refused', code: 'COMMAND_EXPIRED', message: 'too late.' },
    3,
    /REFUSED, nothing was sent: too late/,
  ],
  [{ outcome: 'failed', code: 'INSTRUMENT_REFUSED', message: 'it said no.' }, 1, /has FAILED: it said no/],
  [{ outcome: 'failed', code: 'READBACK_MISMATCH', message: 'reads 3.' }, 1, /has FAILED: reads 3/],
  [
    { outcome: 'unknown', code: 'REPLY_TIMEOUT', message: 'no answer.' },
    4,
    /UNKNOWN, look before you repeat it/,
  ],
  [{ state: 'queued' }, 4, /has not ended within 1 s \(it is queued.*command c1/],
]
for (const [record, exit, words] of outcomes) {
  test(`a command that is ${record.outcome ?? record.state} (${record.code ?? 'no code'}) ends with ${exit}`, async (t) => {
    const answer = recordOf(record)
    const { golem } = await site(t, { [COMMANDS]: answer, 'GET /api/commands/c1': answer })
    const { code, err } = await golem('set', 'lamp.red', '1', '--wait', '1')
    assert.equal(code, exit)
    assert.match(err, words)
  })
}

test('set of what cannot be a value sends nothing', async (t) => {
  const { golem, server } = await site(t)
  const { code, err } = await golem('set', 'lamp.fan', 'perhaps')
  assert.equal(code, 2)
  assert.match(err, /lamp.fan takes on or off/)
  assert.ok(server.seen.every(({ method }) => method === 'GET'))
})

test('do sends an action with its arguments', async (t) => {
  const record = {
    ...recordOf({ outcome: 'done' }),
    parameter: undefined,
    action: 'flash',
    arguments: { times: 3 },
  }
  const { golem, server } = await site(t, { [COMMANDS]: record })
  const { code, out } = await golem('do', 'lamp', 'flash', 'times=3')
  assert.equal(code, 0)
  assert.equal(out, 'lamp: flash(times: 3) is done')
  assert.deepEqual(server.seen.at(-1)?.body, { action: 'flash', arguments: { times: 3 } })
})

test('do --save writes the numbers an action answers with', async (t) => {
  const record = {
    ...recordOf({ outcome: 'done' }),
    parameter: undefined,
    action: 'flash',
    arguments: { times: 3 },
    resultItems: 5000,
  }
  const numbers = Array.from({ length: 5000 }, (_, index) => index / 4)
  const { golem } = await site(t, {
    [COMMANDS]: record,
    [`GET /api/commands/${record.id}/result`]: numbers,
  })
  const told = await golem('do', 'lamp', 'flash', 'times=3')
  assert.match(told.out, /it answers 5000 numbers: --save FILE/)
  const file = join(mkdtempSync(join(tmpdir(), 'golem-do-')), 'wave.csv')
  t.after(() => rmSync(dirname(file), { recursive: true }))
  const saved = await golem('do', 'lamp', 'flash', 'times=3', '--save', file)
  assert.equal(saved.code, 0, saved.err)
  assert.deepEqual(readFileSync(file, 'utf8').trim().split('\n').map(Number), numbers)
})

test('do refuses an argument that the action does not have', async (t) => {
  const { golem } = await site(t)
  const { code, err } = await golem('do', 'lamp', 'flash', 'speed=3')
  assert.equal(code, 2)
  assert.match(err, /has no argument "speed". It takes: times/)
})

test('stop and release go to their own addresses', async (t) => {
  const none = { site: null, instruments: {} }
  const { golem, server } = await site(t, {
    'POST /api/stop': { ...none, site: { since: AT, by: 'x', reason: 'smoke' } },
    'POST /api/instruments/lamp/stop': none,
    'POST /api/stop/release': none,
  })
  assert.match((await golem('stop', '--reason', 'smoke')).out, /Everything is stopped/)
  assert.deepEqual(server.seen.at(-1)?.body, { reason: 'smoke' })
  assert.match((await golem('stop', 'lamp')).out, /lamp is stopped. `golem release lamp` lifts it/)
  assert.match((await golem('release')).out, /No stop is in force any more/)
})

test('a stop that did not arrive says so before all else', async (t) => {
  const { golem, server } = await site(t)
  await server.close()
  const { code, err } = await golem('stop')
  assert.equal(code, 3)
  assert.match(err, /^golem: THE STOP WAS NOT CONFIRMED. If it is urgent, switch off at the bench/)
})

const FLEET = {
  at: AT,
  workers: [
    { id: 'worker-1', host: 'pi', alive: true, ageMs: 400, links: ['http:x'], cpuPercent: 1.2, rssMb: 60 },
  ],
  archivers: [
    {
      id: 'archiver-1',
      host: 'pi',
      alive: true,
      ageMs: 300,
      writes: true,
      backlog: 12,
      backlogLimit: 500_000,
      behindMs: 900,
      sizeBytes: 12e6,
      freeBytes: 3.4e10,
    },
  ],
  leases: [],
  queues: {},
  web: { pid: 1, version: '0.1.0', node: '20', startedAt: AT, rssMb: 50 },
  bus: { ok: true, since: AT, message: '', roundTripMs: 0.3, redisVersion: '7.0.15' },
}

test('status of a site that is well ends with 0', async (t) => {
  const { golem } = await site(t, { 'GET /api/fleet': FLEET })
  const { code, out, err } = await golem('status')
  assert.equal(code, 0, err)
  assert.match(out, /bus: ok, Redis 7.0.15, round trip 0.3 ms/)
  assert.match(out, /worker-1 +pi +alive +0.4 s +1 +1 % +60 MB/)
  assert.match(out, /archiver-1 +pi +writes +0.3 s +12 of 500000, 0.9 s +12 MB +34.0 GB/)
  assert.match(out, /lamp +ok +0.0 s ago +worker-1/)
})

test('status of a site that is not well ends with 1 and all that is wrong', async (t) => {
  const lost = stateOf({ condition: 'lost', message: 'silent for 5 polls' })
  const stop = { site: { since: AT, by: 'ann', reason: 'smoke' }, instruments: {} }
  const { golem } = await site(t, {
    'GET /api/fleet': { ...FLEET, workers: [] },
    'GET /api/state': { ...lost, stop },
  })
  const { code, out, err } = await golem('status')
  assert.equal(code, 1)
  assert.match(out, /STOPPED: EVERYTHING, 0.0 s ago, by ann: smoke/)
  assert.match(out, /lamp +LOST .*silent for 5 polls/)
  assert.match(err, /no worker is running; the emergency stop is in force; not ok: lamp/)
})

test('watch prints what changes and goes on when the server was away', async (t) => {
  const { server } = await site(t)
  const lines: string[] = []
  const ending = new AbortController()
  const told = async (words: RegExp): Promise<void> => {
    for (let waited = 0; !lines.some((line) => words.test(line)); waited += 20) {
      assert.ok(waited < 20_000, `never told: ${words}\n${lines.join('\n')}`)
      await sleep(20)
    }
  }
  const watching = runForTest(['watch', '--json', '--every', '0.05'], {
    env: { GOLEM_URL: server.url },
    out: (line) => void lines.push(line),
    signal: ending.signal,
  })
  await told(/"name":"red","value":40/)
  const { port } = new URL(server.url)
  await server.close()
  await told(/"what":"server".*Trying again/)
  const back = await new StandInServer({
    'GET /api/instruments': [LAMP],
    'GET /api/state': stateOf({
      readings: { ...STATE.readings, red: { value: 41, at: AT, quality: 'good' } },
    }),
  }).listen(Number(port))
  t.after(() => back.close())
  await told(/answers again/)
  await told(/"name":"red","value":41/)
  ending.abort()
  assert.equal((await watching).code, 0)
  assert.equal(lines.filter((line) => line.includes('"name":"red","value":40')).length, 1, 'told once')
})

test('watch asks only for what has changed since the last answer', async (t) => {
  const { server, golem } = await site(t, {
    'GET /api/state': (response: ServerResponse, seen: SeenRequest) =>
      sendJson(
        response,
        200,
        seen.path.includes('since=') ? { ...stateOf({}, '2'), instruments: {} } : stateOf(),
      ),
  })
  const { code } = await golem('watch', 'lamp', '--every', '0.02', '--for', '0.5')
  assert.equal(code, 0)
  const asked = server.seen.filter(({ path }) => path.startsWith('/api/state'))
  assert.equal(asked.filter(({ path }) => !path.includes('since=')).length, 1)
  assert.ok(asked.some(({ path }) => path.includes('since=2')))
})

test('watch of an instrument that does not exist ends at once', async (t) => {
  const { golem } = await site(t)
  assert.equal((await golem('watch', 'lmap')).code, 3)
})
