import type { Driver } from '@golem/core'
import {
  type ChannelState,
  conclude,
  conversationGate,
  type Gate,
  introduce,
  introductionGate,
} from './conversation.ts'
import type { Channel } from './link.ts'
import type { Talk, Turns } from './turns.ts'

export interface ExchangeChannelOptions<Io> {
  driver: Driver
  /** The instrument's address, for messages. */
  where: string
  /** The link's: one conversation at a time. */
  turns: Turns
  guard: () => void
  /** What the driver sees in one conversation; its exchanges pass the gate before bytes go out. */
  ioFor: (gate: Gate, state: ChannelState) => Io
  /**
   * Makes the connection ready before anything else, also for a stop; sets `state.standing` to unknown when it is
   * another one than before. Absent: each exchange makes its own.
   *
   * @throws LINK_DOWN
   */
  prepare?: (talk: Talk, state: ChannelState) => Promise<void>
  /** Told when a conversation was cut off, or ended in a way that leaves the connection out of step. */
  onBroken?: (state: ChannelState) => void
}

/**
 * An instrument on a link whose answers belong to their questions by themselves (HTTP, Modbus, reports): turn,
 * connection, identification, conversation, and what its end means for the next one.
 */
export function exchangeChannel<Io>(options: ExchangeChannelOptions<Io>): Channel {
  const { driver, where, turns, guard, ioFor, prepare, onBroken } = options
  const state: ChannelState = { driver, standing: 'unknown' }
  return {
    driver,
    run: (priority, conversation, { beforeSend } = {}) =>
      turns.take(priority, state, async (talk) => {
        const forget = talk.onOver(() => {
          state.standing = 'unknown'
          onBroken?.(state)
        })
        try {
          if (prepare) await talk.orOver(prepare(talk, state))
          if (priority !== 'stop' && state.standing !== 'ready') {
            await introduce(state, ioFor(introductionGate(talk, guard), state), where, talk)
          }
          const io = ioFor(conversationGate(talk, guard, beforeSend), state)
          return await (conversation as (io: Io) => ReturnType<typeof conversation>)(io)
        } catch (error) {
          const concluded = conclude(state, talk, error)
          if (state.standing === 'unknown') onBroken?.(state)
          throw concluded
        } finally {
          forget()
        }
      }),
  }
}
