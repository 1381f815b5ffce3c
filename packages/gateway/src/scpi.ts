/** What a message in the language of SCPI and IEEE 488.2 asks for. */
export interface MessageKind {
  /** How many of its units are queries: the instrument answers all of them in one line, or each by itself. */
  queries: number
  /** It may change something: it has a unit that is no query, or anything that can't be told. */
  changes: boolean
}

/** A unit that is a query: its header ends with ?. */
const QUERY_UNIT = /^\s*[*:]?[A-Za-z][\w:]*\?/
/** Queries that do something all the same: calibration and self-test. */
const ACTING_QUERY = /^\s*\*(?:CAL|TST)\?/i

/**
 * Looks at a message without its terminator.
 *
 * What counts as a query is told by its form only: a query like `READ?` that starts a measurement is one.
 */
export function kindOf(message: Uint8Array): MessageKind {
  const text = latin1(withoutBlocks(message))
  const units = unitsOf(text).filter((unit) => unit.trim() !== '')
  const asking = units.filter((unit) => withoutStrings(unit).includes('?'))
  return { queries: asking.length, changes: !isReadOnly(text, message) }
}

/**
 * Does it ask and nothing else, whichever way an instrument may read it? Quotes, blocks and control characters are
 * not given the benefit of the doubt: behind one that the instrument understands otherwise a command could hide.
 */
function isReadOnly(text: string, message: Uint8Array): boolean {
  // oxlint-disable-next-line no-control-regex -- what may end a message for some instrument
  if (text.length !== message.length || /[\x00-\x08\x0a-\x1f\x7f-\xff]/.test(text)) return false
  const units = text.split(';').filter((unit) => unit.trim() !== '')
  return units.length > 0 && units.every((unit) => QUERY_UNIT.test(unit) && !ACTING_QUERY.test(unit))
}

/** The parts between semicolons outside quotes. */
function unitsOf(text: string): string[] {
  return withoutStrings(text).split(';')
}

/** Empties what is between quotes; a quote that is not closed goes to the end. */
function withoutStrings(text: string): string {
  return text.replaceAll(/"[^"]*(?:"|$)|'[^']*(?:'|$)/g, '""')
}

/** The message with its binary blocks cut out. */
function withoutBlocks(message: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  let from = 0
  for (let at = 0; at < message.length; at += 1) {
    const block = message[at] === HASH && mayStandBefore(message[at - 1]) ? blockAt(message, at) : undefined
    if (typeof block !== 'object') continue
    parts.push(message.subarray(from, at))
    from = Math.min(block.end, message.length)
    at = from - 1
  }
  parts.push(message.subarray(from))
  return Buffer.concat(parts)
}

export const HASH = 0x23

/** A definite-length block follows a blank or a comma, or begins an answer. */
export function mayStandBefore(byte: number | undefined): boolean {
  return byte === undefined || byte === 0x20 || byte === 0x09 || byte === 0x2c || byte === 0x3b
}

/**
 * The definite-length block (`#` digits length data) that may begin at a `#`.
 *
 * @returns where its data begins and ends (which may be beyond what has come); 'more' when its head has not come
 *   whole; undefined when it is none
 */
export function blockAt(
  bytes: Uint8Array,
  hash: number,
): { start: number; end: number } | 'more' | undefined {
  const digits = digitOf(bytes[hash + 1])
  if (bytes.length <= hash + 1) return 'more'
  if (digits === undefined || digits === 0) return undefined
  let length = 0
  for (let n = 0; n < digits; n += 1) {
    const at = hash + 2 + n
    if (at >= bytes.length) return 'more'
    const digit = digitOf(bytes[at])
    if (digit === undefined) return undefined
    length = length * 10 + digit
  }
  const start = hash + 2 + digits
  return { start, end: start + length }
}

function digitOf(byte: number | undefined): number | undefined {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : undefined
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** Bytes as the ledger and messages show them: printable, clipped. */
export function shown(bytes: Uint8Array, most = 200): string {
  const text = latin1(bytes.subarray(0, most)).replaceAll(
    /[^\x20-\x7e]/g,
    (char) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[char] ?? `\\x${hex(char)}`,
  )
  return bytes.length > most ? `${text}… (${bytes.length} bytes)` : text
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, '0')
}
