import { crc16 } from './modbus-crc.ts'

/** The most of what was heard that is kept, in bytes. */
const MAX_KEPT = 512
/** Unit, function, two words, checksum. */
const SHORT_REQUEST = 8

/**
 * What is heard on a line while nothing of golem's is under way. On two wires a master hears the others: their
 * requests are told by their form and checksum. Modbus does not allow for two masters on a line; who has them all the
 * same is told, and is not given the answers of one for those of the other.
 */
export class OtherMasters {
  #heard: Buffer = Buffer.alloc(0)

  /** Takes what came while nothing was awaited. */
  hear(bytes: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, bytes.subarray(-MAX_KEPT)]).subarray(-MAX_KEPT)
  }

  /** Was a request of somebody else heard that has not been answered yet? @param own - golem's last one */
  wait(own: Buffer): boolean {
    let waiting: Buffer | undefined
    for (let at = 0; at < this.#heard.length; at += 1) {
      const frame = this.#heard.subarray(at)
      if (waiting && isAnswer(frame, waiting)) waiting = undefined
      else {
        const length = requestAt(this.#heard, at)
        if (length === 0) continue
        if (!frame.subarray(0, length).equals(own)) waiting = frame.subarray(0, length)
        at += length - 1
      }
    }
    return waiting !== undefined
  }

  /** What was heard is of no interest any more. */
  forget(): void {
    this.#heard = Buffer.alloc(0)
  }

  /**
   * Is there a request of somebody else in what came before an answer? One that had begun before golem's own counts too.
   *
   * @param own - golem's request, which an adapter may hear
   */
  isIn(came: Buffer, own: Buffer): boolean {
    const all = Buffer.concat([this.#heard, came])
    for (let at = 0; at < all.length; at += 1) {
      const length = requestAt(all, at)
      if (length === 0 || at + length <= this.#heard.length) continue
      if (!all.subarray(at, at + length).equals(own)) return true
      at += length - 1
    }
    return false
  }
}

/** The length of the request that begins there; 0: none does. */
function requestAt(bytes: Buffer, at: number): number {
  const code = bytes[at + 1] ?? 0
  const many = code === 15 || code === 16
  if (!many && !(code >= 1 && code <= 6)) return 0
  const length = many ? SHORT_REQUEST + 1 + (bytes[at + 6] ?? 0) : SHORT_REQUEST
  return isWhole(bytes.subarray(at, at + length), length) ? length : 0
}

/** Does an answer to a request begin there? An exception is one. */
function isAnswer(bytes: Buffer, request: Buffer): boolean {
  const code = request[1] ?? 0
  if (bytes[0] !== request[0]) return false
  if (bytes[1] === (code | 0x80)) return isWhole(bytes, 5)
  if (bytes[1] !== code) return false
  return isWhole(bytes, code <= 4 ? 5 + (bytes[2] ?? 0) : SHORT_REQUEST)
}

function isWhole(bytes: Buffer, length: number): boolean {
  return bytes.length >= length && crc16(bytes.subarray(0, length - 2)) === bytes.readUInt16LE(length - 2)
}
