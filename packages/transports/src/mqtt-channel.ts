import {
  fullTopic,
  GolemError,
  messageOf,
  type MqttDriver,
  type MqttMessage,
  type Readings,
} from '@golem/core'
import { passes, topicOfDriver } from './mqtt-topic.ts'

/** A longer message is taken for a fault, in bytes. */
const MAX_PAYLOAD = 1024 * 1024
/** Of so many topics the newest message is kept; the one that has been silent for longest goes first. */
const MAX_TOPICS = 1000
/** So many messages since a command was published are looked through for its confirmation. */
const MAX_RECENT = 100

interface Waiting {
  topic: string
  accept: (payload: string) => boolean
  resolve: (payload: string) => void
  reject: (error: unknown) => void
}

/** What is known of one device behind a broker from the messages it sends. */
export class MqttChannel {
  readonly driver: MqttDriver
  /** The topic of the instrument's address. */
  readonly base: string
  /** What is asked of the broker for it. */
  readonly filters: readonly string[]
  readonly #own: readonly { filter: string; full: string }[]
  readonly #where: string
  readonly #onReadings: ((readings: Readings) => void) | undefined
  readonly #latest = new Map<string, MqttMessage>()
  readonly #kept = new Map<string, string>()
  readonly #waiting = new Set<Waiting>()
  /** Since the broker has taken what was published last. */
  #recent: { topic: string; payload: string }[] = []
  /** Between publishing and that: most likely sent before the device had the command. */
  #early: { topic: string; payload: string }[] = []
  /** What its last will, or its greeting, says. */
  #there: boolean | undefined
  /** When it was last heard, or else listened for, by the monotonic clock. */
  #quietSince = performance.now()
  /** A fault in a message or in the driver, told to the next poll. */
  #trouble: GolemError | undefined

  constructor(
    driver: MqttDriver,
    base: string,
    where: string,
    onReadings: ((readings: Readings) => void) | undefined,
  ) {
    this.driver = driver
    this.base = base
    this.#where = where
    this.#onReadings = onReadings
    this.#own = driver.subscriptions.map((filter) => ({ filter, full: fullTopic(base, filter) }))
    const filters = this.#own.map(({ full }) => full)
    const availability = this.#availabilityTopic
    this.filters = [...new Set(availability === undefined ? filters : [availability, ...filters])]
  }

  /** The broker has been asked for its messages. */
  listening(): void {
    this.#quietSince = performance.now()
  }

