/** A request as a Modbus device receives it. */
export interface ModbusFrame {
  /** Number of the request (Modbus TCP); 0 on a line. */
  transaction: number
  unit: number
  /** Function and what belongs to it. */
  pdu: Buffer
}

export type ModbusLine = 'tcp' | 'rtu' | 'rtu-tcp'

/** Longer than any request; more is not kept. */
const MAX_KEPT = 1024

/** Finds the requests in what comes. Written from the specification, not from golem's own transport. */
export class ModbusReader {
  readonly #line: ModbusLine
  #kept: Buffer = Buffer.alloc(0)

  constructor(line: ModbusLine) {
    this.#line = line
  }

  /**
   * Takes bytes.
   *
   * @returns the requests that are complete; `faulty`: bytes came that belong to none
   */
  push(bytes: Buffer): { frames: ModbusFrame[]; faulty: boolean } {
    this.#kept = Buffer.concat([this.#kept, bytes])
    const frames: ModbusFrame[] = []
    let faulty = false
    for (;;) {
      const next = this.#line === 'tcp' ? tcpRequest(this.#kept) : rtuRequest(this.#kept)
      if (next === 'more') break
      if (next === 'wrong') {
        faulty = true
        this.#kept = this.#line === 'tcp' ? Buffer.alloc(0) : this.#kept.subarray(1)
        continue
      }
      frames.push(next.frame)
      this.#kept = this.#kept.subarray(next.length)
    }
    if (this.#kept.length > MAX_KEPT) this.#kept = Buffer.alloc(0)
    return { frames, faulty }
  }
}

type Next = { frame: ModbusFrame; length: number } | 'more' | 'wrong'

function tcpRequest(bytes: Buffer): Next {
  if (bytes.length < 8) return 'more'
  const length = bytes.readUInt16BE(4)
  if (bytes.readUInt16BE(2) !== 0 || length < 2 || length > 254) return 'wrong'
  if (bytes.length < 6 + length) return 'more'
  const frame = {
    transaction: bytes.readUInt16BE(0),
    unit: bytes[6] ?? 0,
    pdu: Buffer.from(bytes.subarray(7, 6 + length)),
  }
  return { frame, length: 6 + length }
}

function rtuRequest(bytes: Buffer): Next {
  const code = bytes[1]
  if (code === undefined) return 'more'
  const many = code === 15 || code === 16
  if (!many && (code < 1 || code > 6)) return 'wrong'
  if (many && bytes.length < 7) return 'more'
  const length = many ? 9 + (bytes[6] ?? 0) : 8
  if (bytes.length < length) return 'more'
  if (checksum(bytes.subarray(0, length)) !== 0) return 'wrong'
  return {
    frame: { transaction: 0, unit: bytes[0] ?? 0, pdu: Buffer.from(bytes.subarray(1, length - 2)) },
    length,
  }
}

/** An answer as it goes out. */
export function modbusBytes(line: ModbusLine, { transaction, unit, pdu }: ModbusFrame): Buffer {
  if (line === 'tcp') {
    const head = Buffer.from([transaction >> 8, transaction & 0xff, 0, 0, 0, pdu.length + 1, unit])
    return Buffer.concat([head, pdu])
  }
  const bytes = Buffer.concat([Buffer.of(unit), pdu])
  const sum = checksum(bytes)
  return Buffer.concat([bytes, Buffer.of(sum & 0xff, sum >> 8)])
}

/** CRC-16/MODBUS by table; over a whole frame it is 0. */
function checksum(bytes: Uint8Array): number {
  let sum = 0xffff
  for (const byte of bytes) sum = (sum >> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0)
  return sum
}

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let entry = index
  for (let bit = 0; bit < 8; bit += 1) entry = entry % 2 === 1 ? 0xa001 ^ (entry >> 1) : entry >> 1
  return entry
})
