import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, isFault, type LineDriver, type LineIo } from '@golem/core'
import { type LineScript, scriptedLine } from '@golem/transports/testing'
import { checksumOf, degreesOf, parseSentence } from './nmea.ts'
import { head, lineDriver, readText } from './testing.ts'

/** Runs `work` with what the instrument says; lines that nobody waits for go to the driver, as on a real line. */
async function withScript<T>(
  driver: LineDriver,
  script: LineScript,
  work: (io: LineIo) => Promise<T>,
): Promise<{ result: T }> {
  const io = scriptedLine(script, (line) => void driver.unsolicited?.(line))
  const result = await work(io)
  io.done()
  return { result }
}

const code =
  (wanted: string) =>
  (error: unknown): boolean =>
    error instanceof GolemError && error.code === wanted

const identify = (driver: LineDriver, lines: readonly string[]) =>
  withScript(driver, lines.map((line) => [null, line] as const) satisfies LineScript, (io) =>
    driver.identify(io),
  )

const PATTERN = `stream: { format: pattern, patterns: ['^T=(?<t>[^ ]+)(?: H=(?<h>.+))?$'] }
silence: 3 s
parameters:
  t: { label: T, type: number, unit: °C }
  h: { label: H, type: number }
  led: { label: LED, type: boolean, write: 'LED {value}' }
`

test('lines become readings as they come', () => {
  const driver = lineDriver(PATTERN, 'stream')
  assert.deepEqual(driver.unsolicited?.('T=21.5 H=40\r'), { t: 21.5, h: 40 })
  assert.deepEqual(driver.unsolicited?.('T=21.5'), { t: 21.5 })
  assert.equal(driver.unsolicited?.('T=2x'), undefined)
  assert.equal(driver.unsolicited?.('ÿþ garbage'), undefined)
  assert.equal(driver.parameters['led']?.readable, false)
  assert.equal(driver.silenceMs, 3000)
})

test('the first line is thrown away: it may be the end of one; then a good one is waited for', async () => {
  const driver = lineDriver(PATTERN, 'stream')
  await withScript(driver, [[null, ['T=1.5', 'T=21.5 H=40']]], (io) => driver.identify(io))
  const { result } = await withScript(driver, [], (io) => driver.readAll(io, new Set()))
  assert.deepEqual(result, { t: 21.5, h: 40 })
  const again = await withScript(driver, [], (io) => driver.readAll(io, new Set()))
  assert.deepEqual(again.result, {})
})

test('other lines are another instrument; none at all is silence', async () => {
  const driver = lineDriver(PATTERN, 'stream')
  await assert.rejects(
    withScript(driver, [[null, ['hello', 'world']]], (io) => driver.identify(io)),
    code('WRONG_INSTRUMENT'),
  )
  await assert.rejects(identify(driver, []), code('REPLY_TIMEOUT'))
})

test('after silence a poll fails at once, without waiting', async () => {
  const driver = lineDriver(PATTERN.replace('3 s', '1 ms'), 'stream')
  driver.unsolicited?.('T=1')
  await new Promise((resolve) => setTimeout(resolve, 20))
  const started = performance.now()
  await assert.rejects(
    withScript(driver, [], (io) => driver.readAll(io, new Set())),
    code('REPLY_TIMEOUT'),
  )
  assert.ok(performance.now() - started < 500)
})

test('two instruments of one model hear for themselves', async () => {
  const { model } = readText(head('stream') + PATTERN)
  const [one, other] = [model?.create({}), model?.create({})] as LineDriver[]
  one?.unsolicited?.('T=1')
  await withScript(one!, [], (io) => one!.readAll(io, new Set()))
  await assert.rejects(
    withScript(other!, [], (io) => other!.readAll(io, new Set())),
    code('REPLY_TIMEOUT'),
  )
})

test('columns', () => {
  const driver = lineDriver(
    `stream: { format: csv, separator: ';', columns: 3 }
silence: 3 s
parameters:
  a: { label: A, type: number, from: { column: 1 } }
  c: { label: C, type: number, from: { column: 3 } }
`,
    'stream',
  )
  assert.deepEqual(driver.unsolicited?.('1; x ;3'), { a: 1, c: 3 })
  assert.equal(driver.unsolicited?.('1;2'), undefined)
  assert.equal(driver.unsolicited?.('time;temp;hum'), undefined)
  assert.ok(isFault(driver.unsolicited?.('1;2;')?.['c'] ?? 0))
})

