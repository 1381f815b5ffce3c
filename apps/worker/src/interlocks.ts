import {
  type CommandTarget,
  GolemError,
  type InterlockRecord,
  type InterlockRule,
  type InterlockTrip,
  type InterlockView,
  type Reading,
  type Snapshot,
  type Value,
  isoTime,
} from '@golem/core'
import { InterlockFeed, type WorkerClient } from '@golem/queue'
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { Interlock } from './interlock.ts'
import type { InterlockKeeper } from './interlock-keeper.ts'
import { detailsOf, onlyInstrumentOf } from './interlock-details.ts'
import { InterlockStore } from './interlock-store.ts'
import type { Instrument } from './instrument.ts'

/** How often time is looked at: what has become too old, or has been so for long enough. In ms. */
const LOOK_MS = 100
/**
 * When so much of the lease is left and it could not be renewed, readings of other workers count as not known: later
 * nothing could be sent any more. Share of the lease time, and at least so many ms.
 */
const BLIND_SHARE = 0.2
const BLIND_MS = 300

interface Owned {
  link: string
  instrument: Instrument
  keeper: InterlockKeeper
}

/** A reading, and when it was so, by the monotonic clock. */
interface Known {
  reading: Reading
  at: number
}

export interface InterlocksOptions {
  site: string
  redisUrl: string
  leaseMs: number
  rules: readonly InterlockRule[]
  worker: string
  client: WorkerClient
  journalDir: string
  log: Logger
  onError: (error: Error) => void
}

/**
 * The interlocks of the instruments that this worker owns. Readings of its own are used as they come, those of other
 * workers as Redis tells them, each with its age by this process's own monotonic clock.
 */
export class Interlocks {
  readonly #options: InterlocksOptions
  readonly #store: InterlockStore
  readonly #feed: InterlockFeed | undefined
  readonly #watched: ReadonlySet<string>
  readonly #owned = new Map<string, Owned>()
  /** Those that concern what is owned, by name. */
  readonly #active = new Map<string, Interlock>()
  /** The newest readings of watched instruments. */
  readonly #known = new Map<string, Map<string, Known>>()
  #records = new Map<string, InterlockRecord>()
  readonly #timer: NodeJS.Timeout | undefined

