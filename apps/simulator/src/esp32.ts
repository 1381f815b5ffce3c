import { type BoardReply, type BoardRequest, plain } from './board-reply.ts'

/** What a sensor field reads when the sensor is not there or does not answer. */
export const NO_VALUE = -255

/** The request buffer of both boards: a body of this length or more writes past it. */
const BUFFER_BYTES = 100

/**
 * The part of a body that the boards parse: they read it in pieces of 100 bytes into one buffer and keep the
 * last piece only.
 */
export function parsedPiece(body: string): { text: string; overrun: boolean } {
  const bytes = Buffer.from(body)
  if (bytes.length < BUFFER_BYTES) return { text: body, overrun: false }
  const begin = Math.floor((bytes.length - 1) / BUFFER_BYTES) * BUFFER_BYTES
  return { text: bytes.subarray(begin).toString(), overrun: true }
}

/** The body as a JSON object; a JSON value of another kind has no fields; undefined: not JSON. */
export function parseJsonBody(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** JSON as these boards print it: a tab before each name and after each colon. */
export function tabbedJson(fields: readonly (readonly [string, number | string])[]): string {
  const lines = fields.map(([name, value]) => `\t"${name}":\t${JSON.stringify(value)}`)
  return `{\n${lines.join(',\n')}\n}`
}

/** A number as it leaves the boards: a 32-bit float printed as a double with 15 digits. */
export function float32(value: number): number {
  return Number(Math.fround(value).toPrecision(15))
}

/** A JSON number as the firmware's 32-bit integer: cut, and held at the ends of the range. */
export function toInteger(value: number): number {
  return Math.trunc(Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), value))) | 0
}

/** POST /reset, the same on both boards. */
export function resetReply(request: BoardRequest, act: boolean): BoardReply {
  const { text, overrun } = parsedPiece(request.body)
  if (text !== 'force_reset' || overrun) {
    return plain('User have sent incorrect reset command, so no rebooting\n', { clientFault: overrun })
  }
  const reply = plain('User have sent force reset command, so rebooting\n')
  return act ? { ...reply, acted: true, rebootAfterMs: 1000 } : reply
}

/**
 * What the web server of the boards says to a path or method it does not know. Known paths are given with
 * their method.
 */
export function unknownRequest(
  request: BoardRequest,
  known: Readonly<Record<string, string>>,
): BoardReply | null {
  const method = Object.hasOwn(known, request.path) ? known[request.path] : undefined
  if (method === undefined) {
    return plain('Nothing matches the given URI', { status: 404, close: true, clientFault: true })
  }
  if (method !== request.method) {
    return plain('Specified method is invalid for this resource', {
      status: 405,
      close: true,
      clientFault: true,
    })
  }
  return null
}