test('key and value', () => {
  const driver = lineDriver(
    `stream: { format: keyValue, separator: ',', assign: ':' }
silence: 3 s
parameters:
  a: { label: A, type: number, from: { key: temp } }
  b: { label: B, type: number, from: { key: hum } }
`,
    'stream',
  )
  assert.deepEqual(driver.unsolicited?.('temp: 21.5, other:9'), { a: 21.5 })
  assert.deepEqual(driver.unsolicited?.('hum:40,temp:20'), { a: 20, b: 40 })
  assert.equal(driver.unsolicited?.('nothing'), undefined)
})

const FRAME = `stream:
  format: frame
  header: FF 86
  length: 9
  checksum: { kind: complement, from: 1, to: 7, at: 8 }
silence: 5 s
parameters:
  co2: { label: CO2, type: integer, unit: ppm, from: { byte: 2, as: uint16 } }
  temperature: { label: T, type: integer, offset: -40, from: { byte: 4 } }
`

test('frames of bytes, their checksum verified', () => {
  const driver = lineDriver(FRAME, 'stream')
  assert.deepEqual(driver.link.receiveFrame, { header: '\u00ff\u0086', length: 9 })
  const frame = Buffer.from('ff86019042000000', 'hex')
  const sum = (256 - (frame.subarray(1).reduce((total, byte) => total + byte, 0) & 255)) & 255
  const whole = Buffer.concat([frame, Buffer.from([sum])]).toString('latin1')
  assert.deepEqual(driver.unsolicited?.(whole), { co2: 400, temperature: 26 })
  assert.equal(driver.unsolicited?.(whole.slice(0, 8) + '\u0000'), undefined)
  assert.equal(driver.unsolicited?.(whole.slice(1)), undefined)
})

for (const sentence of [
  '$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47',
  '$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A',
  '$WIXDR,C,21.5,C,TEMP1,H,45.2,P,RH1*5B',
  '$WIMWV,214.8,R,0.1,K,A*28',
]) {
  test(`${sentence.slice(0, 6)}: the checksum of the published example is right`, () => {
    assert.equal(checksumOf(sentence.slice(1, sentence.indexOf('*'))), sentence.slice(-2))
    assert.equal(parseSentence(sentence)?.type, sentence.slice(3, 6))
    assert.equal(parseSentence(sentence.replace(',', ';')), undefined)
    assert.equal(parseSentence(sentence.slice(5)), undefined)
    assert.equal(parseSentence(sentence.slice(0, -3)), undefined)
  })
}

test('positions in degrees', () => {
  assert.equal(degreesOf('4807.038', 'N'), 48.1173)
  assert.equal(degreesOf('01131.000', 'W'), -11.516666667)
  for (const [text, side] of [
    ['', 'N'],
    ['4807.038', ''],
    ['4860.0', 'N'],
    ['9107.0', 'N'],
    ['x', 'E'],
  ] as const) {
    assert.equal(degreesOf(text, side), undefined, `${text}${side}`)
  }
})

for (const [what, body, line, message] of [
  ['a key of another format', PATTERN.replace('patterns:', 'columns: 3, patterns:'), 6, /has no "columns"/],
  ['a group that is no parameter', PATTERN.replace('<t>', '<z>'), 6, /no parameter "z"/],
  [
    'nothing to find a column by',
    PATTERN.replace("format: pattern, patterns: ['^T=(?<t>[^ ]+)(?: H=(?<h>.+))?$']", 'format: csv'),
    9,
    /neither be read/,
  ],
  ['a value beyond the frame', FRAME.replace('byte: 4', 'byte: 9'), 14, /ends before/],
  ['a checksum beyond the frame', FRAME.replace('at: 8', 'at: 9'), 10, /9 bytes only/],
  ['a header that is none', FRAME.replace('FF 86', 'FFx'), 8, /hexadecimal/],
] as const) {
  test(`${what} is told with its line`, () => {
    const { faults } = readText(head('stream') + body)
    const found = faults.map((fault) => `${fault.line}: ${fault.message}`).join('\n')
    assert.ok(
      faults.some((fault) => fault.line === line && message.test(fault.message)),
      found,
    )
  })
}
