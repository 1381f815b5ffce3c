import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BoardReply, BoardRequest, Circumstances } from './board-reply.ts'
import { demoDevices } from './demo-devices.ts'
import type { RelayBoardSpec } from './device.ts'
import { RelayBoard } from './relay-board.ts'
import { Stand } from './stand.ts'
import { manualClock } from './testing.ts'

const NORMAL: Circumstances = { act: true, wrong: null, sensorMissing: false }

function makeBoard(spec: Partial<RelayBoardSpec> = {}) {
  const clock = manualClock()
  const stand = new Stand(clock, 1, 1, {
    noise: false,
    start: { experiment: { sensedTemperature: 23.3, temperature: 23.3 } },
  })
  const first = demoDevices().find(({ name }) => name === 'relay-1') as RelayBoardSpec
  const board = new RelayBoard({ ...first, ...spec }, stand, clock)
  board.boot()
  const ask = (method: string, path: string, body = '', how = NORMAL): BoardReply =>
    board.respond(request(method, path, body), how) as BoardReply
  return { clock, stand, board, ask }
}

function request(method: string, path: string, body: string): BoardRequest {
  return { method, path, body, query: new URLSearchParams(), authorization: undefined }
}

test('/info is tab-indented JSON with all fields in order, -255 before the first sensor round', () => {
  const { ask } = makeBoard()
  const reply = ask('GET', '/info')
  assert.equal(reply.contentType, 'application/json')
  assert.deepEqual(
    reply.headers?.map(([name]) => name),
    ['Custom-Header-1', 'Custom-Header-2'],
  )
  assert.equal(
    reply.body,
    '{\n\t"ch0":\t0,\n\t"ch1":\t0,\n\t"ch2":\t0,\n\t"ch3":\t0,\n\t"pcb_temp":\t-255,\n\t"roots_temp":\t-255,' +
      '\n\t"ext_temp":\t-255,\n\t"ext_hum":\t-255,\n\t"int_temp":\t-255,\n\t"int_hum":\t-255,\n\t"uptime":\t0\n}',
  )
})

test('sensors read 32-bit floats as doubles after a round of 3.3 s, pcb_temp never reads', () => {
  const { ask, clock } = makeBoard()
  clock.pass(3.4)
  const { body } = ask('GET', '/info')
  assert.match(body, /"int_temp":\t23\.2999992370605,/)
  assert.match(body, /"roots_temp":\t22\.5,/)
  assert.match(body, /"ext_hum":\t42,/)
  assert.match(body, /"pcb_temp":\t-255,/)
  assert.match(body, /"uptime":\t3\n}$/)
})

test('a single value is text with six decimals', () => {
  const { ask, clock } = makeBoard()
  assert.equal(ask('GET', '/int_temp').body, '-255.000000')
  clock.pass(3.4)
  assert.equal(ask('GET', '/int_temp').body, '23.299999')
  assert.equal(ask('GET', '/roots_temp').body, '22.500000')
})

test('a sensor that is not fitted stays at -255', () => {
  const { ask, clock } = makeBoard({ sensors: {} })
  clock.pass(60)
  assert.equal(ask('GET', '/ext_temp').body, '-255.000000')
})

const ANSWERS: [body: string, text: string, closes: boolean][] = [
  ['{"channel":1,"state":1}', 'RESULT: SUCCESS\n Relay: 1, set to state: 1\n', false],
  ['{"channel":3,"state":0}', 'RESULT: SUCCESS\n Relay: 3, set to state: 0\n', false],
  ['{"channel":1.9,"state":1.2}', 'RESULT: SUCCESS\n Relay: 1, set to state: 1\n', false],
  ['{"channel":-0.5,"state":-0.5}', 'RESULT: SUCCESS\n Relay: 0, set to state: 0\n', false],
  ['', 'RESULT: ERROR Failed to parse JSON\n', true],
  ['{"channel":1', 'RESULT: ERROR Failed to parse JSON\n', true],
  ['{"state":1}', 'RESULT: ERROR Invalid channel type\n', true],
  ['5', 'RESULT: ERROR Invalid channel type\n', true],
  ['{"channel":"1","state":"x"}', 'RESULT: ERROR Invalid channel type\n', true],
  ['{"channel":1}', 'RESULT: ERROR Invalid state type\n', true],
  ['{"channel":1,"state":true}', 'RESULT: ERROR Invalid state type\n', true],
  ['{"channel":4,"state":1}', 'RESULT: ERROR invalid params!\n', false],
  ['{"channel":-1,"state":1}', 'RESULT: ERROR invalid params!\n', false],
  ['{"channel":1e99,"state":1}', 'RESULT: ERROR invalid params!\n', false],
  ['{"channel":0,"state":2}', 'RESULT: ERROR invalid params!\n', false],
]

