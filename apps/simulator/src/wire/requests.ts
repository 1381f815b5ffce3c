/** How a language cuts the bytes of a client into requests. */
export interface Requests {
  /** How many bytes the first whole request in `pending` has; undefined: none is whole yet. */
  length: (pending: Buffer) => number | undefined
  /** Equal for equal questions: without what a client counts up. */
  key: (request: Buffer) => string
  /** The answer with a wrong end. */
  spoilEnd: (answer: Buffer) => Buffer
  /** Goes over the wire in packets: each is whole, and two are two. */
  packets?: boolean
}

/**
 * Lines.
 *
 * @param terminator - of the client's lines
 * @param answerTerminator - of the device's (default: the same)
 * @param singles - characters that act at once where a line could begin, each a request of its own
 */
export function lineRequests(terminator: string, answerTerminator = terminator, singles = ''): Requests {
  const end = Buffer.from(terminator, 'latin1')
  const answerEnd = Buffer.from(answerTerminator, 'latin1')
  const single = new Set(Buffer.from(singles, 'latin1'))
  return {
    length: (pending) => {
      if (pending[0] !== undefined && single.has(pending[0])) return 1
      const at = pending.indexOf(end)
      return at < 0 ? undefined : at + end.length
    },
    key: (request) => request.toString('latin1').trim(),
    spoilEnd: (answer) => {
      if (!answer.subarray(-answerEnd.length).equals(answerEnd)) return answer
      // None of the usual ends: the reader must not take it for one.
      return Buffer.concat([answer.subarray(0, -answerEnd.length), Buffer.from('\u001a')])
    },
  }
}

/** HTTP/1.1 requests, with a body when they say how long it is. */
export const httpRequests: Requests = {
  length: (pending) => {
    const head = pending.indexOf('\r\n\r\n')
    if (head < 0) return undefined
    const said = /\r\ncontent-length:\s*(\d+)/i.exec(pending.toString('latin1', 0, head + 2))
    const length = head + 4 + Number(said?.[1] ?? 0)
    return pending.length < length ? undefined : length
  },
  key: (request) => {
    const text = request.toString('latin1')
    const head = text.indexOf('\r\n\r\n')
    return `${text.slice(0, text.indexOf(' HTTP/'))} ${text.slice(head + 4)}`.trim()
  },
  // The line ends of the head: a body has no end of its own to be wrong.
  spoilEnd: (answer) => {
    const head = answer.indexOf('\r\n\r\n')
    if (head < 0) return answer
    const spoilt = answer.toString('latin1', 0, head + 4).replaceAll('\r\n', '\r')
    return Buffer.concat([Buffer.from(spoilt, 'latin1'), answer.subarray(head + 4)])
  },
}

/** Modbus TCP: a head of seven bytes says how long the rest is; the first two count up. */
export const modbusTcpRequests: Requests = {
  length: (pending) => {
    if (pending.length < 6) return undefined
    const length = 6 + pending.readUInt16BE(4)
    return pending.length < length ? undefined : length
  },
  key: (request) => request.toString('hex', 2),
  spoilEnd: (answer) => answer.subarray(0, -1),
}

/** Modbus RTU: the function says how long a request is. */
export const modbusRtuRequests: Requests = {
  length: (pending) => {
    if (pending.length < 8) return undefined
    const many = pending[1] === 15 || pending[1] === 16
    const length = many ? 9 + (pending[6] ?? 0) : 8
    return pending.length < length ? undefined : length
  },
  key: (request) => request.toString('hex'),
  // The checksum.
  spoilEnd: (answer) =>
    Buffer.concat([answer.subarray(0, -2), Buffer.from(answer.subarray(-2).map((byte) => byte ^ 0x55))]),
}

/** Whatever comes at once is one request: reports, packets. */
export const pieceRequests: Requests = {
  length: (pending) => (pending.length === 0 ? undefined : pending.length),
  key: (request) => request.toString('hex'),
  spoilEnd: (answer) => answer.subarray(0, -1),
}

/** HID reports: a short one in place of a wrong end. */
export const reportRequests: Requests = {
  ...pieceRequests,
  spoilEnd: (answer) => answer.subarray(0, 8),
  packets: true,
}

/** Grbl: lines, and bytes that act at once wherever they come; a line they come into is in two pieces then. */
export const grblRequests: Requests = {
  length: (pending) => {
    const end = pending.findIndex((byte) => byte === 0x0a || isGrblRealTime(byte))
    if (end < 0) return undefined
    return end > 0 && pending[end] !== 0x0a ? end : end + 1
  },
  key: (request) => {
    const text = request.toString('latin1')
    return isGrblRealTime(request[0] ?? 0x0a) && text !== '?' && text !== '!' && text !== '~'
      ? `0x${request.toString('hex')}`
      : text.trim()
  },
  spoilEnd: lineRequests('\n', '\r\n').spoilEnd,
}

/** Is this one of the bytes that act at once: status, hold, resume, reset, and those of Grbl 1.1 above 7F? */
export function isGrblRealTime(byte: number): boolean {
  return byte === 0x18 || byte === 0x21 || byte === 0x3f || byte === 0x7e || byte >= 0x80
}
