import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { CommandRecord } from '@golem/core'
import type { SimulatedDevice } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import { pymodbusMaster, startPymodbus } from '../kit/pymodbus.ts'
import { RawClient, runProgram } from '../kit/raw-client.ts'
import { ROOT } from '../kit/root.ts'
import { plugSerialPort } from '../kit/serial.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { freePort } from '../kit/supply-stand.ts'

/** Debian's, whose package python3-pymodbus has it. */
const PYTHON = '/usr/bin/python3'

/** Two units of one serial line, the second for reading only, and one on TCP: a port for each. */
const UNITS = [
  ['line-1', 'line', 1, {}],
  ['line-2', 'line', 2, { readOnly: true }],
  ['tcp-1', 'tcp', 1, {}],
] as const
type Id = (typeof UNITS)[number][0]

let stand: Stand
const ports = new Map<Id, number>()
before(async () => {
  for (const [id] of UNITS) ports.set(id, await freePort())
  stand = await startStand({
    leaseMs: 5_000,
    devices: [
      { name: 'line', kind: 'modbus', line: 'rtu', units: [1, 2] },
      { name: 'tcp', kind: 'modbus', units: [1] },
    ],
    instruments: (address) =>
      UNITS.map(([id, device, unit, more]) => ({
        id,
        model: 'modbus-temperature-controller',
        address: address(device).replace('unit=1', `unit=${unit}`),
        gateway: { port: portOf(id), ...more },
      })),
  })
})
after(() => stand.close())
const clients: RawClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const device of ['line', 'tcp']) await sim(device).setFault(null)
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  for (const [id] of UNITS) {
    await stand.until(id, ({ condition }) => condition === 'ok', `${id} answers`, 30_000)
  }
})

const sim = (device: string): SimulatedDevice => stand.sim.device(device)
function portOf(id: Id): number {
  return ports.get(id) ?? 0
}

async function python(id: Id, script: string): Promise<string[]> {
  const head = `
from pymodbus.client import ModbusTcpClient
c = ModbusTcpClient('127.0.0.1', port=${portOf(id)}, timeout=10, retries=0)
assert c.connect()
def told(r):
    print('exception %d' % r.exception_code if r.isError() else 'ok')
`
  const { code, output } = await runProgram(PYTHON, ['-c', head + script])
  assert.equal(code, 0, `${output}\n${stand.log()}`)
  return output.trim().split(/\r?\n/)
}

async function inLedger(exchange: string, outcome: string): Promise<CommandRecord> {
  return eventually(
    async () => {
      const { body } = await stand.api<CommandRecord[]>('/api/commands?limit=1000')
      return body.find((record) => record.exchange === exchange && record.outcome === outcome)
    },
    { what: `"${exchange}" is in the ledger as ${outcome}` },
  )
}

/** A request as bytes. */
const frame = (transaction: number, unit: number, hex: string): Buffer => {
  const pdu = Buffer.from(hex, 'hex')
  const head = Buffer.alloc(7)
  head.writeUInt16BE(transaction, 0)
  head.writeUInt16BE(pdu.length + 1, 4)
  head[6] = unit
  return Buffer.concat([head, pdu])
}

async function connect(id: Id): Promise<RawClient> {
  const client = await RawClient.to(portOf(id))
  clients.push(client)
  return client
}

test('pymodbus reads and writes a unit of a serial line through golem, all functions, and golem goes on polling', async () => {
  const output = await python(
    'line-1',
    `
u = dict(slave=1)
assert c.read_holding_registers(0, 3, **u).registers[0] == 0x7e41
assert c.read_input_registers(0, 2, **u).registers[1] == 0
assert c.read_discrete_inputs(0, 2, **u).bits[:2] == [False, False]
told(c.write_register(1, 815, **u))
told(c.write_registers(101, [1, 2, 65535], **u))
assert c.read_holding_registers(101, 3, **u).registers == [1, 2, 65535]
told(c.write_coil(17, True, **u))
told(c.write_coils(20, [True, False, True], **u))
assert c.read_coils(17, 6, **u).bits[:6] == [True, False, False, True, False, True]
told(c.read_holding_registers(5000, 1, **u))
told(c.mask_write_register(1, 0, 0, **u))
told(c.read_holding_registers(1, 1, slave=9))
told(c.read_holding_registers(1, 1, slave=255))
`,
  )
  assert.deepEqual(output, ['ok', 'ok', 'ok', 'ok', 'exception 2', 'exception 1', 'exception 10', 'ok'])
  await stand.until('line-1', ({ readings }) => readings['setpoint']?.value === 81.5, 'golem sees it')
  const record = await inLedger('write 815 to holding register 1', 'done')
  assert.match(record.by, /^gateway 127\.0\.0\.1:\d+$/)
  assert.deepEqual([record.instrument, record.result], ['line-1', 'acknowledged'])
  await inLedger('write 1, 2, 65535 to holding registers 101 to 103', 'done')
  assert.deepEqual([sim('line').state()['overlaps'], sim('line').state()['clientFaults']], [0, 0])
})

