import assert from 'node:assert/strict'
import { test } from 'node:test'
import { act, code } from './line-testing.ts'
import { lineDriver } from './testing.ts'

const WAVE = `actions:
  bytes:
    label: Trace
    arguments:
      channel: { label: Channel, type: choice, choices: [C1, C2] }
    steps:
      - 'SOUR {channel}'
      - { ask: 'PRE?', fields: [null, inc, origin, ref] }
    result: { type: array, ask: 'DATA?', block: { type: uint8 }, minus: [origin, ref], times: inc, plus: [0.5] }
  floats: { label: F, result: { type: array, ask: 'F?', block: { type: float32, endian: little } } }
  words: { label: W, result: { type: array, ask: 'W?', scale: 0.1, block: { type: int16, terminated: false } } }
  list: { label: L, result: { type: array, ask: 'L?' } }
`
const latin1 = (...parts: (string | number[])[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : Buffer.from(part).toString('latin1'))).join('')

test('a block becomes numbers, corrected by what the instrument said before', async () => {
  const found = await act(lineDriver(WAVE), 'bytes', { channel: 'C2' }, [
    ['SOUR C2', null],
    ['PRE?', '0,0.02,0,127'],
    // A line end among the bytes is a byte.
    ['DATA?\n', latin1('#9000000004', [127, 10, 177, 0], '\n')],
  ])
  assert.deepEqual(found, [0.5, (10 - 127) * 0.02 + 0.5, 50 * 0.02 + 0.5, -127 * 0.02 + 0.5])
})

test('blocks of floats, of words without a line end, and lists', async () => {
  const driver = lineDriver(WAVE)
  const floats = Buffer.alloc(8)
  floats.writeFloatLE(1.5, 0)
  floats.writeFloatLE(-2, 4)
  assert.deepEqual(await act(driver, 'floats', {}, [['F?\n', latin1('#18', [...floats], '\n')]]), [1.5, -2])
  assert.deepEqual(await act(driver, 'words', {}, [['W?\n', latin1('#14', [0xff, 0xfe, 0, 50])]]), [-0.2, 5])
  assert.deepEqual(await act(driver, 'list', {}, [['L?\n', '+1.0E+00, 2,3\n']]), [1, 2, 3])
  assert.match(String(await act(driver, 'list', {}, [['L?\n', '1,9.9E37\n']])), /1 of 2 numbers/)
})

for (const [what, answer] of [
  ['text', 'hello\n'],
  ['an indefinite block', '#0abc\n'],
  ['a length that is none', '#2x1a\n'],
  ['a length of a gigabyte', '#91000000000'],
  ['no line end after it', '#12abc'],
  ['half a number', latin1('#13', [1, 2, 3], '\n')],
] as const) {
  test(`a block that is ${what} is REPLY_MALFORMED`, async () => {
    await assert.rejects(act(lineDriver(WAVE), 'floats', {}, [['F?\n', answer]]), code('REPLY_MALFORMED'))
  })
}

test('a million points are taken in a moment', async () => {
  const content = Buffer.alloc(1_000_000, 200).toString('latin1')
  const started = performance.now()
  const found = await act(lineDriver(WAVE), 'bytes', { channel: 'C1' }, [
    ['SOUR C1', null],
    ['PRE?', '0,0.02,0,127'],
    ['DATA?\n', `#71000000${content}\n`],
  ])
  assert.equal((found as number[]).length, 1_000_000)
  assert.ok(performance.now() - started < 5_000)
})
