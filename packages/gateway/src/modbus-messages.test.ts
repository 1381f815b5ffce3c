import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModbusIo } from '@golem/core'
import { bytesOf, errandOf, exceptionTo, ModbusFrames } from './modbus-messages.ts'

const pdu = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
/** The examples of Modbus Application Protocol 1.1b3, section 6: request, answer, what is said of it. */
const EXAMPLES = [
  ['01 0013 0013', '01 03 CD6B05', 'read coils 19 to 37', false],
  ['02 00C4 0016', '02 03 ACDB35', 'read discrete inputs 196 to 217', false],
  ['03 006B 0003', '03 06 022B 0000 0064', 'read holding registers 107 to 109', false],
  ['04 0008 0001', '04 02 000A', 'read input register 8', false],
  ['05 00AC FF00', '05 00AC FF00', 'write on to coil 172', true],
  ['06 0001 0003', '06 0001 0003', 'write 3 to holding register 1', true],
  ['0F 0013 000A 02 CD01', '0F 0013 000A', 'write 1011001110 to coils 19 to 28', true],
  ['10 0001 0002 04 000A0102', '10 0001 0002', 'write 10, 258 to holding registers 1 to 2', true],
] as const

const bits = (hex: string, count: number): boolean[] =>
  Array.from({ length: count }, (_, n) => (((pdu(hex)[n >> 3] ?? 0) >> (n & 7)) & 1) === 1)

test('the examples of the standard are asked for and answered byte for byte', async () => {
  const asked: unknown[][] = []
  const io: ModbusIo = {
    readCoils: async () => bits('CD6B05', 19),
    readDiscreteInputs: async () => bits('ACDB35', 22),
    readHoldingRegisters: async () => [0x022b, 0, 0x64],
    readInputRegisters: async () => [10],
    writeCoil: async (...all) => void asked.push(all),
    writeRegister: async (...all) => void asked.push(all),
    writeCoils: async (...all) => void asked.push(all),
    writeRegisters: async (...all) => void asked.push(all),
    sleep: async () => undefined,
  }
  for (const [request, answer, text, changes] of EXAMPLES) {
    const errand = errandOf(pdu(request))
    assert.ok(typeof errand === 'object', request)
    assert.deepEqual([errand.text, errand.changes], [text, changes])
    assert.equal((await errand.run(io)).toString('hex'), pdu(answer).toString('hex'), request)
  }
  assert.deepEqual(asked, [
    [172, true],
    [1, 3],
    [19, bits('CD01', 10)],
    [1, [10, 258]],
  ])
})

test('what can not be is refused with the exception the standard has for it', () => {
  for (const [request, code] of [
    ['', 1],
    ['16 0004 00F2 0025', 1],
    ['2B 0E 01 00', 1],
    ['03 0000 0000', 3],
    ['03 0000 007E', 3],
    ['03 FFFF 0002', 3],
    ['03 0000', 3],
    ['03 0000 0001 00', 3],
    ['01 0000 07D1', 3],
    ['05 0000 0001', 3],
    ['0F 0000 0009 01 FF', 3],
    ['10 0000 0001 03 000000', 3],
    ['10 0000 0000 00', 3],
    ['10', 3],
  ] as const) {
    assert.equal(errandOf(pdu(request)), code, request)
  }
  assert.equal(exceptionTo(pdu('03 0000 0000'), 3).toString('hex'), '8303')
})

test('frames are cut wherever the pieces end; what is no Modbus TCP is told', () => {
  const one = { transaction: 1, unit: 7, pdu: pdu('03 0000 0001') }
  const two = { transaction: 0xffff, unit: 0, pdu: pdu('06 0001 0003') }
  const all = Buffer.concat([bytesOf(one), bytesOf(two)])
  for (let cut = 0; cut <= all.length; cut += 1) {
    const frames = new ModbusFrames()
    assert.deepEqual([...frames.take(all.subarray(0, cut)), ...frames.take(all.subarray(cut))], [one, two])
  }
  for (const bytes of [
    'GET / HTTP/1.1\r\n',
    '*IDN?\n*IDN?\n',
    '\0\x01\0\0\0\x01\x01',
    '\0\x01\0\0\x01\0\x01',
  ]) {
    assert.throws(() => new ModbusFrames().take(Buffer.from(bytes, 'latin1')), { code: 'INVALID_REQUEST' })
  }
})
