import {
  type Address,
  type ErrorCode,
  GolemError,
  type LineDriver,
  type LineIo,
  messageOf,
  nameOf,
  type Readings,
} from '@golem/core'
import {
  type ChannelState,
  conclude,
  conversationGate,
  type Gate,
  introduce,
  introductionGate,
} from './conversation.ts'
import { inWords, MAX_LINE } from './line-framing.ts'
import { checkSame, type LineLimits, type LineSettings, settingsFor, widened } from './line-settings.ts'
import { LineWire } from './line-wire.ts'
import type { AttachOptions, Channel, Link, LinkOptions } from './link.ts'
import type { PortAddress } from './port.ts'
import { type Talk, Turns } from './turns.ts'

/** After these an answer may still come that nobody waits for. */
const OUT_OF_STEP: ReadonlySet<ErrorCode> = new Set(['REPLY_TIMEOUT', 'REPLY_MALFORMED'])

interface LineChannel extends ChannelState {
  readonly driver: LineDriver
  /** The opening of the port in which it was identified. */
  generation: number
  onReadings: ((readings: Readings) => void) | undefined
  /** A fault in the driver's own `unsolicited`, told to whoever comes next. */
  strayError: GolemError | undefined
}

/** A serial port or TCP connection with line-oriented instruments. */
export class LineLink implements Link {
  readonly #options: LinkOptions & { endpoint: PortAddress }
  readonly #where: string
  readonly #turns: Turns
  readonly #channels: LineChannel[] = []
  #wire: LineWire | undefined
  #settings: LineSettings | undefined
  #limits: LineLimits | undefined
  #talking: { talk: Talk; channel: LineChannel } | undefined

  constructor(options: LinkOptions & { endpoint: PortAddress }) {
    this.#options = options
    this.#where = nameOf(options.endpoint)
    this.#turns = new Turns(this.#where)
  }

