import { type ErrorCode, ERRORS, GolemError, messageOf } from '@golem/core'
import type { WireError } from './messages.ts'

/** An error as it goes to the other thread, as it is. */
export function plainError(error: unknown): WireError {
  const code = codeOf(error) ?? 'INTERNAL'
  const { details } = error as { details?: Record<string, unknown> }
  return { code, message: messageOf(error), ...(isPlain(details) ? { details } : {}) }
}

/**
 * An error of a driver as it goes to the main thread. What has a code of golem keeps it; anything else is a fault in
 * the file, and says where.
 *
 * @param name - of the file
 * @param doing - the function it happened in, e.g. `readAll`
 * @param url - under which the file was imported
 */
export function driverError(error: unknown, name: string, doing: string, url: string): WireError {
  if (codeOf(error) !== undefined) return plainError(error)
  return {
    code: 'INTERNAL',
    message: `${name}: ${doing} failed: ${inOneLine(error, url)}${placeOf(error, name)}`,
  }
}

/** An error from the other thread. */
export function revived({ code, message, details }: WireError): GolemError {
  return new GolemError(code, message, details === undefined ? {} : { details })
}

/** A thrown thing in one line, without the text of the whole file, which some errors of Node carry as a URL. */
export function inOneLine(error: unknown, url: string): string {
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
  const text = error instanceof Error ? error.message : `${typeof error} ${String(error)} was thrown`
  const line = `${name}${text}`.replaceAll(url, 'this file').replaceAll(/\s*\n\s*/g, ' ')
  return line.length > 500 ? `${line.slice(0, 500)}...` : line.replace(/\.$/, '')
}

/** ` (line 12)`, or an end of the sentence when nobody knows where. @param name - of the file, e.g. `drivers/oven.ts` */
export function placeOf(error: unknown, name: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const mark = `golem:${name}:`
  const at = stack.indexOf(mark)
  const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + mark.length))?.[0]
  return line === undefined ? '.' : ` (line ${line}).`
}

/** Errors of the driver's golem and of this one are of different classes, so only the code counts. */
function codeOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.name !== 'GolemError') return undefined
  const { code } = error
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
}

/** Can it be handed over? Only what is JSON is. */
function isPlain(details: unknown): details is Record<string, unknown> {
  if (typeof details !== 'object' || details === null || Object.keys(details).length === 0) return false
  try {
    JSON.stringify(details)
    structuredClone(details)
    return true
  } catch {
    // Particulars are an extra; the message says what happened.
    return false
  }
}
