import { asGolemError, DEFAULT_VALID_FOR_MS, type ErrorCode, GolemError } from '@golem/core'
import type { PortOptions } from './port.ts'

/**
 * Not identified: what came may have been the late answer to somebody else's question, for which this client is not to
 * suffer. Its own message has not been sent.
 */
const ONCE_MORE: ReadonlySet<ErrorCode> = new Set(['WRONG_INSTRUMENT', 'LINK_DOWN'])

/** What a client wants of the instrument. */
export interface Errand<Answer> {
  /** Who wants it, as the ledger has it. */
  by: string
  /** Printable and clipped. */
  text: string
  /** It may change something. */
  changes: boolean
  /** Has the client gone? */
  isOver: () => boolean
  /** Has it carried to the instrument. @param beforeSend - called directly before the bytes; throws when they must not */
  exchange: (beforeSend: () => void) => Promise<Answer>
  /** The answer as the ledger is to have it; undefined: there is none. */
  tell: (answer: Answer) => Buffer | undefined
}

/**
 * Carries one message of a client to the instrument when it is its turn, and tells of it.
 *
 * @returns the answer, or why there is none; does not throw
 */
export async function carryOut<Answer>(
  port: Pick<PortOptions, 'readOnly' | 'mayCommand' | 'turnstile' | 'onExchange'>,
  { by, text, changes, isOver, exchange, tell }: Errand<Answer>,
): Promise<{ answer: Answer } | { error: GolemError; sent: boolean }> {
  const startedAt = Date.now()
  const latest = performance.now() + DEFAULT_VALID_FOR_MS
  let sent = false
  const mayGo = (): void => {
    if (port.readOnly && changes) {
      throw new GolemError('NOT_ALLOWED', 'This port is for reading only; nothing was sent.')
    }
    port.mayCommand?.(by, changes)
    if (performance.now() > latest) {
      throw new GolemError('COMMAND_EXPIRED', 'It waited too long for its turn; nothing was sent.')
    }
  }
  const all = { by, text, changes, startedAt }
  try {
    mayGo()
    const answer = await port.turnstile.pass(() => {
      // Whoever has been cut off does not wait for an answer, and may believe that nothing was sent.
      if (isOver()) throw new GolemError('COMMAND_CANCELLED', 'The client has gone; nothing was sent.')
      const once = (): Promise<Answer> =>
        exchange(() => {
          mayGo()
          sent = true
        })
      return once().catch((error: unknown) => {
        if (sent || !ONCE_MORE.has(asGolemError(error).code)) throw error
        return once()
      })
    })
    const told = tell(answer)
    port.onExchange?.({ ...all, sent, ...(told === undefined ? {} : { answer: told }) })
    return { answer }
  } catch (error) {
    const known = asGolemError(error)
    port.onExchange?.({ ...all, sent, error: known })
    return { error: known, sent }
  }
}