  attach({ driver, endpoint, onReadings }: AttachOptions): Channel {
    if (driver.transport !== 'line') {
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} does not fit a model of transport "${driver.transport}": write the address that model needs.`,
      )
    }
    const wire = this.#wireFor(driver, endpoint)
    const channel: LineChannel = {
      driver,
      standing: 'unknown',
      generation: 0,
      onReadings,
      strayError: undefined,
    }
    this.#channels.push(channel)
    return {
      driver,
      run: (priority, conversation, options) =>
        this.#turns.take(priority, channel, async (talk) => {
          const gate = conversationGate(talk, this.#options.guard, options?.beforeSend)
          return this.#talk(wire, channel, talk, () =>
            (conversation as (io: LineIo) => ReturnType<typeof conversation>)(
              this.#ioFor(wire, channel, gate),
            ),
          )
        }),
    }
  }

  async close(reason: ErrorCode = 'INTERRUPTED'): Promise<void> {
    this.#turns.close(reason)
    await this.#wire?.end()
  }

  /** All instruments of a line share its settings, so the first one's are the line's. */
  #wireFor(driver: LineDriver, endpoint: Address): LineWire {
    const settings = settingsFor(driver, endpoint)
    if (this.#settings) checkSame(this.#where, endpoint, this.#settings, settings)
    this.#settings ??= settings
    const limits = widened(this.#limits, settings)
    this.#limits = limits
    this.#wire ??= new LineWire({
      address: this.#options.endpoint,
      where: this.#where,
      settings,
      usbDrivers: this.#options.usbDrivers,
      limits: () => this.#limits ?? limits,
      onStray: (line) => this.#onStray(line),
      onConnection: (up, message) => this.#options.onConnection?.(up, message),
    })
    return this.#wire
  }

  async #talk<T>(
    wire: LineWire,
    channel: LineChannel,
    talk: Talk,
    conversation: () => Promise<T>,
  ): Promise<T> {
    const { strayError } = channel
    channel.strayError = undefined
    if (strayError && talk.priority !== 'stop') throw strayError
    this.#talking = { talk, channel }
    wire.keep()
    const forget = talk.onOver(() => {
      channel.standing = 'unknown'
      wire.outOfStep = true
      this.#endOf(wire, talk)
    })
    try {
      await this.#getReady(wire, channel, talk)
      return await conversation()
    } catch (error) {
      const concluded = conclude(channel, talk, error)
      // Where nothing was asked, no answer can come late.
      if (talk.sent && OUT_OF_STEP.has(concluded.code)) wire.outOfStep = true
      throw concluded
    } finally {
      forget()
      this.#endOf(wire, talk)
    }
  }

  #endOf(wire: LineWire, talk: Talk): void {
    // An interrupted conversation that ends late must not end the one that has taken its place.
    if (this.#talking?.talk !== talk) return
    wire.release()
    this.#talking = undefined
  }

  /** Opens, drains, identifies and initialises, as far as each is needed. */
  async #getReady(wire: LineWire, channel: LineChannel, talk: Talk): Promise<void> {
    await talk.orOver(wire.open())
    if (talk.priority === 'stop') {
      if (wire.outOfStep) wire.listenAnew()
      return
    }
    const lost = wire.outOfStep && !wire.fresh
    if (wire.outOfStep) await this.#getInStep(wire, talk)
    if (channel.standing === 'ready' && channel.generation === wire.generation) return
    channel.generation = wire.generation
    const gate = introductionGate(talk, this.#options.guard)
    try {
      await introduce(channel, this.#ioFor(wire, channel, gate), this.#where, talk)
    } catch (error) {
      // A wrong identity may be a late answer to the question before; then the right one is still to come.
      wire.outOfStep = true
      throw error
    }
    // A late answer may have been taken for the identification's; then that one's is still to come.
    if (lost) await talk.sleep(channel.driver.link.quietMs)
  }

  async #getInStep(wire: LineWire, talk: Talk): Promise<void> {
    const { fresh } = wire
    if (await wire.drain(talk)) return
    if (!fresh) {
      await wire.close('it does not become quiet')
      await talk.orOver(wire.open())
      await wire.drain(talk)
    }
    // An instrument that talks without a pause is judged by its identification.
    wire.outOfStep = false
  }

  #ioFor(wire: LineWire, channel: LineChannel, gate: Gate): LineIo {
    const { talk, pass } = gate
    const { replyTimeoutMs } = channel.driver.link
    const failed = async (error: unknown): Promise<never> => {
      if (error instanceof GolemError && OUT_OF_STEP.has(error.code)) {
        wire.outOfStep = true
        channel.standing = 'unknown'
        if (error.code === 'REPLY_TIMEOUT') await wire.noteUnanswered()
      }
      throw error
    }
    const anything = (): boolean => true
    /** When something was sent that nothing has followed yet. */
    let sentAt: number | undefined
    const noteSent = (): void => {
      if (sentAt === undefined || wire.lastByteAt > sentAt) sentAt = performance.now()
    }
    // One that is sent something and then listened to is asked, too: in several short looks, each of which may be in vain.
    const unheard = async (error: unknown): Promise<never> => {
      const silent = sentAt !== undefined && wire.lastByteAt < sentAt
      if (silent && performance.now() - (sentAt ?? 0) >= replyTimeoutMs && isTimeOut(error)) {
        sentAt = undefined
        await wire.noteUnanswered()
      }
      throw error
    }
    // After a time-out inside a conversation its late answer must not become the next question's.
    const inStep = async (): Promise<void> => {
      talk.throwIfOver()
      if (!wire.outOfStep || talk.priority === 'stop') return
      if (await wire.drain(talk)) return
      throw new GolemError('REPLY_MALFORMED', `${this.#where} does not become quiet after a time-out.`)
    }
    const readyToAsk = async (): Promise<void> => {
      await inStep()
      if (talk.priority !== 'stop') await wire.gap(talk)
    }
    return {
      send: async (line) => {
        await readyToAsk()
        noteSent()
        await talk.orOver(wire.write(line, pass, { reply: false }))
      },
      ask: async (line, { timeoutMs = replyTimeoutMs, accept = anything } = {}) => {
        await readyToAsk()
        wire.forgetKept()
        return wire
          .nextLine(line, accept, timeoutMs, talk, () => wire.write(line, pass, { reply: true, timeoutMs }))
          .catch(failed)
      },
      expect: async ({ timeoutMs = replyTimeoutMs, accept = anything } = {}) => {
        await inStep()
        return wire.nextLine(undefined, accept, timeoutMs, talk).catch(unheard)
      },
      askBytes: async (bytes, options) => {
        await readyToAsk()
        wire.forgetKept()
        const limits = { timeoutMs: replyTimeoutMs, maxBytes: MAX_LINE, ...options }
        return wire.exchangeBytes(Buffer.from(bytes), limits, talk, pass).catch(failed)
      },
      sendBytes: async (bytes) => {
        talk.throwIfOver()
        noteSent()
        await talk.orOver(wire.writeBytes(Buffer.from(bytes), pass, { reply: false }))
      },
      sleep: (ms) => talk.sleep(ms),
    }
  }

  /** Offers a line to the instrument that has the line just now, then to the others. @returns whether one took it */
  #onStray(line: string): boolean {
    const speaking = this.#talking?.channel
    const others = this.#channels.filter((channel) => channel !== speaking)
    for (const channel of speaking ? [speaking, ...others] : others) {
      if (channel.standing === 'unknown') continue
      let readings: Readings | undefined
      try {
        readings = channel.driver.unsolicited?.(line)
      } catch (error) {
        channel.strayError = new GolemError(
          'INTERNAL',
          `The driver failed on the line ${inWords(line)}: ${messageOf(error)}`,
          { cause: error },
        )
        return true
      }
      if (!readings) continue
      channel.onReadings?.(readings)
      return true
    }
    return false
  }
}

function isTimeOut(error: unknown): boolean {
  return error instanceof GolemError && error.code === 'REPLY_TIMEOUT'
}
