import { GolemError } from '@golem/core'
import type { RawBlock } from './line-schema.ts'

const DEFAULT_MOST = 32 * 1024 * 1024

/** Where the content of a definite-length block lies in what has come. */
interface Extent {
  start: number
  end: number
}

/** How many bytes a block may have altogether. */
export function mostBytes(block: RawBlock): number {
  return (block.most ?? DEFAULT_MOST) + 16
}

/**
 * Is the block there? For `askBytes`.
 *
 * @param terminator - follows the block
 * @returns the length of block and terminator; undefined: there is more to come
 * @throws REPLY_MALFORMED when it is no block, or a too large one
 */
export function blockComplete(
  block: RawBlock,
  terminator: string,
): (received: Uint8Array) => number | undefined {
  return (received) => {
    const extent = extentOf(received, block.most ?? DEFAULT_MOST)
    if (extent === undefined) return undefined
    if (block.terminated === false) return received.length >= extent.end ? extent.end : undefined
    const end = extent.end + terminator.length
    if (received.length < end) return undefined
    const tail = Buffer.from(received.subarray(extent.end, end)).toString('latin1')
    if (tail !== terminator)
      throw malformed(`after its ${extent.end - extent.start} bytes there is no line end`)
    return end
  }
}

/**
 * The numbers of a block.
 *
 * @param received - a whole one, as `blockComplete` found it
 * @throws REPLY_MALFORMED
 */
export function numbersOfBlock(block: RawBlock, received: Uint8Array): number[] {
  const extent = extentOf(received, Infinity)
  if (extent === undefined || received.length < extent.end) throw malformed('it is not whole')
  const bytes = received.subarray(extent.start, extent.end)
  const { size, read } = READERS[block.type]
  if (bytes.length % size !== 0) throw malformed(`${bytes.length} bytes are no whole number of ${block.type}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const little = block.endian === 'little'
  // oxlint-disable-next-line unicorn/no-new-array -- Array.from takes six times as long, and all else has to wait
  const numbers = new Array<number>(bytes.length / size)
  for (let index = 0; index < numbers.length; index++) numbers[index] = read(view, index * size, little)
  return numbers
}

const READERS: Readonly<
  Record<RawBlock['type'], { size: number; read: (view: DataView, at: number, little: boolean) => number }>
> = {
  uint8: { size: 1, read: (view, at) => view.getUint8(at) },
  int8: { size: 1, read: (view, at) => view.getInt8(at) },
  uint16: { size: 2, read: (view, at, little) => view.getUint16(at, little) },
  int16: { size: 2, read: (view, at, little) => view.getInt16(at, little) },
  uint32: { size: 4, read: (view, at, little) => view.getUint32(at, little) },
  int32: { size: 4, read: (view, at, little) => view.getInt32(at, little) },
  float32: { size: 4, read: (view, at, little) => view.getFloat32(at, little) },
  float64: { size: 8, read: (view, at, little) => view.getFloat64(at, little) },
}

const WRITERS: Readonly<
  Record<RawBlock['type'], (view: DataView, at: number, value: number, little: boolean) => void>
> = {
  uint8: (view, at, value) => view.setUint8(at, value),
  int8: (view, at, value) => view.setInt8(at, value),
  uint16: (view, at, value, little) => view.setUint16(at, value, little),
  int16: (view, at, value, little) => view.setInt16(at, value, little),
  uint32: (view, at, value, little) => view.setUint32(at, value, little),
  int32: (view, at, value, little) => view.setInt32(at, value, little),
  float32: (view, at, value, little) => view.setFloat32(at, value, little),
  float64: (view, at, value, little) => view.setFloat64(at, value, little),
}

/** A block of these numbers, for simulated instruments. @param digits - of its length; default as few as it takes */
export function blockOf(
  numbers: readonly number[],
  type: RawBlock['type'],
  little: boolean,
  digits?: number,
): Buffer {
  const { size } = READERS[type]
  const content = Buffer.alloc(numbers.length * size)
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  for (const [index, value] of numbers.entries()) WRITERS[type](view, index * size, value, little)
  const length = String(content.length).padStart(digits ?? 1, '0')
  return Buffer.concat([Buffer.from(`#${length.length}${length}`, 'latin1'), content])
}

function extentOf(received: Uint8Array, most: number): Extent | undefined {
  const [hash, digit] = received
  if (hash === undefined) return undefined
  if (hash !== 0x23) throw malformed(`it begins with ${beginning(received)} instead of #`)
  if (digit === undefined) return undefined
  const count = digit - 0x30
  if (count < 1 || count > 9)
    throw malformed(`its length is not given: it begins with ${beginning(received)}`)
  if (received.length < 2 + count) return undefined
  const length = Buffer.from(received.subarray(2, 2 + count)).toString('latin1')
  if (!/^\d+$/.test(length)) throw malformed(`its length is "${length}"`)
  if (Number(length) > most) throw malformed(`it has ${Number(length)} bytes, and at most ${most} are taken`)
  return { start: 2 + count, end: 2 + count + Number(length) }
}

function beginning(received: Uint8Array): string {
  return JSON.stringify(Buffer.from(received.subarray(0, 40)).toString('latin1'))
}

function malformed(what: string): GolemError {
  return new GolemError('REPLY_MALFORMED', `The answer is no data block: ${what}.`)
}
