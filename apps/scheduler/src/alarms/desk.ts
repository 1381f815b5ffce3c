import {
  type Calling,
  type Notification,
  type Now,
  type TellMemory,
  TOLD_NOTHING,
  makeTest,
  plan,
} from '@golem/alarms'
import type { NotifierConfig } from '@golem/config'
import { isoTime, messageOf } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

/** Under which names it is remembered what a notifier was told. */
const NAME = 'notifier:'
/** After a failure it is tried again after this time, each time twice as long, in ms. */
const FIRST_AGAIN_MS = 2_000
const LONGEST_AGAIN_MS = 60_000
/** After so many failures in a row others are told. */
const FAILING = 2

/** Hands a message over. @returns what is to be said of it all the same, or '' @throws why nobody got it */
export type Deliver = (
  notifier: NotifierConfig,
  notification: Notification,
  signal: AbortSignal,
) => Promise<string>

interface Stored {
  memory: TellMemory
  /** On its way: whoever leads sends it until it was taken, always under the same id. */
  outgoing: Notification | null
}

interface Slot extends Stored {
  config: NotifierConfig
  /** It stands in Redis, so it may be sent. */
  isPersisted: boolean
  isSending: boolean
  failures: number
  error: string
  /** Ends the wait before the next attempt. */
  hurry: () => void
}

export interface DeskOptions {
  title: string
  notifiers: readonly NotifierConfig[]
  log: Logger
  deliver: Deliver
  /** Something has to be written. */
  onDirty: () => void
}

/** Who is told of alarms: at least once, each message one after the other for each notifier. */
export class Desk {
  readonly #options: DeskOptions
  readonly #slots: readonly Slot[]
  readonly #dirty = new Set<string>()
  readonly #ended = new AbortController()
  #writes: SchedulerWrite[] = []

  constructor(options: DeskOptions) {
    this.#options = options
    this.#slots = options.notifiers.map((config) => ({
      config,
      memory: TOLD_NOTHING,
      outgoing: null,
      isPersisted: false,
      isSending: false,
      failures: 0,
      error: '',
      hurry: () => undefined,
    }))
  }

  /** Goes on where the leader before has left: what was not confirmed is sent again. */
  restore(remembered: ReadonlyMap<string, unknown>, now: Now): void {
    for (const slot of this.#slots) {
      const stored = remembered.get(`${NAME}${slot.config.name}`) as Stored | undefined
      if (!stored) continue
      // After a step of the clock back the leader before seems to have told in times to come.
      const told = Object.entries(stored.memory.told).map(
        ([id, one]) => [id, { ...one, at: Math.min(one.at, now.ms) }] as const,
      )
      slot.memory = { ...stored.memory, told: Object.fromEntries(told) }
      slot.outgoing = stored.outgoing
      slot.isPersisted = true
    }
    const names = new Set(this.#slots.map(({ config }) => `${NAME}${config.name}`))
    for (const name of remembered.keys()) {
      if (name.startsWith(NAME) && !names.has(name)) this.#writes.push({ op: 'remember', name, value: null })
    }
    this.confirmed()
  }

  /** Finds out who has to be told of what now. */
  plan(calling: readonly Calling[], now: Now): void {
    for (const slot of this.#slots) {
      const { config } = slot
      if (slot.outgoing) {
        if (calling.some((one) => isNewAndCritical(one, slot))) slot.hurry()
        continue
      }
      // That it fails is told by the others.
      const hears = calling.filter(({ record }) => record.id !== `notifier.${config.name}`)
      const { memory, notification } = plan(config, slot.memory, hears, now, {
        title: this.#options.title,
        makeId: randomUUID,
      })
      if (memory === slot.memory) continue
      slot.memory = memory
      slot.outgoing = notification
      slot.isPersisted = false
      this.#dirty.add(config.name)
    }
  }

  /** Why notifiers can't be told, by name; null: they can. */
  get errors(): ReadonlyMap<string, string | null> {
    return new Map(
      this.#slots.map(({ config, failures, error }) => [config.name, failures >= FAILING ? error : null]),
    )
  }

  /** What is to be written; it counts as written once `confirmed` is called. */
  drain(): SchedulerWrite[] {
    const writes = this.#writes
    this.#writes = []
    for (const slot of this.#slots) {
      if (!this.#dirty.has(slot.config.name)) continue
      const { memory, outgoing } = slot
      writes.push({ op: 'remember', name: `${NAME}${slot.config.name}`, value: { memory, outgoing } })
      slot.isPersisted = true
    }
    this.#dirty.clear()
    return writes
  }

  /** What was drained stands in Redis: messages may go out. */
  confirmed(): void {
    for (const slot of this.#slots) {
      if (slot.outgoing && slot.isPersisted && !slot.isSending) void this.#send(slot, slot.outgoing)
    }
  }

  /** Sends a test, once; the log says what came of it. */
  async test(name: string, by: string, now: Now): Promise<void> {
    const slot = this.#slots.find(({ config }) => config.name === name)
    if (!slot) return this.#say(`there is no notifier ${name} to be tested`, by)
    const head = { id: randomUUID(), notifier: name, at: isoTime(now.utc), title: this.#options.title }
    try {
      const remark = await this.#options.deliver(slot.config, makeTest(head, by), this.#ended.signal)
      slot.failures = 0
      this.#say(`${name} was tested, and has taken the message. ${remark}`.trim(), by)
    } catch (error) {
      this.#say(`${name} was tested, and failed: ${messageOf(error)}`, by)
    }
  }

  end(): void {
    this.#ended.abort()
  }

  async #send(slot: Slot, notification: Notification): Promise<void> {
    slot.isSending = true
    const { signal } = this.#ended
    const { name } = slot.config
    while (!signal.aborted) {
      try {
        const remark = await this.#options.deliver(slot.config, notification, signal)
        if (signal.aborted) return
        slot.outgoing = null
        slot.isSending = false
        slot.failures = 0
        this.#dirty.add(name)
        this.#say(`${name} was told: ${notification.subject}. ${remark}`.trim())
        return
      } catch (error) {
        if (signal.aborted) return
        slot.failures += 1
        slot.error = messageOf(error)
        this.#options.log.warn({ notifier: name, attempts: slot.failures }, slot.error)
        if (slot.failures === FAILING) this.#say(`${name} can't be told: ${slot.error}`)
        await this.#pause(slot)
      }
    }
  }

  async #pause(slot: Slot): Promise<void> {
    const wake = new AbortController()
    slot.hurry = () => wake.abort()
    const ms = Math.min(LONGEST_AGAIN_MS, FIRST_AGAIN_MS * 2 ** (slot.failures - 1))
    await sleep(ms, undefined, { signal: AbortSignal.any([wake.signal, this.#ended.signal]) }).catch(
      () => undefined,
    )
    slot.hurry = () => undefined
  }

  #say(message: string, by?: string): void {
    this.#writes.push({ op: 'event', kind: 'notify', message, ...(by === undefined ? {} : { by }) })
    this.#options.onDirty()
  }
}

/** Something critical that is not in the message on its way: that one had better arrive now. */
function isNewAndCritical({ record }: Calling, { memory, config }: Slot): boolean {
  return (
    record.severity === 'critical' &&
    record.acknowledged === null &&
    config.severities.includes('critical') &&
    memory.told[record.id]?.since !== record.since &&
    record.id !== `notifier.${config.name}`
  )
}
