import { GolemError } from '@golem/core'
import { crc16 } from './modbus-crc.ts'
import { OtherMasters } from './modbus-other-masters.ts'
import type { ModbusRequest } from './modbus-pdu.ts'

/** The most of what came in vain that is kept for a message or for a frame behind it, in bytes. */
const MAX_KEPT = 512
/** The longest frame of Modbus TCP behind its first six bytes: unit and 253 bytes. */
const MAX_TCP_LENGTH = 254

/** One request that is under way. */
export interface Awaited {
  unit: number
  request: ModbusRequest
}

/** What has come for it: the answer or an exception, both without unit and frame. */
export type Found = { pdu: Buffer } | { exception: number }

/** How requests and answers are put into bytes. One for each opening of a port. */
export interface ModbusFraming {
  /** The bytes of a request; answers to earlier ones no longer count. */
  encode: (awaited: Awaited) => Buffer
  /** Takes bytes. @throws REPLY_MALFORMED: these can't become the answer any more */
  take: (bytes: Buffer) => Found | undefined
  /** Nothing is awaited any more. */
  forget: () => void
  /** Takes bytes that came while nothing was awaited. */
  overhear: (bytes: Buffer) => void
  /** Somebody else on the line waits for an answer. */
  readonly othersWait: boolean
  /** What has come since the request and was not its answer, for messages; '' for nothing. */
  readonly inVain: string
}

/** A frame of Modbus RTU. */
export function rtuFrame(unit: number, pdu: Uint8Array): Buffer {
  const frame = Buffer.alloc(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2)
  return frame
}

/** A frame of Modbus TCP. */
export function tcpFrame(transaction: number, unit: number, pdu: Uint8Array): Buffer {
  const frame = Buffer.alloc(pdu.length + 7)
  frame.writeUInt16BE(transaction, 0)
  frame.writeUInt16BE(pdu.length + 1, 4)
  frame[6] = unit
  frame.set(pdu, 7)
  return frame
}

/**
 * Modbus RTU: an answer is known by unit, function, length and checksum, so it is looked for in all that comes after
 * the request. Noise before it, another unit's late answer and the echo of an adapter that hears itself do no harm.
 *
 * The answer to a write of one coil or register looks as the request does. Whether the line echoes is learnt from the
 * exchanges in which one can tell, which nearly all are.
 */
export class RtuFraming implements ModbusFraming {
  readonly #others = new OtherMasters()
  #awaited: Awaited | undefined
  #sent: Buffer = Buffer.alloc(0)
  /** Where in what came the answer ends. */
  #answerEnd = 0
  #came: Buffer = Buffer.alloc(0)
  /** Does what is sent come back? Undefined: not known yet. */
  #echoes: boolean | undefined

  /** What is awaited looks as the request itself, and it is not known whether the line echoes. */
  get isAmbiguous(): boolean {
    return this.#echoes === undefined && this.#answersAlike
  }

