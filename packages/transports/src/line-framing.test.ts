import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameFraming, inWords, LineFraming, MAX_LINE } from './line-framing.ts'

function framing(
  terminator = '\r\n',
  maxLength = MAX_LINE,
): { frames: LineFraming; lines: string[]; overflows: string[] } {
  const lines: string[] = []
  const overflows: string[] = []
  const frames = new LineFraming(
    terminator,
    () => maxLength,
    (line) => lines.push(line),
    (beginning) => overflows.push(beginning),
  )
  return { frames, lines, overflows }
}

/** Frames FF 86 a b sum, as a CO2 module sends them; `isFrame` checks the sum. */
function co2Frames(): { frames: FrameFraming; found: number[][] } {
  const found: number[][] = []
  const frames = new FrameFraming('\xff\x86', 5, (frame) => {
    const bytes = [...Buffer.from(frame, 'latin1')]
    const [, , high = 0, low = 0, sum = 0] = bytes
    if (((high + low) & 0xff) !== sum) return false
    found.push([high, low])
    return true
  })
  return { frames, found }
}
const co2Frame = (high: number, low: number): number[] => [0xff, 0x86, high, low, (high + low) & 0xff]

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

test('4096 characters are a line; more are an overflow, told once, and thrown away to the end of that line', () => {
  const { frames, lines, overflows } = framing()
  frames.take(Buffer.from(`${'a'.repeat(4096)}\r\n`))
  assert.equal(lines[0]?.length, 4096)
  for (let sent = 0; sent < 64; sent += 1) frames.take(Buffer.alloc(16_384, 'b'))
  frames.take(Buffer.from('end\r'))
  frames.take(Buffer.from('\nnext\r\n'))
  assert.equal(overflows.length, 1)
  assert.deepEqual(lines.slice(1), ['next'])
})

test('an overlong line that comes in one piece with its end is an overflow too', () => {
  const { frames, lines, overflows } = framing()
  frames.take(Buffer.from(`${'a'.repeat(4097)}\r\nnext\r\n`))
  assert.deepEqual([lines, overflows.length], [['next'], 1])
})

test('a megabyte as one line in pieces of 50 bytes costs no more than its length', () => {
  const { frames, lines } = framing('\r\n', 2 ** 21)
  const began = performance.now()
  for (let sent = 0; sent < 20_000; sent += 1) frames.take(Buffer.alloc(50, 'x'))
  frames.take(Buffer.from('\r\n'))
  assert.equal(lines[0]?.length, 1_000_000)
  // Putting the pieces together each time would take several seconds.
  assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`)
})

test('who comes in in the middle of a line does not take its end for a line', () => {
  const { frames, lines } = framing()
  frames.skipToNext()
  for (const piece of ['5.0\r', '\n21.', '5\r\n']) frames.take(Buffer.from(piece))
  assert.deepEqual(lines, ['21.5'])
})

test('every way of cutting two lines into two pieces gives the same lines, whatever the terminator', () => {
  for (const terminator of ['\n', '\r\n', '\r\r\n', '>']) {
    const text = `one${terminator}two${terminator}`
    for (let at = 0; at <= text.length; at += 1) {
      const { frames, lines } = framing(terminator)
      frames.take(Buffer.from(text.slice(0, at)))
      frames.take(Buffer.from(text.slice(at)))
      assert.deepEqual(lines, ['one', 'two'], `cut at ${at}`)
    }
  }
})

test('frames are found after garbage, in any pieces, and after a header that was none', () => {
  const stream = [
    0x00,
    0xff,
    0x13,
    ...co2Frame(1, 144),
    // Broken off, so that the header of the next one lies within it.
    0xff,
    0x86,
    9,
    ...co2Frame(2, 0),
    // The content looks like a header.
    ...co2Frame(0xff, 0x86),
    ...co2Frame(3, 7),
  ]
  const wanted = [
    [1, 144],
    [2, 0],
    [0xff, 0x86],
    [3, 7],
  ]
  for (const size of [1, 2, 3, 4, 7, stream.length]) {
    const { frames, found } = co2Frames()
    for (let at = 0; at < stream.length; at += size) frames.take(Buffer.from(stream.slice(at, at + size)))
    assert.deepEqual(found, wanted, `in pieces of ${size}`)
  }
})

test('who comes in in the middle of a stream of frames whose content looks like a header finds the right ones', () => {
  const { frames, found } = co2Frames()
  const stream = Array.from({ length: 4 }, () => co2Frame(0xff, 0x86)).flat()
  frames.take(Buffer.from(stream.slice(2)))
  assert.deepEqual(found, [
    [0xff, 0x86],
    [0xff, 0x86],
    [0xff, 0x86],
  ])
})

test('a megabyte of noise without a header is passed over, and nothing of it is kept', () => {
  const { frames, found } = co2Frames()
  for (let n = 0; n < 1024; n += 1) frames.take(Buffer.alloc(1024, 0xff))
  assert.ok(frames.piece.length <= 1)
  frames.take(Buffer.from(co2Frame(5, 6)))
  assert.deepEqual(found, [[5, 6]])
})

test('bytes that are no text are shown in hex', () => {
  assert.equal(inWords('M 1'), '"M 1"')
  assert.match(inWords('\x00\xff'), /hex 00ff/)
})