  /** The broker is gone: what it told may not hold any more. */
  lost(error: GolemError): void {
    this.#there = undefined
    this.#latest.clear()
    this.#kept.clear()
    for (const { reject } of this.#waiting) reject(error)
  }

  /**
   * Can something be asked of it?
   *
   * @throws LINK_DOWN when it has said good-bye, or has been silent for too long
   */
  checkThere(): void {
    if (this.#there === false) {
      throw new GolemError('LINK_DOWN', `The device at ${this.#where} has said good-bye (last will).`)
    }
    const silent = this.#silence()
    if (silent !== undefined) throw new GolemError('LINK_DOWN', silent)
  }

  /**
   * Is what was read of it still so?
   *
   * @throws LINK_DOWN when it has said good-bye; REPLY_TIMEOUT when it has been silent for too long; REPLY_MALFORMED or
   *   INTERNAL for a message since the last poll
   */
  checkHeard(): void {
    const trouble = this.#trouble
    this.#trouble = undefined
    if (trouble) throw trouble
    if (this.#there === false) this.checkThere()
    const silent = this.#silence()
    if (silent !== undefined) throw new GolemError('REPLY_TIMEOUT', silent)
  }

  /** A message of the broker, on any topic. */
  take(topic: string, payload: Buffer, retained: boolean): void {
    const ofAvailability = topic === this.#availabilityTopic
    const own = this.#own.find(({ full }) => passes(full, topic))
    if (!own && !ofAvailability) return
    if (!retained) this.#quietSince = performance.now()
    if (payload.length > MAX_PAYLOAD) {
      this.#trouble = new GolemError(
        'REPLY_MALFORMED',
        `${topic} at ${this.#where} brought ${payload.length} bytes, more than ${MAX_PAYLOAD}.`,
      )
      return
    }
    const text = payload.toString('utf8')
    if (ofAvailability) this.#takeAvailability(text)
    if (own) this.#takeOwn(topicOfDriver(this.base, own.filter, topic), text, retained)
  }

  latest(topic: string): MqttMessage | undefined {
    return this.#latest.get(topic)
  }

  /** From now on messages may be confirmations of what is published next. */
  publishing(): void {
    this.#recent = []
    this.#early = []
  }

  /** The broker has taken what was published. */
  taken(): void {
    this.#early = this.#recent
    this.#recent = []
  }

  /** @see MqttIo.expect @throws REPLY_TIMEOUT, and what `lost` was told */
  expect(topic: string, timeoutMs: number, accept: (payload: string) => boolean): Promise<string> {
    const before = this.#recent.find((one) => one.topic === topic && accept(one.payload))
    if (before) return Promise.resolve(before.payload)
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
      }
      const waiting: Waiting = {
        topic,
        accept,
        resolve: (payload) => {
          end()
          resolve(payload)
        },
        reject: (error) => {
          end()
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        // A broker may pass an answer on before it acknowledges the question; when nothing else came, it was one.
        const early = this.#early.findLast((one) => one.topic === topic)
        if (early && accept(early.payload)) {
          waiting.resolve(early.payload)
          return
        }
        waiting.reject(
          new GolemError(
            'REPLY_TIMEOUT',
            `${fullTopic(this.base, topic)} brought no answer within ${timeoutMs} ms.`,
          ),
        )
      }, timeoutMs)
      this.#waiting.add(waiting)
    })
  }

  get #availabilityTopic(): string | undefined {
    const { availability } = this.driver
    return availability && fullTopic(this.base, availability.topic)
  }

  #silence(): string | undefined {
    const { silenceMs } = this.driver
    const forMs = performance.now() - this.#quietSince
    if (silenceMs === undefined || forMs <= silenceMs) return undefined
    return `Nothing has been heard of ${this.#where} for ${Math.round(forMs / 1000)} s.`
  }

  #takeAvailability(text: string): void {
    const { availability } = this.driver
    const word = stateIn(text)
    if (!availability || (word !== availability.online && word !== availability.offline)) return
    this.#there = word === availability.online
    if (!this.#there) return
    this.#onReadings?.({})
    for (const [topic, payload] of this.#kept) this.#tellDriver(topic, payload, true)
    this.#kept.clear()
  }

  #takeOwn(topic: string, payload: string, retained: boolean): void {
    this.#latest.delete(topic)
    this.#latest.set(topic, { payload, at: performance.now(), retained })
    const [oldest] = this.#latest.keys()
    if (this.#latest.size > MAX_TOPICS && oldest !== undefined) this.#latest.delete(oldest)
    if (retained) {
      // What the broker has kept of a device that is gone is no reading.
      if (this.driver.availability && this.#there !== true) this.#kept.set(topic, payload)
      else this.#tellDriver(topic, payload, true)
      return
    }
    this.#kept.delete(topic)
    if (this.#recent.length < MAX_RECENT) this.#recent.push({ topic, payload })
    for (const waiting of this.#waiting) {
      if (waiting.topic !== topic) continue
      try {
        if (waiting.accept(payload)) waiting.resolve(payload)
      } catch (error) {
        waiting.reject(error)
      }
    }
    this.#tellDriver(topic, payload, false)
  }

  #tellDriver(topic: string, payload: string, retained: boolean): void {
    try {
      const readings = this.driver.onMessage(topic, payload, retained)
      if (readings) this.#onReadings?.(readings)
    } catch (error) {
      const shown = JSON.stringify(payload.length > 80 ? `${payload.slice(0, 80)}…` : payload)
      this.#trouble =
        error instanceof GolemError
          ? error
          : new GolemError('INTERNAL', `The driver failed on ${topic} ${shown}: ${messageOf(error)}`, {
              cause: error,
            })
    }
  }
}

/** The word of an availability message: the text, or `state` of a JSON object. */
function stateIn(text: string): string {
  const plain = text.trim()
  if (!plain.startsWith('{')) return plain
  try {
    const state = (JSON.parse(plain) as { state?: unknown }).state
    return typeof state === 'string' ? state : plain
  } catch (error) {
    // It is no JSON: then it is no word of this device either.
    if (error instanceof SyntaxError) return plain
    throw error
  }
}
