import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccessList, LOOPBACK, plainAddress } from '@golem/config'
import { AnswerScan } from './answer-scan.ts'
import { MAX_MESSAGE, MessageFraming } from './message-framing.ts'
import { Rfc2217 } from './rfc2217.ts'
import { kindOf, shown } from './scpi.ts'
import { Turnstile } from './turnstile.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** The messages of a stream, whole and byte by byte: both must be the same. */
function cut(text: string, terminator = '\n', blocks = true): string[] {
  const whole = new MessageFraming({ terminator, blocks }).take(bytes(text)).map(String)
  const framing = new MessageFraming({ terminator, blocks })
  const single = [...bytes(text)].flatMap((byte) => framing.take(Buffer.from([byte])).map(String))
  assert.deepEqual(single, whole)
  return whole
}

test('messages end where the instrument says, and at a line feed too', () => {
  assert.deepEqual(cut('*IDN?\nVOLT 5\r\nhalf'), ['*IDN?', 'VOLT 5'])
  assert.deepEqual(cut('a\rb\r\nc\n', '\r'), ['a', 'b', 'c'])
  assert.deepEqual(cut('a\r\n\r\nb\r\n', '\r'), ['a', '', 'b'])
  assert.deepEqual(cut('a\r\nb\n', '\r\n'), ['a', 'b'])
  assert.deepEqual(cut('a##b##c\n', '##'), ['a', 'b', 'c'])
  assert.deepEqual(
    new MessageFraming({ terminator: '', blocks: false }).take(bytes('any\nthing')).map(String),
    ['any\nthing'],
  )
})

test('a line feed inside a block does not end a message, and what only looks like a block is none', () => {
  assert.deepEqual(cut('DATA #15a\nb\ncX\nnext\n'), ['DATA #15a\nb\ncX', 'next'])
  assert.deepEqual(cut('DATA 1,#213\n\n\n\n\n\n\n\n\n\n\n\n\n\n*IDN?\n').length, 2)
  assert.deepEqual(cut('CH#1\n#H1F\nSYST "x #15\n"\n'), ['CH#1', '#H1F', 'SYST "x #15', '"'])
  assert.deepEqual(cut('DATA #15a\nb\ncX\n', '\n', false), ['DATA #15a', 'b', 'cX'])
  assert.deepEqual(cut('x #3ab\nc\n'), ['x #3ab', 'c'])
})

test('a message without an end, and a block of gigabytes, are refused before they fill the memory', () => {
  const framing = new MessageFraming({ terminator: '\n', blocks: true })
  assert.deepEqual(framing.take(Buffer.alloc(MAX_MESSAGE - 1, 65)), [])
  assert.throws(() => framing.take(bytes('AAAA')), { code: 'INVALID_REQUEST' })
  const other = new MessageFraming({ terminator: '\n', blocks: true })
  assert.throws(() => other.take(bytes('DATA #9999999999')), { code: 'INVALID_REQUEST' })
})

test('what asks and what changes is told apart; in doubt it changes', () => {
  const table: [string, number, boolean][] = [
    ['*IDN?', 1, false],
    [' :MEAS:VOLT? (@1,2)', 1, false],
    ['VOLT?;:CURR?', 2, false],
    ['VOLT 5', 0, true],
    ['VOLT 5;VOLT?', 1, true],
    ['VOLT?;VOLT 5', 1, true],
    ['DISP "why?"', 0, true],
    ["DISP 'a;b?'", 0, true],
    ['FOO? "a;VOLT 5"', 1, true],
    ['FOO? "a;VOLT 5', 1, true],
    ['DATA #15ab?cd', 0, true],
    ['FOO? #15ab?cd', 1, true],
    ['FOO?\rVOLT 5', 1, true],
    ['FOO?\0VOLT 5', 1, true],
    ['*TST?', 1, true],
    ['*cal?', 1, true],
    ['VOLT 5 ?', 1, true],
    ['', 0, true],
    [';', 0, true],
  ]
  for (const [text, queries, changes] of table) {
    assert.deepEqual(kindOf(bytes(text)), { queries, changes }, JSON.stringify(text))
  }
})

/** Where an answer ends, given at once and byte by byte. */
function endOf(answer: string, terminator = '\n'): number | undefined {
  const all = bytes(answer)
  const atOnce = new AnswerScan(terminator).complete(all)
  const scan = new AnswerScan(terminator)
  for (let n = 1; n <= all.length; n += 1) {
    const end = scan.complete(all.subarray(0, n))
    if (end === undefined) continue
    assert.equal(end, atOnce, answer)
    return end
  }
  assert.equal(atOnce, undefined, answer)
  return undefined
}

test('an answer ends with its line, blocks counted', () => {
  assert.equal(endOf('1.25\nmore'), 5)
  assert.equal(endOf('1.25\r\n', '\r\n'), 6)
  assert.equal(endOf('#15a\nb\nc\nrest'), 9)
  assert.equal(endOf(':WAV:DATA #15a\nb\nc\n'), 19)
  assert.equal(endOf('1,#12\n\n,#12\n\n\n'), 14)
  assert.equal(endOf('CH#1\n'), 5)
  assert.equal(endOf("O'Brien's #\n"), 12)
  assert.equal(endOf('#15a\nb\n'), undefined)
  assert.throws(() => new AnswerScan('\n').complete(bytes('#9999999999')), { code: 'REPLY_MALFORMED' })
})

