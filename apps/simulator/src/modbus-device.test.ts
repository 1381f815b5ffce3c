import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { ModbusSpec, SimulatedDevice } from './device.ts'
import { ModbusController } from './modbus-controller.ts'
import { modbusBytes, ModbusReader } from './modbus-frames.ts'
import { startSimulator } from './simulator.ts'
import { manualClock, until } from './testing.ts'

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

async function device(t: TestContext, spec: Partial<ModbusSpec> = {}): Promise<SimulatedDevice> {
  const simulator = await startSimulator({
    devices: [{ name: 'oven', kind: 'modbus', units: [1, 3], ...spec }],
  })
  t.after(() => simulator.close())
  return simulator.device('oven')
}

/** Sends bytes and collects what comes. */
function connection(
  t: TestContext,
  address: string,
): { send: (text: string) => void; came: () => string; closed: () => boolean } {
  const { hostname, port } = new URL(address)
  const socket = connectTcp({ host: hostname, port: Number(port) })
  t.after(() => socket.destroy())
  let came = ''
  let closed = false
  socket.on('data', (piece: Buffer) => (came += piece.toString('hex').toUpperCase()))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => (closed = true))
  return { send: (text) => socket.write(bytes(text)), came: () => came, closed: () => closed }
}

test('requests are found however they are cut up, and noise is told', () => {
  const rtu = [bytes('01 03 00 00 00 02 C4 0B'), bytes('11 10 00 01 00 02 04 00 0A 01 02 C6 F0')]
  const tcp = [bytes('00 01 00 00 00 06 01 03 00 00 00 02')]
  for (const [line, requests] of [
    ['rtu', rtu],
    ['tcp', tcp],
  ] as const) {
    const whole = Buffer.concat(requests)
    for (let at = 0; at <= whole.length; at += 1) {
      const reader = new ModbusReader(line)
      const results = [whole.subarray(0, at), whole.subarray(at)].map((piece) => reader.push(piece))
      const found = results.flatMap(({ frames }) => frames.map((frame) => modbusBytes(line, frame)))
      assert.deepEqual(found, requests)
      assert.ok(results.every(({ faulty }) => !faulty))
    }
  }
  const noisy = new ModbusReader('rtu').push(Buffer.concat([bytes('FF 00'), rtu[0] ?? Buffer.alloc(0)]))
  assert.deepEqual([noisy.frames.length, noisy.faulty], [1, true])
})

test('an oven warms up to its set-point, keeps its settings without power, and is stopped after it', () => {
  const clock = manualClock()
  const oven = new ModbusController(clock, 20)
  const write = (register: number, value: number) =>
    oven.execute(Buffer.from([6, 0, register, value >> 8, value & 255]), true)
  write(1, 800)
  write(2, 1)
  clock.pass(120)
  const { temperature, runs } = oven.state()
  assert.ok(Math.abs(Number(temperature) - 80) < 2, String(temperature))
  assert.equal(runs, true)
  oven.boot()
  assert.deepEqual([oven.state()['runs'], oven.state()['setPoint']], [false, 80])
  clock.pass(600)
  assert.ok(Number(oven.state()['temperature']) < 21)
  assert.equal(write(1, 9999), 3)
  assert.equal(write(0, 1), 2)
  assert.equal(oven.execute(bytes('2B 0E 01 00 00'), true), 1)
})

test('on TCP: units that are there answer, others do not, and each request is counted', async (t) => {
  const oven = await device(t)
  const { send, came } = connection(t, oven.address)
  send('00 07 00 00 00 06 03 03 00 00 00 02')
  await until('it answers', () => came() !== '')
  assert.equal(came(), '000700000007030304' + '7E4100FA')
  send('00 08 00 00 00 06 02 03 00 00 00 02')
  send('00 09 00 00 00 06 01 06 00 01 00 64')
  await until('the next one is answered', () => came().length >= 26 + 24)
  assert.equal(came().slice(26), '000900000006010600010064')
  assert.deepEqual(oven.counters(), { '3 /3/0': 1, '3 /2/0': 1, '6 /1/1': 1 })
  assert.deepEqual(
    oven.requests().map(({ acted }) => acted),
    [false, false, true],
  )
})

test('faults: an exception, another unit, half an answer; what does not fit is refused', async (t) => {
  const oven = await device(t, { line: 'rtu-tcp' })
  const { send, came, closed } = connection(t, oven.address)
  const ask = async (expected: string): Promise<void> => {
    const before = came().length
    send('01 03 00 00 00 01 84 0A')
    await until(expected, () => came().length >= before + expected.length)
    assert.equal(came().slice(before), expected)
  }
  await oven.setFault({ kind: 'exception', value: 2, times: 1 })
  await ask('018302C0F1')
  await oven.setFault({ kind: 'wrongUnit', times: 1 })
  await ask(
    modbusBytes('rtu', { transaction: 0, unit: 2, pdu: bytes('03 02 7E 41') })
      .toString('hex')
      .toUpperCase(),
  )
  await assert.rejects(oven.setFault({ kind: 'http500' }), /does not fit/)
  await oven.setFault({ kind: 'cut', times: 1 })
  await ask('010302')
  await until('it is cut', closed)
})