  constructor(options: InterlocksOptions) {
    this.#options = options
    const { rules, journalDir, site, redisUrl, onError } = options
    this.#store = new InterlockStore(journalDir)
    this.#watched = new Set(rules.flatMap(({ watch }) => watch.readings.map(({ instrument }) => instrument)))
    if (rules.length === 0) return
    this.#feed = new InterlockFeed({
      site,
      redisUrl,
      instruments: this.#watched,
      onSnapshot: (snapshot) => {
        if (!this.#owned.has(snapshot.id)) this.#hear(snapshot)
      },
      onRecord: (record) => this.#hearRecord(record),
      onRecords: (records) => this.#hearRecords(records),
      onError,
    })
    this.#timer = setInterval(() => this.#lookAtAll(), LOOK_MS)
  }

  /**
   * Begins to keep the interlocks of instruments whose link has just been taken, before any command.
   *
   * @throws when Redis does not answer: whether one waits for a person is not known then
   */
  async take(
    link: string,
    instruments: readonly { instrument: Instrument; keeper: InterlockKeeper }[],
  ): Promise<void> {
    const { rules, leaseMs, client } = this.#options
    for (const one of instruments) this.#owned.set(one.instrument.id, { link, ...one })
    const concerning = rules.filter(({ trip, refuse }) =>
      [...trip, ...refuse].some((target) =>
        instruments.some(({ instrument }) => instrument.id === target.instrument),
      ),
    )
    if (concerning.length === 0) return
    await this.#feed?.read()
    // Given up meanwhile.
    if (!instruments.every(({ instrument, keeper }) => this.#owned.get(instrument.id)?.keeper === keeper))
      return
    const now = performance.now()
    const at = isoTime(client.clock.now())
    for (const rule of concerning) {
      if (this.#active.has(rule.name)) continue
      const interlock = new Interlock(rule, now, leaseMs, at)
      this.#active.set(rule.name, interlock)
      const kept = rule.latch ? this.#store.read(rule.name, at) : null
      if (kept) interlock.join(kept, at)
      for (const id of this.#known.keys()) this.#tell(interlock, id, now)
    }
    this.#hearRecords([...this.#records.values()])
    this.#lookAtAll()
    for (const { instrument } of instruments) this.#enforce(instrument.id)
  }

  /** A link is given up: its instruments are another worker's from now on. */
  leave(instruments: readonly string[]): void {
    for (const id of instruments) this.#owned.delete(id)
    for (const [name, interlock] of this.#active) {
      if (![...this.#owned.keys()].some((id) => interlock.concerns(id))) this.#active.delete(name)
    }
  }

  /** Takes readings of this worker's own. */
  heardHere(snapshot: Snapshot): void {
    if (this.#watched.has(snapshot.id)) this.#hear(snapshot)
  }

  /** @throws INTERLOCKED when this must not be carried out now */
  check(instrument: Instrument, target: CommandTarget): void {
    const judged = {
      id: instrument.id,
      matches: (name: string, wanted: Value, other: Value): boolean =>
        instrument.matches(name, wanted, other),
      safe: (name: string): Value | undefined => instrument.description.parameters[name]?.safe,
    }
    for (const interlock of this.#active.values()) {
      if (!interlock.concerns(instrument.id)) continue
      this.#look(interlock)
      if (interlock.allows(target, judged)) continue
      const { rule, message, tripped } = interlock
      throw new GolemError('INTERLOCKED', `The interlock "${rule.name}" does not allow it: ${message}`, {
        details: { interlock: rule.name, tripped: tripped !== null },
      })
    }
  }

  /** The values at which outputs of an instrument are held. */
  held(instrument: string): ReadonlyMap<string, Value> {
    return new Map([...this.#active.values()].flatMap((interlock) => interlock.held(instrument)))
  }

  /** After a poll: what is held is written again where it reads otherwise. */
  keep(instrument: string): void {
    void this.#owned.get(instrument)?.keeper.keep(this.#why(instrument))
  }

  views(instrument: string): InterlockView[] {
    return [...this.#active.values()]
      .filter((interlock) => interlock.concerns(instrument))
      .map((interlock) => interlock.view(instrument))
  }

  close(): void {
    clearInterval(this.#timer)
    this.#feed?.close()
  }

  #hear(snapshot: Snapshot): void {
    const now = performance.now()
    const siteNow = this.#options.client.clock.now()
    const known = this.#known.get(snapshot.id) ?? new Map<string, Known>()
    this.#known.set(snapshot.id, known)
    for (const [name, reading] of Object.entries(snapshot.readings)) {
      const before = known.get(name)
      // An owner that has just begun has not read it yet: what was known goes on growing old.
      if (reading.at === null && reading.quality !== 'bad' && before) continue
      // The same value told again is as old as it was, whatever the site's clock has done since.
      const isSame = before !== undefined && before.reading.at === reading.at
      const ageMs = reading.at === null ? Infinity : Math.max(0, siteNow - Date.parse(reading.at))
      known.set(name, { reading, at: isSame ? before.at : now - ageMs })
    }
    for (const interlock of this.#active.values()) {
      if (this.#tell(interlock, snapshot.id, now)) this.#look(interlock)
    }
  }

  /** @returns whether the interlock watches something of it */
  #tell(interlock: Interlock, id: string, now: number): boolean {
    let isConcerned = false
    for (const { instrument, parameter } of interlock.rule.watch.readings) {
      const known = this.#known.get(id)?.get(parameter)
      if (instrument !== id || !known) continue
      interlock.hear(instrument, parameter, known.reading, known.at, now)
      isConcerned = true
    }
    return isConcerned
  }

  #hearRecords(records: readonly InterlockRecord[]): void {
    this.#records = new Map(records.map((record) => [record.name, record]))
    for (const record of records) this.#hearRecord(record)
    // Redis has lost it, or has not heard of it yet.
    for (const interlock of this.#active.values()) {
      const { tripped, rule } = interlock
      if (tripped && rule.latch && this.#records.get(rule.name)?.tripped?.id !== tripped.id) {
        this.#report(interlock, tripped)
      }
    }
  }

  /** A trip, or a reset, that another process has written. */
  #hearRecord(record: InterlockRecord): void {
    this.#records.set(record.name, record)
    const interlock = this.#active.get(record.name)
    if (!interlock?.rule.latch) return
    const at = this.#at()
    if (record.tripped && record.tripped.id !== interlock.tripped?.id) {
      const isNew = interlock.tripped === null
      interlock.join(record.tripped, at)
      this.#persist(interlock)
      if (isNew) this.#act(interlock)
    } else if (!record.tripped && interlock.tripped && record.reset?.trip === interlock.tripped.id) {
      interlock.reset(at)
      this.#persist(interlock)
      this.#publish(interlock)
      this.#look(interlock)
    }
  }

  #lookAtAll(): void {
    for (const interlock of this.#active.values()) this.#look(interlock)
  }

  #look(interlock: Interlock): void {
    const { worker } = this.#options
    const before = interlock.condition
    const at = this.#at()
    const turn = interlock.look(performance.now(), at, this.#blindness(interlock), (message) => ({
      id: randomUUID().slice(0, 13),
      at,
      message,
      worker,
    }))
    if (turn === 'tripped' && interlock.tripped) {
      // The outputs first: what is written down may take its time.
      this.#act(interlock)
      if (interlock.rule.latch) {
        this.#persist(interlock)
        this.#report(interlock, interlock.tripped)
      }
    } else if (turn === 'over') this.#log(interlock, 'is over')
    if (interlock.condition === before) return
    this.#publish(interlock)
    const { condition, message, rule } = interlock
    this.#options.log.info({ interlock: rule.name, condition }, message)
    const isTold = turn === 'none' && (condition === 'holds' || condition === 'unknown')
    if (isTold) this.#log(interlock, `acts: ${message}`)
  }

  /** Of which instruments nothing will be heard before the lease is over: Redis has been silent for too long. */
  #blindness(interlock: Interlock): (instrument: string) => boolean {
    const { client, leaseMs } = this.#options
    const least = Math.max(BLIND_MS, BLIND_SHARE * leaseMs)
    const links = [...this.#owned.values()]
      .filter(({ instrument }) => interlock.concerns(instrument.id))
      .map(({ link }) => link)
    const isBlind = links.some((link) => client.leases.leftMs(link) < least)
    return (instrument) => isBlind && !this.#owned.has(instrument)
  }

  #act(interlock: Interlock): void {
    this.#options.log.warn({ interlock: interlock.rule.name }, `tripped: ${interlock.message}`)
    for (const id of this.#owned.keys()) if (interlock.held(id).length > 0) this.#enforce(id)
    this.#publish(interlock)
  }

  #enforce(instrument: string): void {
    if (this.held(instrument).size === 0) return
    void this.#owned.get(instrument)?.keeper.enter(this.#why(instrument))
  }

  #why(instrument: string): string {
    const names = [...this.#active.values()]
      .filter((interlock) => interlock.held(instrument).length > 0)
      .map(({ rule, tripped }) => `interlock "${rule.name}" (${tripped?.message ?? ''})`)
    return names.join(', ')
  }

  #publish(interlock: Interlock): void {
    for (const { instrument } of this.#owned.values()) {
      if (interlock.concerns(instrument.id)) instrument.publish()
    }
  }

  #persist(interlock: Interlock): void {
    try {
      this.#store.write(interlock.rule.name, interlock.tripped)
    } catch (error) {
      this.#options.log.error({ err: error, interlock: interlock.rule.name }, 'the trip is not on the disk')
    }
  }

  /** Tells Redis of a trip, as soon as it can be reached. */
  #report({ rule }: Interlock, tripped: InterlockTrip): void {
    const { name, guidance } = rule
    const record = { name, tripped, reset: null, ...(guidance === undefined ? {} : { guidance }) }
    this.#feed
      ?.trip(record, `interlock ${name} tripped: ${tripped.message}`, detailsOf(rule, 'error'))
      .then((known) => this.#hearRecord(known))
      .catch((error: unknown) =>
        this.#options.log.error({ err: error, interlock: name }, 'the trip is not in Redis'),
      )
  }

  #log({ rule }: Interlock, what: string): void {
    this.#options.client
      .event(
        'interlock',
        onlyInstrumentOf(rule),
        `interlock ${rule.name} ${what}`,
        '',
        detailsOf(rule, 'notice'),
      )
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'event not written'))
  }

  #at(): string {
    return isoTime(this.#options.client.clock.now())
  }
}
