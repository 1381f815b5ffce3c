import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError } from '@golem/core'
import { crc16 } from './modbus-crc.ts'
import { type ModbusFraming, RtuFraming, rtuFrame, TcpFraming, tcpFrame } from './modbus-framing.ts'
import {
  bitsOf,
  exceptionError,
  type ModbusRequest,
  readRequest,
  wordsOf,
  writeCoilRequest,
  writeCoilsRequest,
  writeRegisterRequest,
  writeRegistersRequest,
} from './modbus-pdu.ts'

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const noise = bytes('00 FF 01 03 7E')

/** Every way in which two bytes after each other may arrive. */
function* cuts(whole: Buffer): Generator<Buffer[]> {
  yield [whole]
  yield Array.from(whole, (byte) => Buffer.of(byte))
  for (let at = 1; at < whole.length; at += 1) yield [whole.subarray(0, at), whole.subarray(at)]
}

/** The words of the answer, the exception, or undefined when none has come. */
function answerOf(framing: ModbusFraming, pieces: readonly Buffer[], count: number): unknown {
  for (const piece of pieces) {
    const found = framing.take(piece)
    if (found) return 'exception' in found ? { exception: found.exception } : wordsOf(found.pdu, count)
  }
  return undefined
}

test('requests are the bytes that others have computed', () => {
  const requests: [number, ModbusRequest, string][] = [
    [1, readRequest('holding registers', 0, 2), '01 03 00 00 00 02 C4 0B'],
    [17, readRequest('input registers', 8, 1), '11 04 00 08 00 01 B2 98'],
    [1, writeRegisterRequest(1, 3), '01 06 00 01 00 03 98 0B'],
    [17, writeCoilRequest(0xac, true), '11 05 00 AC FF 00 4E 8B'],
    [17, writeRegistersRequest(1, [0x000a, 0x0102]), '11 10 00 01 00 02 04 00 0A 01 02 C6 F0'],
    [1, readRequest('coils', 0, 10), '01 01 00 00 00 0A BC 0D'],
  ]
  for (const [unit, request, expected] of requests) {
    assert.deepEqual(new RtuFraming().encode({ unit, request }), bytes(expected), request.what)
  }
  const tcp = new TcpFraming('here')
  const request = readRequest('holding registers', 0, 2)
  assert.deepEqual(tcp.encode({ unit: 1, request }), bytes('00 01 00 00 00 06 01 03 00 00 00 02'))
  assert.equal(crc16(Buffer.from('123456789')), 0x4b37)
  assert.deepEqual(
    writeCoilsRequest(19, [true, false, true, true, false, false, true, true, true, false]).pdu,
    bytes('0F 00 13 00 0A 02 CD 01'),
  )
})

test('answers on a line are found however they are cut up, and behind noise, echo and other units', () => {
  const request = readRequest('holding registers', 0, 2)
  const answer = bytes('01 03 04 41 AC 00 00 2E 2E')
  const sent = rtuFrame(1, request.pdu)
  const other = rtuFrame(2, bytes('03 04 11 11 22 22'))
  const longer = rtuFrame(1, bytes('03 02 11 11'))
  for (const before of [[], [noise], [sent], [other], [longer], [sent, noise, other]]) {
    for (const pieces of cuts(Buffer.concat([...before, answer]))) {
      const framing = new RtuFraming()
      framing.encode({ unit: 1, request })
      assert.deepEqual(answerOf(framing, pieces, 2), [0x41ac, 0])
    }
  }
  const framing = new RtuFraming()
  framing.encode({ unit: 1, request })
  assert.deepEqual(answerOf(framing, [bytes('01 83 02 C0 F1')], 2), { exception: 2 })
})

test('coils are read bit by bit, lowest first', () => {
  const framing = new RtuFraming()
  framing.encode({ unit: 1, request: readRequest('coils', 0, 10) })
  const found = framing.take(bytes('01 01 02 CD 01 2C AC'))
  assert.ok(found && 'pdu' in found)
  assert.deepEqual(bitsOf(found.pdu, 10).map(Number), [1, 0, 1, 1, 0, 0, 1, 1, 1, 0])
})

test('what is not the answer is none: a wrong checksum, half of it, another write, a megabyte', () => {
  const request = writeRegisterRequest(1, 3)
  const wrong = [
    bytes('01 06 00 01 00 03 98 0C'),
    bytes('01 06 00 01 00 03 98'),
    rtuFrame(1, bytes('06 00 01 00 04')),
    rtuFrame(1, bytes('06 00 02 00 03')),
    rtuFrame(3, request.pdu),
    Buffer.alloc(1_000_000, 0x55),
  ]
  for (const each of wrong) {
    const framing = new RtuFraming()
    framing.encode({ unit: 1, request })
    assert.equal(framing.take(each), undefined)
    assert.equal(framing.single(), undefined)
    assert.ok(framing.inVain.length > 0 && framing.inVain.length < 200)
  }
})