  get #answersAlike(): boolean {
    const pdu = this.#awaited?.request.pdu
    return pdu !== undefined && this.#awaited?.request.fits(pdu) === true
  }

  encode(awaited: Awaited): Buffer {
    this.#awaited = awaited
    this.#came = Buffer.alloc(0)
    this.#answerEnd = 0
    this.#sent = rtuFrame(awaited.unit, awaited.request.pdu)
    return this.#sent
  }

  take(bytes: Buffer): Found | undefined {
    if (!this.#awaited) return undefined
    this.#came = Buffer.concat([this.#came, bytes.subarray(-MAX_KEPT)]).subarray(-MAX_KEPT)
    const at = this.#find(0)
    if (at === undefined) return undefined
    const alike = this.#answersAlike && this.#isGood(at)
    if (!alike) {
      // Before a request that was sent for the first time nothing looks as it does.
      this.#echoes = this.#came.subarray(0, at).includes(this.#sent)
      return this.#foundAt(at)
    }
    const second = this.#find(at + this.#sent.length)
    if (second !== undefined) this.#echoes = true
    if (this.#echoes === false) return this.#foundAt(at)
    return second === undefined ? undefined : this.#foundAt(second)
  }

  /** What looks as the request and came once: the answer, when the time is over and nothing else has come. */
  single(): Found | undefined {
    const at = this.#awaited && this.isAmbiguous ? this.#find(0) : undefined
    return at === undefined ? undefined : this.#foundAt(at)
  }

  forget(): void {
    const behind = this.#answerEnd === 0 ? Buffer.alloc(0) : this.#came.subarray(this.#answerEnd)
    this.#others.forget()
    this.#others.hear(behind)
    this.#awaited = undefined
    this.#came = Buffer.alloc(0)
    this.#answerEnd = 0
  }

  overhear(bytes: Buffer): void {
    this.#others.hear(bytes)
  }

  get othersWait(): boolean {
    return this.#others.wait(this.#sent)
  }

  get inVain(): string {
    const came = this.#came
    const echoed = this.#sent.length > 0 && came.indexOf(this.#sent) === 0
    return hex(echoed ? came.subarray(this.#sent.length) : came)
  }

  #find(from: number): number | undefined {
    for (let at = from; at + 5 <= this.#came.length; at += 1) {
      if (this.#isGood(at) || this.#isException(at)) return at
    }
    return undefined
  }

  #isGood(at: number): boolean {
    if (!this.#awaited) return false
    const { unit, request } = this.#awaited
    const frame = this.#came.subarray(at, at + request.answerBytes + 3)
    return (
      frame.length === request.answerBytes + 3 &&
      frame[0] === unit &&
      frame[1] === request.pdu[0] &&
      request.fits(frame.subarray(1, -2)) &&
      isWhole(frame)
    )
  }

  #isException(at: number): boolean {
    if (!this.#awaited) return false
    const { unit, request } = this.#awaited
    const frame = this.#came.subarray(at, at + 5)
    return frame[0] === unit && frame[1] === ((request.pdu[0] ?? 0) | 0x80) && isWhole(frame)
  }

  #foundAt(at: number): Found {
    if (this.#others.isIn(this.#came.subarray(0, at), this.#sent)) {
      throw new GolemError(
        'REPLY_MALFORMED',
        'Another master talks on the line: whose answer came is not known. Modbus allows for one master on a line.',
      )
    }
    if (!this.#isGood(at)) {
      this.#answerEnd = at + 5
      return { exception: this.#came[at + 2] ?? 0 }
    }
    this.#answerEnd = at + (this.#awaited?.request.answerBytes ?? 0) + 3
    return {
      pdu: Buffer.from(this.#came.subarray(at + 1, at + 1 + (this.#awaited?.request.answerBytes ?? 0))),
    }
  }
}

/** Modbus TCP: an answer is known by the number of its request, so one that comes late is no other one's. */
export class TcpFraming implements ModbusFraming {
  readonly #where: string
  #awaited: Awaited | undefined
  #transaction = 0
  #came: Buffer = Buffer.alloc(0)
  #others: string[] = []

  /** @param where - for messages */
  constructor(where: string) {
    this.#where = where
  }

  encode(awaited: Awaited): Buffer {
    this.#awaited = awaited
    this.#others = []
    this.#transaction = (this.#transaction % 0xffff) + 1
    return tcpFrame(this.#transaction, awaited.unit, awaited.request.pdu)
  }

  take(bytes: Buffer): Found | undefined {
    this.#came = this.#came.length === 0 ? bytes : Buffer.concat([this.#came, bytes])
    let found: Found | undefined
    while (this.#came.length >= 6) {
      const length = this.#came.readUInt16BE(4)
      if (this.#came.readUInt16BE(2) !== 0 || length < 3 || length > MAX_TCP_LENGTH) {
        throw this.#malformed('it is no Modbus TCP', this.#came)
      }
      if (this.#came.length < 6 + length) break
      const frame = this.#came.subarray(0, 6 + length)
      this.#came = this.#came.subarray(6 + length)
      found ??= this.#takeFrame(frame)
    }
    return found
  }

  forget(): void {
    this.#awaited = undefined
    this.#others = []
  }

  /** Each master has a connection of its own. */
  overhear(): void {
    return undefined
  }

  readonly othersWait = false

  get inVain(): string {
    return [...this.#others, hex(this.#came)].filter((text) => text !== '').join(', ')
  }

  #takeFrame(frame: Buffer): Found | undefined {
    if (!this.#awaited) return undefined
    if (frame.readUInt16BE(0) !== this.#transaction) {
      this.#others = [...this.#others.slice(-2), hex(frame)]
      return undefined
    }
    const { unit, request } = this.#awaited
    const pdu = frame.subarray(7)
    if (frame[6] !== unit) throw this.#malformed(`it is unit ${frame[6] ?? 0}'s, not unit ${unit}'s`, frame)
    if (pdu[0] === ((request.pdu[0] ?? 0) | 0x80) && pdu.length === 2) return { exception: pdu[1] ?? 0 }
    if (pdu[0] !== request.pdu[0] || pdu.length !== request.answerBytes || !request.fits(pdu)) {
      throw this.#malformed(`it is no answer to ${request.what}`, frame)
    }
    return { pdu: Buffer.from(pdu) }
  }

  #malformed(why: string, bytes: Buffer): GolemError {
    return new GolemError('REPLY_MALFORMED', `From ${this.#where} came ${hex(bytes)}: ${why}.`)
  }
}

function isWhole(frame: Buffer): boolean {
  return frame.length >= 5 && crc16(frame.subarray(0, -2)) === frame.readUInt16LE(frame.length - 2)
}

/** Bytes as messages show them, the first few. */
function hex(bytes: Buffer): string {
  const shown = bytes
    .subarray(0, 32)
    .toString('hex')
    .toUpperCase()
    .replaceAll(/..(?=.)/g, '$& ')
  return bytes.length > 32 ? `${shown} ... (${bytes.length} bytes)` : shown
}
