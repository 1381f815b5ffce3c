import { GolemError, type LineIo } from '@golem/core'
import type { RawErrorQueue } from './line-schema.ts'
import { readPattern } from './patterns.ts'
import { type LineContext, ms } from './question.ts'
import { parseNumber, unquoted } from './values.ts'

/**
 * `-222,"Data out of range"`, and Siglent's `0  No Error`. No value looks like that, so that a late answer to something
 * else is not taken for an error.
 */
const USUAL = String.raw`^\s*(?<code>[+-]?\d{1,6})\s*(?:,\s*(?=")|,?\s+(?=[A-Za-z]))(?<text>.*)$`
const DEFAULT_MOST = 20

/** The error queue of an instrument. */
export interface ErrorQueue {
  /**
   * Fetches errors until there is none.
   *
   * @returns their texts, oldest first
   */
  drain: (io: LineIo) => Promise<string[]>
  /** @throws INSTRUMENT_REFUSED with the errors that are in it */
  check: (io: LineIo, what: string) => Promise<void>
}

/** Compiles `errors:`. */
export function readErrorQueue(raw: RawErrorQueue, { report }: LineContext): ErrorQueue {
  const pattern = readPattern(raw.pattern ?? USUAL, ['errors', 'pattern'], report)
  if (pattern && !pattern.groups.includes('code')) {
    report(['errors', 'pattern'], 'The pattern needs a group "code": (?<code>…).')
  }
  const regex = pattern?.regex ?? /^/
  const most = raw.most ?? DEFAULT_MOST
  const timeoutMs = ms(raw.timeout)
  const options = {
    accept: (line: string) => regex.test(line),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  const drain = async (io: LineIo): Promise<string[]> => {
    const errors: string[] = []
    while (errors.length < most) {
      const { code = '', text = '' } = regex.exec(await io.ask(raw.ask, options))?.groups ?? {}
      if (parseNumber(code) === 0) break
      errors.push(`${code} ${unquoted(text.trim())}`.trim())
    }
    return errors
  }
  return {
    drain,
    check: async (io, what) => {
      const errors = await drain(io)
      if (errors.length === 0) return
      throw new GolemError('INSTRUMENT_REFUSED', `The instrument refused ${what}: ${errors.join('; ')}.`)
    },
  }
}
