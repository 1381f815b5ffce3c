import { asGolemError, type Driver, type ErrorCode, GolemError } from '@golem/core'
import type { Talk } from './turns.ts'

/** What a link remembers of one instrument. */
export interface ChannelState {
  readonly driver: Driver
  /** unknown: has to be identified before the next conversation. */
  standing: 'unknown' | 'identified' | 'ready'
}

/** What is done directly before bytes go out. */
export interface Gate {
  readonly talk: Talk
  /** Checks that this process may send and this conversation is not over. @throws LEASE_LOST and others */
  pass: () => void
}

/** After these the instrument may be another one, or out of step: identify it again. */
const IDENTIFY_AFTER: ReadonlySet<ErrorCode> = new Set([
  'LINK_DOWN',
  'LINK_LOST',
  'REPLY_TIMEOUT',
  'REPLY_MALFORMED',
  'INTERRUPTED',
  'INTERNAL',
])

/** These say "nothing was sent" in identification too; everything else becomes LINK_DOWN there. */
const NOT_SENT: ReadonlySet<ErrorCode> = new Set([
  'LINK_DOWN',
  'WRONG_INSTRUMENT',
  'LEASE_LOST',
  'STOPPED',
  'WORKER_STOPPING',
])

/** The gate of identification: bytes that go out there are not the conversation's. */
export function introductionGate(talk: Talk, guard: () => void): Gate {
  return {
    talk,
    pass: () => {
      talk.throwIfOver()
      try {
        guard()
      } catch (error) {
        talk.end(error)
        throw error
      }
    },
  }
}

/** The gate of the conversation itself; whatever `guard` or `beforeSend` throws is the conversation's end. */
export function conversationGate(talk: Talk, guard: () => void, beforeSend: (() => void) | undefined): Gate {
  return {
    talk,
    pass: () => {
      talk.throwIfOver()
      try {
        guard()
        if (!talk.sent) beforeSend?.()
      } catch (error) {
        talk.end(talk.sent ? interruptedBy(error) : error)
        talk.throwIfOver()
      }
      talk.sent = true
    },
  }
}

/** The lease went in the middle of a conversation: its error says "none", but something has been sent. */
function interruptedBy(error: unknown): GolemError {
  const { message } = asGolemError(error)
  return new GolemError('INTERRUPTED', `Interrupted after something was sent: ${message}`, { cause: error })
}

/**
 * Identifies and initialises.
 *
 * @throws LINK_DOWN or WRONG_INSTRUMENT, whatever went wrong: nothing of the conversation has been sent
 */
export async function introduce<Io>(channel: ChannelState, io: Io, where: string, talk: Talk): Promise<void> {
  const driver = channel.driver as {
    identify: (io: Io) => Promise<void>
    initialise?: (io: Io) => Promise<void>
  }
  try {
    channel.standing = 'unknown'
    await driver.identify(io)
    talk.throwIfOver()
    channel.standing = 'identified'
    await driver.initialise?.(io)
    talk.throwIfOver()
    channel.standing = 'ready'
  } catch (error) {
    const doing = channel.standing === 'unknown' ? 'identified' : 'initialised'
    channel.standing = 'unknown'
    const known = asGolemError(error)
    if (NOT_SENT.has(known.code)) throw known
    throw new GolemError('LINK_DOWN', `The instrument at ${where} could not be ${doing}: ${known.message}`, {
      cause: error,
    })
  }
}

/**
 * The error of a conversation as its caller gets it, and what it means for the channel.
 *
 * @returns LINK_LOST in place of a LINK_DOWN when something had been sent, and the other way round when
 *   nothing had
 */
export function conclude(channel: ChannelState, talk: Talk, error: unknown): GolemError {
  const known = asGolemError(error)
  if (IDENTIFY_AFTER.has(known.code)) channel.standing = 'unknown'
  if (known.code === 'LINK_DOWN' && talk.sent) {
    return new GolemError('LINK_LOST', `${known.message} Something had been sent before.`, { cause: error })
  }
  if (known.code === 'LINK_LOST' && !talk.sent) {
    return new GolemError('LINK_DOWN', `${known.message} Nothing had been sent.`, { cause: error })
  }
  return known
}