test('the echo of a write is not taken for its answer', () => {
  const read = readRequest('holding registers', 0, 1)
  const write = writeRegisterRequest(1, 3)
  const readAnswer = rtuFrame(1, bytes('03 02 00 07'))
  const learn = (...came: Buffer[]): RtuFraming => {
    const framing = new RtuFraming()
    framing.encode({ unit: 1, request: read })
    assert.deepEqual(answerOf(framing, came, 1), [7])
    framing.encode({ unit: 1, request: write })
    return framing
  }
  const once = rtuFrame(1, write.pdu)
  const echoing = learn(rtuFrame(1, read.pdu), readAnswer)
  assert.equal(echoing.take(once), undefined)
  assert.equal(echoing.single(), undefined)
  assert.ok(echoing.take(once))
  assert.ok(learn(readAnswer).take(once))
  // An exception behind the echo is one.
  const refused = learn(rtuFrame(1, read.pdu), readAnswer)
  assert.deepEqual(refused.take(Buffer.concat([once, rtuFrame(1, bytes('86 03'))])), { exception: 3 })
  // Nothing is known yet: the first is the answer only when no second one comes.
  const fresh = new RtuFraming()
  fresh.encode({ unit: 1, request: write })
  assert.ok(fresh.isAmbiguous)
  assert.equal(fresh.take(once), undefined)
  assert.ok(fresh.single())
  assert.ok(fresh.take(once))
  assert.equal(fresh.isAmbiguous, false)
})

test('on TCP a late answer is known by its number, and what is no answer is told', () => {
  const request = readRequest('holding registers', 0, 1)
  const pdu = bytes('03 02 00 07')
  for (const pieces of cuts(Buffer.concat([tcpFrame(1, 1, bytes('03 02 00 06')), tcpFrame(2, 1, pdu)]))) {
    const framing = new TcpFraming('here')
    framing.encode({ unit: 1, request })
    framing.encode({ unit: 1, request })
    assert.deepEqual(answerOf(framing, pieces, 1), [7])
  }
  const malformed = [
    bytes('00 01 00 01 00 05 01 03 02 00 07'),
    bytes('00 01 00 00 FF FF 01 03 02 00 07'),
    tcpFrame(1, 2, pdu),
    tcpFrame(1, 1, bytes('04 02 00 07')),
    tcpFrame(1, 1, bytes('03 04 00 07 00 07')),
    tcpFrame(1, 1, bytes('03 02 00')),
    Buffer.alloc(1_000_000, 0x55),
  ]
  for (const each of malformed) {
    const framing = new TcpFraming('here')
    framing.encode({ unit: 1, request })
    assert.throws(
      () => framing.take(each),
      (error) =>
        error instanceof GolemError && error.code === 'REPLY_MALFORMED' && error.message.length < 300,
    )
  }
  const framing = new TcpFraming('here')
  framing.encode({ unit: 1, request })
  assert.deepEqual(framing.take(tcpFrame(1, 1, bytes('83 02'))), { exception: 2 })
  assert.equal(framing.inVain, '')
})

test('the number of a request begins anew after 65535, and is never 0', () => {
  const framing = new TcpFraming('here')
  const request = readRequest('holding registers', 0, 1)
  let last = 0
  for (let n = 0; n < 65_536; n += 1) last = framing.encode({ unit: 1, request }).readUInt16BE(0)
  assert.equal(last, 1)
})

test('an exception is a refusal where it says that nothing was done, and no more than that', () => {
  const codes = (request: ModbusRequest): Record<string, string> =>
    Object.fromEntries(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((code) => [code, exceptionError('it', request, code).code]),
    )
  const refused = Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((code) => [code, 'INSTRUMENT_REFUSED']),
  )
  assert.deepEqual(codes(readRequest('coils', 0, 1)), { ...refused, 11: 'REPLY_TIMEOUT' })
  assert.deepEqual(codes(writeRegisterRequest(0, 1)), {
    ...refused,
    4: 'REPLY_MALFORMED',
    5: 'REPLY_TIMEOUT',
    11: 'REPLY_TIMEOUT',
  })
  assert.match(
    exceptionError('oven', writeRegisterRequest(7, 1), 6).message,
    /^oven answered writing 1 to holding register 7 with exception 6 \(device busy\)\.$/,
  )
})

test('what no request can carry is not sent', () => {
  const wrong: (() => unknown)[] = [
    () => readRequest('holding registers', 0, 126),
    () => readRequest('coils', 0, 2001),
    () => readRequest('holding registers', 65_535, 2),
    () => readRequest('holding registers', -1, 1),
    () => readRequest('holding registers', 0, 0),
    () => writeRegisterRequest(0, 65_536),
    () => writeRegisterRequest(0, 1.5),
    () => writeRegistersRequest(0, [1, -1]),
    () =>
      writeRegistersRequest(
        0,
        Array.from({ length: 124 }, () => 0),
      ),
    () => writeCoilsRequest(0, []),
  ]
  for (const each of wrong) assert.throws(each, GolemError)
})
