import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faults.ts'
import { startSimulator } from './simulator.ts'
import { connect, requestText, until } from './testing.ts'

const ON = '{"channel":0,"state":1}'
const SUCCESS = 'RESULT: SUCCESS\n Relay: 0, set to state: 1\n'
const WIRE = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 43\r\n\r\n${SUCCESS}`

async function makeBoard(t: TestContext) {
  const simulator = await startSimulator({
    devices: [
      { name: 'relay-1', kind: 'esp32-relay', rebootSeconds: 0.1 },
      { name: 'lamp-0', kind: 'pwm-lamp', rebootSeconds: 0.1, infoDelayMs: 1 },
    ],
  })
  t.after(() => simulator.close())
  const board = simulator.device('relay-1')
  const post = async (): Promise<{ status: number; text: string }> => {
    const reply = await fetch(`${board.address}/relay`, { method: 'POST', body: ON })
    return { status: reply.status, text: await reply.text() }
  }
  const relays = (): unknown => board.state()['relays']
  const lastActed = (): boolean | undefined => board.requests().at(-1)?.acted
  return { simulator, board, post, relays, lastActed }
}

async function refuses(address: string): Promise<boolean> {
  try {
    const connection = await connect(address)
    connection.end()
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  }
}

test('the bytes on the wire are those of the board, and the connection stays usable', async (t) => {
  const { board } = await makeBoard(t)
  const connection = await connect(board.address)
  connection.send(requestText('POST', '/relay', ON))
  await until('the answer', () => connection.received() === WIRE)
  connection.send(requestText('POST', '/relay', ON))
  await until('the second answer', () => connection.received() === WIRE + WIRE)
  connection.send(requestText('GET', '/info'))
  const head =
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 174\r\n' +
    'Custom-Header-1: Custom-Value-1\r\nCustom-Header-2: Custom-Value-2\r\n\r\n{\n\t"ch0":\t1,'
  await until('/info', () => connection.received().startsWith(WIRE + WIRE + head))
  assert.equal(connection.closed(), false)
  connection.end()
})

test('after a parse error the connection is closed, after invalid params it is not', async (t) => {
  const { board } = await makeBoard(t)
  const broken = await connect(board.address)
  broken.send(requestText('POST', '/relay', 'x'))
  await until('it is closed', () => broken.closed())
  assert.match(broken.received(), /Failed to parse JSON\n$/)
  const refused = await connect(board.address)
  refused.send(requestText('POST', '/relay', '{"channel":9,"state":1}'))
  await until('the refusal', () => refused.received().includes('invalid params!'))
  refused.send(requestText('POST', '/relay', ON))
  await until('the next answer', () => refused.received().endsWith(SUCCESS))
  refused.end()
})

test('of more than seven connections the least recently used one is dropped', async (t) => {
  const { board } = await makeBoard(t)
  const connections = []
  for (let count = 0; count < 7; count += 1) {
    const connection = await connect(board.address)
    connection.send(requestText('POST', '/relay', ON))
    await until('its answer', () => connection.received() === WIRE)
    connections.push(connection)
  }
  const [first, second] = connections
  first?.send(requestText('POST', '/relay', ON))
  await until('the first is used again', () => first?.received() === WIRE + WIRE)
  const eighth = await connect(board.address)
  eighth.send(requestText('POST', '/relay', ON))
  await until('the eighth is answered', () => eighth.received() === WIRE)
  await until('the second is dropped', () => second?.closed() ?? false)
  assert.equal(first?.closed(), false)
  for (const connection of [...connections, eighth]) connection.end()
})

test('each request is counted and kept, with whether it did something', async (t) => {
  const { board, post } = await makeBoard(t)
  await post()
  await post()
  await (await fetch(`${board.address}/info?x=1`)).text()
  await (await fetch(`${board.address}/relay`, { method: 'POST', body: 'x' })).text()
  assert.deepEqual(board.counters(), { 'POST /relay': 3, 'GET /info': 1 })
  const [first, , third, fourth] = board.requests()
  assert.deepEqual({ ...first, at: '' }, { at: '', method: 'POST', path: '/relay', body: ON, acted: true })
  assert.equal(third?.path, '/info?x=1')
  assert.deepEqual([third?.acted, fourth?.acted], [false, false])
  assert.equal(board.state()['clientFaults'], 1)
  board.resetCounters()
  assert.deepEqual([board.counters(), board.requests()], [{}, []])
})

test('requests are served one at a time, in the order they came', async (t) => {
  const { board, post } = await makeBoard(t)
  await board.setFault({ kind: 'delay', ms: 60, times: 1 })
  let firstDone = false
  const first = post().then(() => (firstDone = true))
  await until('the first has come', () => board.requests().length === 1)
  await post()
  assert.ok(firstDone)
  await first
})

test('delay: acts at once, answers later', async (t) => {
  const { board, post, relays } = await makeBoard(t)
  await board.setFault({ kind: 'delay', ms: 80 })
  const begun = performance.now()
  assert.equal((await post()).text, SUCCESS)
  assert.ok(performance.now() - begun >= 75)
  assert.deepEqual(relays(), [1, 0, 0, 0])
})

for (const act of [true, false]) {
  test(`silence: never answers, and ${act ? 'acts all the same' : 'does nothing'}`, async (t) => {
    const { board, post, relays, lastActed } = await makeBoard(t)
    await board.setFault({ kind: 'silence', act, times: 1 })
    const connection = await connect(board.address)
    connection.send(requestText('POST', '/relay', ON))
    await until('it has come', () => board.requests().at(-1)?.fault === 'silence')
    await until('it was served', () => lastActed() === act)
    assert.deepEqual(relays(), [act ? 1 : 0, 0, 0, 0])
    await sleep(30)
    assert.equal(connection.received(), '')
    assert.equal(connection.closed(), false)
    assert.equal((await post()).text, SUCCESS)
    connection.end()
  })
}

test('refuse: the port is closed while the fault is set, and the same one opens again', async (t) => {
  const { board, post } = await makeBoard(t)
  const { address } = board
  const open = await connect(address)
  await board.setFault({ kind: 'refuse' })
  assert.ok(await refuses(address))
  await until('open connections are broken', () => open.closed())
  await board.setFault(null)
  assert.equal(board.address, address)
  assert.equal((await post()).text, SUCCESS)
})

test('garbage: an answer without sense, or bytes that are not HTTP', async (t) => {
  const { board, post } = await makeBoard(t)
  await board.setFault({ kind: 'garbage' })
  const { status, text } = await post()
  assert.equal(status, 200)
  assert.doesNotMatch(text, /RESULT/)
  assert.throws(() => JSON.parse(text))
  await board.setFault({ kind: 'garbage', raw: true })
  await assert.rejects(post())
})

test('cut: half the answer, then the connection is closed', async (t) => {
  const { board, relays } = await makeBoard(t)
  await board.setFault({ kind: 'cut' })
  const connection = await connect(board.address)
  connection.send(requestText('POST', '/relay', ON))
  await until('it is closed', () => connection.closed())
  assert.equal(connection.received(), WIRE.slice(0, WIRE.length - 22))
  assert.deepEqual(relays(), [1, 0, 0, 0])
})

test('wrongValue: the acknowledgement names another value, the reading lies', async (t) => {
  const { board, post } = await makeBoard(t)
  await board.setFault({ kind: 'wrongValue', value: 77, fields: ['int_temp'] })
  assert.equal((await post()).text, 'RESULT: SUCCESS\n Relay: 0, set to state: 0\n')
  assert.match(await (await fetch(`${board.address}/info`)).text(), /"int_temp":\t77,/)
})

test('stuck: acknowledges and does nothing', async (t) => {
  const { board, post, relays, lastActed } = await makeBoard(t)
  await board.setFault({ kind: 'stuck' })
  assert.equal((await post()).text, SUCCESS)
  assert.deepEqual(relays(), [0, 0, 0, 0])
  assert.equal(lastActed(), false)
})

test('http500: does nothing unless it is told to act', async (t) => {
  const { board, post, relays } = await makeBoard(t)
  await board.setFault({ kind: 'http500' })
  assert.equal((await post()).status, 500)
  assert.deepEqual(relays(), [0, 0, 0, 0])
  await board.setFault({ kind: 'http500', act: true })
  assert.equal((await post()).status, 500)
  assert.deepEqual(relays(), [1, 0, 0, 0])
})

test('duplicate: the answer comes twice', async (t) => {
  const { board } = await makeBoard(t)
  await board.setFault({ kind: 'duplicate' })
  const connection = await connect(board.address)
  connection.send(requestText('POST', '/relay', ON))
  await until('both answers', () => connection.received() === WIRE + WIRE)
  connection.end()
})

test('hugeReply: more than a megabyte', async (t) => {
  const { board, post } = await makeBoard(t)
  await board.setFault({ kind: 'hugeReply' })
  const { text } = await post()
  assert.ok(text.startsWith(SUCCESS))
  assert.ok(text.length > 1024 * 1024)
})

test('reboot: away for a while, then back with outputs off and uptime 0', async (t) => {
  const { board, post, relays } = await makeBoard(t)
  await post()
  await board.setFault({ kind: 'reboot', seconds: 0.1 })
  assert.deepEqual(relays(), [0, 0, 0, 0])
  assert.equal(board.fault()?.kind, 'reboot')
  assert.ok(await refuses(board.address))
  await until('it is back', () => board.state()['reachable'] === true)
  assert.equal(board.fault(), null)
  assert.match(await (await fetch(`${board.address}/info`)).text(), /"ch0":\t0,[^]*"uptime":\t0\n}$/)
})

test('POST /reset answers, pauses a second and reboots', async (t) => {
  const { board, post, relays } = await makeBoard(t)
  await post()
  const reply = await fetch(`${board.address}/reset`, { method: 'POST', body: 'force_reset' })
  assert.equal(await reply.text(), 'User have sent force reset command, so rebooting\n')
  assert.deepEqual(relays(), [1, 0, 0, 0])
  await until('it has gone', () => board.state()['reachable'] === false)
  assert.deepEqual(relays(), [0, 0, 0, 0])
  await until('it is back', () => board.state()['reachable'] === true)
})

test('sensorMissing: a lamp breaks the connection and reboots when /info is asked', async (t) => {
  const { simulator } = await makeBoard(t)
  const lamp = simulator.device('lamp-0')
  await lamp.setFault({ kind: 'sensorMissing', times: 1 })
  await assert.rejects(fetch(`${lamp.address}/info`))
  await until('it is back', () => lamp.state()['reachable'] === true && lamp.fault() === null)
  assert.equal((await fetch(`${lamp.address}/info`)).status, 200)
})

test('a fault may be limited to the next requests of one kind', async (t) => {
  const { board, post } = await makeBoard(t)
  const fault: Fault = { kind: 'http500', times: 2, match: { method: 'POST', path: '/relay' } }
  await board.setFault(fault)
  assert.equal((await fetch(`${board.address}/info`)).status, 200)
  assert.equal((await post()).status, 500)
  assert.deepEqual(board.fault(), { ...fault, times: 1 })
  assert.equal((await post()).status, 500)
  assert.equal(board.fault(), null)
  assert.equal((await post()).status, 200)
})

test('a request that waits while the board loses its power is forgotten', async (t) => {
  const { board, relays } = await makeBoard(t)
  await board.setFault({ kind: 'delay', ms: 1500, times: 1 })
  const first = await connect(board.address)
  const second = await connect(board.address)
  first.send(requestText('GET', '/info'))
  await until('the first has come', () => board.requests().length === 1)
  second.send(requestText('POST', '/relay', ON))
  await until('the second waits', () => board.requests().length === 2)
  await board.unplug()
  await board.replug()
  assert.equal((await fetch(`${board.address}/info`)).status, 200)
  await sleep(1600)
  assert.deepEqual(relays(), [0, 0, 0, 0])
  assert.equal(board.requests()[1]?.acted, false)
})

test('replyDelayMs holds for every answer', async (t) => {
  const simulator = await startSimulator({
    devices: [{ name: 'relay-1', kind: 'esp32-relay' }],
    replyDelayMs: 40,
  })
  t.after(() => simulator.close())
  const begun = performance.now()
  await (await fetch(`${simulator.addresses['relay-1'] ?? ''}/info`)).text()
  assert.ok(performance.now() - begun >= 38)
})
