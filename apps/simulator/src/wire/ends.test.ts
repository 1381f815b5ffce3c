import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { until } from '../testing.ts'
import { answererEnd } from './device-end.ts'
import type { WireFault } from './faults.ts'
import { grblEnd } from './grbl-end.ts'
import { modbusAnswerWith, modbusEnd } from './modbus-end.ts'
import {
  grblRequests,
  modbusRtuRequests,
  modbusTcpRequests,
  reportRequests,
  type Requests,
} from './requests.ts'
import { FaultyWire } from './wire.ts'

/** What of a wire reaches a client, write by write. */
async function said(
  wire: FaultyWire,
  requests: readonly Buffer[],
  faults: WireFault[] = [],
): Promise<Buffer[]> {
  const got: Buffer[] = []
  const far = wire.attach({ write: (bytes) => void got.push(bytes), hangUp: () => undefined })
  await wire.setFaults(faults)
  for (const request of requests) far.receive(request)
  await sleep(60)
  far.close()
  assert.deepEqual(wire.errors, [])
  return got
}

const hex = (bytes: readonly Buffer[]): string[] => bytes.map((each) => each.toString('hex'))

test('packets stay packets: two are two, and what is stray does not stick to them', async () => {
  const report = Buffer.from('0102030405060708090a', 'hex')
  const tell = (fault: WireFault): Promise<Buffer[]> =>
    said(
      new FaultyWire({ device: answererEnd((request) => request), requests: reportRequests }),
      [report],
      [fault],
    )
  const whole = report.toString('hex')
  assert.deepEqual(hex(await tell({ kind: 'duplicate' })), [whole, whole])
  assert.deepEqual(hex(await tell({ kind: 'jitter', ms: 5 })), [whole])
  assert.deepEqual(hex(await tell({ kind: 'garbage', bytes: 'AB' })), ['4142', whole])
  assert.deepEqual(hex(await tell({ kind: 'garbage', bytes: 'AB', where: 'inside' })), [
    '0141420405060708090a',
  ])
  assert.deepEqual(hex(await tell({ kind: 'terminator' })), [whole.slice(0, 16)])
})

test('an end that is spoilt by a script of its own', async () => {
  const wire = new FaultyWire({ device: answererEnd(() => Buffer.from('yes')), requests: reportRequests })
  const spoil = (answer: Buffer): Buffer => Buffer.from(answer.toString().toUpperCase())
  assert.deepEqual(
    (await said(wire, [Buffer.from('?')], [{ kind: 'terminator', spoil }])).map((each) => each.toString()),
    ['YES'],
  )
})

test('Modbus units: each for itself, all of them for unit 0 of a line, and none that is not there', async () => {
  const asked: string[] = []
  const unit = (name: string) => ({
    answer: (pdu: Uint8Array) => {
      asked.push(name)
      return Buffer.of(pdu[0] ?? 0, 2, 0, 7)
    },
  })
  const units = new Map([
    [1, unit('one')],
    [2, unit('two')],
  ])
  const tell = (line: 'tcp' | 'rtu', requests: Requests, request: string): Promise<Buffer[]> =>
    said(new FaultyWire({ device: modbusEnd(line, units), requests }), [Buffer.from(request, 'hex')])
  assert.deepEqual(hex(await tell('tcp', modbusTcpRequests, '000900000006020300000001')), [
    '0009000000050203020007',
  ])
  assert.deepEqual(await tell('tcp', modbusTcpRequests, '000900000006050300000001'), [])
  assert.deepEqual(hex(await tell('rtu', modbusRtuRequests, '010300000001840a')), ['0103020007f986'])
  assert.deepEqual(asked.splice(0), ['two', 'one'])
  assert.deepEqual(await tell('rtu', modbusRtuRequests, '0006000100079819'), [])
  assert.deepEqual(asked, ['one', 'two'])
})

test('a Modbus answer of another unit, or with an exception, in a frame that is right', () => {
  const other = modbusAnswerWith('rtu', Buffer.from('0103020007f986', 'hex'), ({ unit, pdu }) => ({
    unit: unit + 1,
    pdu,
  }))
  assert.equal(other.toString('hex'), '0203020007bd86')
  const no = modbusAnswerWith('tcp', Buffer.from('0009000000050203020007', 'hex'), ({ unit, pdu }) => ({
    unit,
    pdu: Buffer.of((pdu[0] ?? 0) | 0x80, 2),
  }))
  assert.equal(no.toString('hex'), '000900000003028302')
})

test('Grbl: real-time bytes are requests of their own wherever they come, and a line goes on after them', async () => {
  const pending = Buffer.from('$J?G91\n\u0018', 'latin1')
  const cut: string[] = []
  for (let at = 0; at < pending.length;) {
    const length = grblRequests.length(pending.subarray(at)) ?? pending.length
    cut.push(grblRequests.key(pending.subarray(at, at + length)))
    at += length
  }
  assert.deepEqual(cut, ['$J', '?', 'G91', '0x18'])
  assert.equal(grblRequests.length(Buffer.from('G91')), undefined)
  const end = grblEnd({})
  try {
    const wire = new FaultyWire({ device: end, requests: grblRequests })
    let text = ''
    const far = wire.attach({ write: (bytes) => (text += bytes.toString('latin1')), hangUp: () => undefined })
    far.receive(Buffer.from('G21G90G1?X5F3000\n'))
    await until('both are answered', () => /^<Idle\|[^>]*>\r\nok\r\n$/.test(text))
    await until('it is there', () => (end.state()['position'] as number[])[0] === 5)
    text = ''
    far.receive(Buffer.of(0x18))
    await until('it welcomes', () => text.includes('Grbl 1.1h'))
    assert.equal(end.state()['state'], 'Idle')
    far.close()
  } finally {
    end.powerOff()
  }
})
