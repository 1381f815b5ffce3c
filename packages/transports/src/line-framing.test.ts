import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inWords, LineFraming } from './line-framing.ts'

function framing(): { frames: LineFraming; lines: string[]; overflows: string[] } {
  const lines: string[] = []
  const overflows: string[] = []
  const frames = new LineFraming(
    '\r\n',
    (line) => lines.push(line),
    (beginning) => overflows.push(beginning),
  )
  return { frames, lines, overflows }
}

test('lines are cut at the terminator, wherever the pieces end', () => {
  const { frames, lines } = framing()
  for (const piece of ['on', 'e\r', '\ntwo\r\nth', 'ree\r\n', 'rest']) frames.take(Buffer.from(piece))
  assert.deepEqual(lines, ['one', 'two', 'three'])
  assert.equal(frames.piece, 'rest')
})

test('a reset throws the unfinished piece away', () => {
  const { frames, lines } = framing()
  frames.take(Buffer.from('half'))
  frames.reset()
  frames.take(Buffer.from('whole\r\n'))
  assert.deepEqual(lines, ['whole'])
})

test('4096 characters are a line; more are an overflow, told once, and everything until reset is thrown away', () => {
  const { frames, lines, overflows } = framing()
  frames.take(Buffer.from(`${'a'.repeat(4096)}\r\n`))
  assert.equal(lines[0]?.length, 4096)
  for (let sent = 0; sent < 64; sent += 1) frames.take(Buffer.alloc(16_384, 'b'))
  frames.take(Buffer.from('\r\nnext\r\n'))
  assert.equal(overflows.length, 1)
  assert.equal(lines.length, 1)
  frames.reset()
  frames.take(Buffer.from('good\r\n'))
  assert.deepEqual(lines.slice(1), ['good'])
})

test('an overlong line that comes in one piece with its end is an overflow too', () => {
  const { frames, lines, overflows } = framing()
  frames.take(Buffer.from(`${'a'.repeat(4097)}\r\nnext\r\n`))
  assert.deepEqual([lines.length, overflows.length], [0, 1])
})

test('bytes that are no text are shown in hex', () => {
  assert.equal(inWords('M 1'), '"M 1"')
  assert.match(inWords('\x00\xff'), /hex 00ff/)
})
