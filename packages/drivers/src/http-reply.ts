import { GolemError, type HttpReply } from '@golem/core'

/** A reply's text as messages show it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}

/**
 * The text of a reply that has to have HTTP status 200.
 *
 * @param what - what was asked, for the message
 * @throws REPLY_MALFORMED for another status; LINK_DOWN for 401 and 403
 */
export function textOf(reply: HttpReply, what: string): string {
  if (reply.status === 401 || reply.status === 403) {
    throw new GolemError(
      'LINK_DOWN',
      `${what}: the board asks for a user and password, or does not take these (HTTP ${reply.status}). Check "auth" of this instrument in site.yaml.`,
    )
  }
  if (reply.status !== 200) {
    throw new GolemError(
      'REPLY_MALFORMED',
      `${what}: the board answered HTTP ${reply.status} with ${shown(reply.text)}, which its protocol does not have.`,
    )
  }
  return reply.text
}

/**
 * The JSON object in a text.
 *
 * @throws REPLY_MALFORMED when it is something else
 */
export function jsonObject(text: string, what: string): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new GolemError('REPLY_MALFORMED', `${what}: the answer ${shown(text)} is not JSON.`, {
      cause: error,
    })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new GolemError('REPLY_MALFORMED', `${what}: the answer ${shown(text)} is not a JSON object.`)
  }
  return parsed as Readonly<Record<string, unknown>>
}

/**
 * A number of a JSON object.
 *
 * @param limits - what it may be, ends included; `whole`: only whole numbers
 * @throws REPLY_MALFORMED
 */
export function numberField(
  object: Readonly<Record<string, unknown>>,
  name: string,
  what: string,
  limits: { min?: number; max?: number; whole?: boolean } = {},
): number {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  const { min = -Infinity, max = Infinity, whole = false } = limits
  if (
    typeof value !== 'number' ||
    !Number.isFinite(value) ||
    value < min ||
    value > max ||
    (whole && !Number.isInteger(value))
  ) {
    throw new GolemError(
      'REPLY_MALFORMED',
      `${what}: "${name}" is ${value === undefined ? 'missing' : shown(JSON.stringify(value))}, not a ${whole ? 'whole ' : ''}number${inRange(limits)}.`,
    )
  }
  return value
}

function inRange({ min, max }: { min?: number; max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  return min === undefined ? '' : ` of at least ${min}`
}

/**
 * Turns a reply that can't be understood into WRONG_INSTRUMENT, for `identify`. Other errors stay.
 *
 * @param expected - what should be there, e.g. `an ESP32 relay board`
 */
export async function identifyBy(expected: string, read: () => Promise<unknown>): Promise<void> {
  try {
    await read()
  } catch (error) {
    if (!(error instanceof GolemError) || error.code !== 'REPLY_MALFORMED') throw error
    throw new GolemError('WRONG_INSTRUMENT', `This is not ${expected}: ${error.message}`, { cause: error })
  }
}