test('a block that has come whole is known, should its line end never come', () => {
  const scan = new AnswerScan('\n')
  assert.equal(scan.complete(bytes('#15a\nb\n')), undefined)
  assert.ok(!scan.wholeBlock)
  assert.equal(scan.complete(bytes('#15a\nb\nc')), undefined)
  assert.deepEqual(scan.wholeBlock, bytes('#15a\nb\nc'))
})

test('bytes are shown printable and clipped', () => {
  assert.equal(shown(bytes('VOLT 5\r\n\x01\xff')), 'VOLT 5\\r\\n\\x01\\xff')
  assert.equal(shown(bytes('A'.repeat(300)), 3), 'AAA… (300 bytes)')
})

test('who may come: this machine, unless networks are named', () => {
  const own = new AccessList(LOOPBACK)
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])
    assert.ok(own.allows(address), address)
  for (const address of ['10.0.0.1', '::2', '', 'nonsense']) assert.ok(!own.allows(address), address)
  const lab = new AccessList(['10.0.0.0/24', 'fd00::/8', '192.168.1.7'])
  for (const address of ['10.0.0.9', 'fd12::1', '192.168.1.7']) assert.ok(lab.allows(address), address)
  for (const address of ['10.0.1.9', '127.0.0.1', '192.168.1.8']) assert.ok(!lab.allows(address), address)
  assert.equal(plainAddress('::ffff:10.0.0.7'), '10.0.0.7')
})

test('RFC 2217 answers with the line as it is, doubles 255, and never answers an answer', () => {
  const written: Buffer[] = []
  const purged: string[] = []
  const line = new Rfc2217({
    settings: {
      baudRate: 65_535,
      parity: 'even',
      stopBits: 2,
      dataBits: 7,
      flowControl: 'rtscts',
      dtr: false,
    },
    write: (some) => written.push(some),
    onPurge: (what) => purged.push(what),
  })
  const said = (): string => {
    const hex = Buffer.concat(written).toString('hex')
    written.length = 0
    return hex
  }
  const take = (hex: string): string => line.take(Buffer.from(hex, 'hex')).toString('hex')
  line.start()
  assert.equal(said(), 'fffb00fffd00fffb03fffd03fffb2cfffd2c')
  take('fffd00fffb00fffd03fffb03')
  assert.equal(said(), '', 'answers to its own offers')
  take('fffb2c')
  assert.equal(said(), 'fffa2c6bb0fff0', 'the modem state when the option is on')
  take('fffb2cfffd00')
  assert.equal(said(), '')
  take('fffb01fffd01')
  assert.equal(said(), 'fffe01fffc01', 'echo is not wanted')
  take('fffa2c0100002580fff0')
  assert.equal(said(), 'fffa2c650000fffffffffff0', 'the speed, its 255s doubled')
  take('fffa2c0208fff0fffa2c0301fff0fffa2c0401fff0')
  assert.equal(said(), 'fffa2c6607fff0fffa2c6703fff0fffa2c6802fff0')
  take('fffa2c0501fff0fffa2c0508fff0fffa2c050bfff0')
  assert.equal(said(), 'fffa2c6903fff0fffa2c6909fff0fffa2c690bfff0')
  take('fffa2c0c01fff0fffa2c0c02fff0fffa2c0c03fff0fffa2c0c09fff0')
  assert.deepEqual(purged, ['received', 'waiting', 'both'])
  said()
  assert.equal(take('41ffff42'), '41ff42')
  assert.equal(take('ff'), '')
  assert.equal(take('f143'), '43', 'a command of telnet is no data')
  assert.equal(line.data(Buffer.from('41ff42ffff', 'hex')).toString('hex'), '41ffff42ffffffff')
  take('fffa2c' + '41'.repeat(5_000))
  assert.equal(take('fff044'), '44', 'an endless subnegotiation is passed over')
})

test('RFC 2217: a client that takes the offer without a word is told the modem state with its first command', () => {
  const written: Buffer[] = []
  const line = new Rfc2217({ settings: {}, write: (some) => written.push(some), onPurge: () => undefined })
  line.take(Buffer.from('fffa2c0208fff0fffa2c0208fff0', 'hex'))
  assert.equal(Buffer.concat(written).toString('hex'), `fffa2c6bb0fff0${'fffa2c6608fff0'.repeat(2)}`)
})

test('one at a time through the turnstile, and a failure holds up nobody', async () => {
  const turnstile = new Turnstile()
  const order: string[] = []
  const slow = turnstile.pass(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    order.push('first')
  })
  const failing = turnstile.pass(() => Promise.reject(new Error('no')))
  const last = turnstile.pass(async () => order.push('last'))
  await assert.rejects(failing, /no/)
  await Promise.all([slow, last])
  assert.deepEqual(order, ['first', 'last'])
})