for (const [body, text, closes] of ANSWERS) {
  test(`POST /relay ${body || 'without body'} is answered ${JSON.stringify(text)}`, () => {
    const reply = makeBoard().ask('POST', '/relay', body)
    assert.equal(reply.status, 200)
    assert.equal(reply.body, text)
    assert.equal(reply.close ?? false, closes)
    assert.equal(reply.acted ?? false, text.includes('SUCCESS'))
    assert.equal(reply.clientFault ?? false, !text.includes('SUCCESS'))
  })
}

test('a relay shows in /info and switches what hangs on it; power-off switches all off', () => {
  const { ask, stand, board } = makeBoard()
  ask('POST', '/relay', '{"channel":2,"state":1}')
  assert.match(ask('GET', '/info').body, /"ch2":\t1,/)
  assert.ok(stand.isOn('experiment.valveLeft'))
  board.powerOff()
  assert.match(ask('GET', '/info').body, /"ch2":\t0,/)
  assert.ok(!stand.isOn('experiment.valveLeft'))
})

test('of a body of 100 bytes or more only the last piece counts, and it is the fault of the client', () => {
  const { ask, board } = makeBoard()
  const broken = ask('POST', '/relay', '{"channel":1,"state":1}'.padEnd(120))
  assert.equal(broken.body, 'RESULT: ERROR Failed to parse JSON\n')
  assert.ok(broken.clientFault)
  const lucky = ask('POST', '/relay', ' '.repeat(100) + '{"channel":1,"state":1}')
  assert.match(lucky.body, /SUCCESS/)
  assert.ok(lucky.clientFault)
  assert.deepEqual(board.state()['relays'], [0, 1, 0, 0])
  assert.equal(ask('POST', '/relay', '{"channel":1,"state":1}'.padEnd(99)).clientFault, false)
})

test('reset wants exactly force_reset', () => {
  const { ask } = makeBoard()
  const good = ask('POST', '/reset', 'force_reset')
  assert.equal(good.body, 'User have sent force reset command, so rebooting\n')
  assert.equal(good.rebootAfterMs, 1000)
  for (const body of ['force_reset\n', '', 'Force_reset']) {
    const refused = ask('POST', '/reset', body)
    assert.equal(refused.body, 'User have sent incorrect reset command, so no rebooting\n')
    assert.equal(refused.rebootAfterMs, undefined)
  }
})

test('unknown paths are 404, wrong methods 405', () => {
  const { ask } = makeBoard()
  for (const path of ['/', '/any', '/pcb_temp', '/constructor']) assert.equal(ask('GET', path).status, 404)
  assert.equal(ask('POST', '/info').status, 405)
  assert.equal(ask('GET', '/relay').status, 405)
})

test('a wrong value falsifies measurements, and named fields only where fields are named', () => {
  const { ask, clock } = makeBoard()
  clock.pass(4)
  const all = ask('GET', '/info', '', { ...NORMAL, wrong: { value: 999, fields: null } }).body
  assert.match(all, /"int_temp":\t999,/)
  assert.match(all, /"ch0":\t0,/)
  const one = ask('GET', '/info', '', { ...NORMAL, wrong: { value: 1, fields: ['ch0'] } }).body
  assert.match(one, /"ch0":\t1,/)
  assert.match(one, /"int_hum":\t[0-9.]+,/)
  assert.doesNotMatch(one, /"int_hum":\t1,/)
})

test('without acting it acknowledges and leaves the relay as it is', () => {
  const { ask } = makeBoard()
  const reply = ask('POST', '/relay', '{"channel":0,"state":1}', { ...NORMAL, act: false })
  assert.match(reply.body, /SUCCESS/)
  assert.equal(reply.acted, false)
  assert.match(ask('GET', '/info').body, /"ch0":\t0,/)
})