test('three masters and golem on one serial line: each answer is its question’s, nothing is sent twice', async () => {
  sim('line').resetCounters()
  const masters = [0, 1, 2].map((n) => pymodbusMaster(portOf('line-1'), 1, 300 + n, 60))
  for (let n = 1; n <= 5; n += 1) {
    const { body } = await stand.command('line-2', { parameter: 'setpoint', value: 40 + n })
    assert.equal(body.outcome, 'done', JSON.stringify(body))
  }
  for (const master of masters) assert.deepEqual(await master, { good: 60, bad: 0 })
  for (const n of [0, 1, 2]) assert.equal(sim('line').counters()[`6 /1/${300 + n}`], 60)
  assert.deepEqual([sim('line').state()['overlaps'], sim('line').state()['clientFaults']], [0, 0])
})

test('requests sent all at once come back in their order with their numbers; a client that breaks off leaves the line in step', async () => {
  for (const id of ['line-1', 'tcp-1'] as const) {
    const client = await connect(id)
    const numbers = Array.from({ length: 40 }, (_, n) => 1000 + n)
    client.send(Buffer.concat(numbers.map((n) => frame(n, 1, '0300000001'))))
    for (const n of numbers) {
      const answer = await client.bytes(11, 20_000)
      assert.equal(answer.toString('hex'), frame(n, 1, '03027e41').toString('hex'))
    }
    const gone = await connect(id)
    gone.send(Buffer.concat([frame(1, 1, '0300000001'), frame(2, 1, '0300000001').subarray(0, 9)]))
    gone.close()
    client.send(frame(3, 1, '0300000001'))
    assert.equal((await client.bytes(11)).readUInt16BE(0), 3)
    assert.equal(client.received.length, 0)
  }
})

test('read-only, an emergency stop and a unit without an answer are told by exceptions, and nothing is sent', async () => {
  assert.deepEqual(
    await python(
      'line-2',
      'told(c.write_register(1, 990, slave=2))\ntold(c.read_holding_registers(1, 1, slave=2))',
    ),
    ['exception 1', 'ok'],
  )
  const guarded = await inLedger('write 990 to holding register 1', 'refused')
  assert.deepEqual([guarded.code, guarded.effect], ['NOT_ALLOWED', 'none'])

  sim('line').resetCounters()
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'smoke' } })
  assert.deepEqual(
    await python(
      'line-1',
      'told(c.write_register(1, 991, slave=1))\ntold(c.read_holding_registers(1, 1, slave=1))',
    ),
    ['exception 6', 'exception 6'],
  )
  assert.equal((await inLedger('write 991 to holding register 1', 'refused')).code, 'STOPPED')
  assert.equal(sim('line').counters()['6 /1/1'] ?? 0, 0)
  await stand.api('/api/stop/release', { method: 'POST', body: {} })

  await sim('line').setFault({ kind: 'silence', match: { method: '6', path: '/1/1' }, times: 1 })
  assert.deepEqual(await python('line-1', 'told(c.write_register(1, 992, slave=1))'), ['exception 11'])
  assert.equal((await inLedger('write 992 to holding register 1', 'unknown')).code, 'REPLY_TIMEOUT')
  assert.equal(sim('line').counters()['6 /1/1'], 1)
})

test('what is no Modbus TCP ends the connection, a cable that is out is told, and it comes back', async () => {
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '*IDN?\n*IDN?\n', 'A'.repeat(1_000_000)]) {
    const client = await connect('tcp-1')
    client.send(bytes)
    await eventually(() => client.closed, { what: 'it is disconnected' })
  }
  await sim('tcp').unplug()
  await stand.until('tcp-1', ({ condition }) => condition === 'lost', 'it is lost', 30_000)
  assert.deepEqual(await python('tcp-1', 'told(c.write_register(1, 30, slave=1))'), ['exception 10'])
  await sim('tcp').replug()
  await stand.until('tcp-1', ({ condition }) => condition === 'ok', 'it is back', 30_000)
  assert.deepEqual(await python('tcp-1', 'told(c.write_register(1, 300, slave=1))'), ['ok'])
})

test('golem gateway shares a unit of a serial line, pymodbus at both ends, without a site', async () => {
  const line = await plugSerialPort()
  const server = await startPymodbus(line.farPath)
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'apps', 'cli', 'dist', 'main.js'),
      'gateway',
      '--address',
      `modbus-rtu:${line.path}?unit=2&baud=19200`,
      '--port',
      String(port),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  try {
    await eventually(() => output.includes(`127.0.0.1:${port} speaks with`), {
      what: 'it says that it is open',
    })
    const masters = [500, 501].map((register) => pymodbusMaster(port, 2, register, 20))
    for (const master of masters) assert.deepEqual(await master, { good: 20, bad: 0 }, output)
  } finally {
    child.kill('SIGKILL')
    await server.close()
    await line.close()
  }
})
