import { type ErrorCode, GolemError, type HidAddress, type HidIo, messageOf, nameOf } from '@golem/core'
import type { ChannelState, Gate } from './conversation.ts'
import { type DeviceFile, type DeviceFileEvents, openDeviceFile } from './device-file.ts'
import { exchangeChannel } from './exchange-channel.ts'
import { findHid } from './hid-find.ts'
import type { AttachOptions, Channel, Link, LinkOptions } from './link.ts'
import { type Talk, Turns } from './turns.ts'

/** How long a device has to be silent after a lost answer to be in step again, in ms. */
const QUIET_MS = 200
/** How long that is tried before the device is opened anew, in ms. */
const RESTLESS_MS = 2000

/** Who waits for the next report. */
interface Waiter {
  resolve: (report: Uint8Array) => void
  reject: (error: GolemError) => void
}

/** A USB HID device: one report out, one report in. */
export class HidLink implements Link {
  readonly #options: LinkOptions & { endpoint: HidAddress }
  readonly #where: string
  readonly #turns: Turns
  #file: DeviceFile | undefined
  #opening: Promise<void> | undefined
  #ended = false
  #down = false
  /** Grows each time the device is opened: what was known of it before is void. */
  #generation = 0
  readonly #known = new WeakMap<ChannelState, number>()
  #lastReportAt = -Infinity
  /** An answer may still come that nobody waits for. */
  #outOfStep = false
  #waiter: Waiter | undefined

  constructor(options: LinkOptions & { endpoint: HidAddress }) {
    this.#options = options
    this.#where = nameOf(options.endpoint)
    this.#turns = new Turns(this.#where)
  }

  attach({ driver, endpoint }: AttachOptions): Channel {
    if (driver.transport !== 'hid') {
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} does not fit a model of transport "${driver.transport}": write the address that model needs.`,
      )
    }
    const { reportBytes, replyTimeoutMs } = driver.link
    return exchangeChannel<HidIo>({
      driver,
      where: this.#where,
      turns: this.#turns,
      guard: this.#options.guard,
      prepare: (talk, state) => this.#prepare(talk, state),
      onBroken: () => {
        this.#outOfStep = true
      },
      ioFor: (gate) => ({
        send: (report) => this.#send(report, reportBytes, gate),
        ask: (report, { timeoutMs = replyTimeoutMs } = {}) => this.#ask(report, reportBytes, timeoutMs, gate),
        sleep: (ms) => gate.talk.sleep(ms),
      }),
    })
  }

  async close(reason: ErrorCode = 'INTERRUPTED'): Promise<void> {
    this.#ended = true
    this.#turns.close(reason)
    // One that is being opened just now is closed there.
    await this.#opening?.catch(() => undefined)
    await this.#giveUp('the link was closed')
  }

  async #prepare(talk: Talk, state: ChannelState): Promise<void> {
    if (!this.#file?.isOpen) {
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined
      })
      await this.#opening
    }
    // A stop has no time to wait until it is quiet.
    if (this.#outOfStep && talk.priority !== 'stop') await this.#getInStep(talk)
    if (this.#known.get(state) !== this.#generation) state.standing = 'unknown'
    this.#known.set(state, this.#generation)
  }

  async #open(): Promise<void> {
    let current: DeviceFile | undefined
    const isCurrent = (): boolean => current !== undefined && this.#file === current
    const events: DeviceFileEvents = {
      onData: (report) => {
        if (!isCurrent()) return
        this.#lastReportAt = performance.now()
        const waiter = this.#waiter
        this.#waiter = undefined
        waiter?.resolve(report)
      },
      onLost: (why) => {
        if (!isCurrent()) return
        this.#file = undefined
        this.#fail(why)
        this.#tell(false, `The connection to ${this.#where} was lost: ${why}.`)
      },
    }
    try {
      const path = findHid(this.#options.endpoint)
      current = await openDeviceFile('hid', path, events, this.#options.usbDrivers)
    } catch (error) {
      this.#tell(false, `${this.#where} can't be opened: ${messageOf(error)}.`)
      throw new GolemError('LINK_DOWN', `${this.#where} can't be opened: ${messageOf(error)}.`, {
        cause: error,
      })
    }
    if (this.#ended) {
      await current.close()
      throw new GolemError('LINK_DOWN', `${this.#where} is not open: the link was closed.`)
    }
    this.#file = current
    this.#generation += 1
    this.#outOfStep = false
    this.#tell(true, `The connection to ${this.#where} is back.`)
  }

  async #getInStep(talk: Talk): Promise<void> {
    const startedAt = performance.now()
    for (;;) {
      const quietFor = performance.now() - Math.max(startedAt, this.#lastReportAt)
      if (quietFor >= QUIET_MS) break
      if (performance.now() - startedAt > RESTLESS_MS) {
        await this.#giveUp('it does not become quiet')
        throw new GolemError(
          'LINK_DOWN',
          `${this.#where} sends reports without a pause: nothing was sent to it.`,
        )
      }
      await talk.sleep(QUIET_MS - quietFor)
    }
    this.#outOfStep = false
  }

  async #send(report: Uint8Array, reportBytes: number, { talk, pass }: Gate): Promise<void> {
    if (report.length !== reportBytes) {
      throw new GolemError(
        'INTERNAL',
        `A report to ${this.#where} has ${report.length} bytes, not ${reportBytes}: nothing was sent.`,
      )
    }
    const file = this.#file
    if (!file?.isOpen) throw new GolemError('LINK_DOWN', `${this.#where} is not open: nothing was sent.`)
    pass()
    try {
      await talk.orOver(file.write(report, { reply: false, timeoutMs: 0 }))
    } catch (error) {
      talk.throwIfOver()
      throw new GolemError('LINK_LOST', `Writing to ${this.#where} failed: ${messageOf(error)}.`, {
        cause: error,
      })
    }
  }

  async #ask(report: Uint8Array, reportBytes: number, timeoutMs: number, gate: Gate): Promise<Uint8Array> {
    const { talk } = gate
    talk.throwIfOver()
    if (this.#outOfStep && talk.priority !== 'stop') await this.#getInStep(talk)
    let timer: NodeJS.Timeout | undefined
    let mine: Waiter | undefined
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      mine = { resolve, reject }
    })
    // It may fail (the device is lost) while the report is still being written.
    answer.catch(() => undefined)
    // A report that has come before the question can't be its answer: from now on the next one counts.
    this.#waiter = mine
    try {
      await this.#send(report, reportBytes, gate)
      timer = setTimeout(() => {
        this.#outOfStep = true
        mine?.reject(new GolemError('REPLY_TIMEOUT', `${this.#where}: no answer within ${timeoutMs} ms.`))
      }, timeoutMs)
      const got = await talk.orOver(answer)
      if (got.length === reportBytes) return got
      throw new GolemError(
        'REPLY_MALFORMED',
        `${this.#where} answered with a report of ${got.length} bytes, not ${reportBytes}.`,
      )
    } finally {
      clearTimeout(timer)
      if (this.#waiter === mine) this.#waiter = undefined
    }
  }

  async #giveUp(why: string): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#fail(why)
    await file?.close()
  }

  #fail(why: string): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    waiter?.reject(new GolemError('LINK_LOST', `${this.#where} was lost: ${why}.`))
  }

  #tell(up: boolean, message: string): void {
    if (up !== this.#down) return
    this.#down = !up
    this.#options.onConnection?.(up, message)
  }
}
