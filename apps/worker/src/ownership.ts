import { type Model, type StopState, type WorkerRecord, isoTime, messageOf } from '@golem/core'
import { type ControlMessage, type RedisLife, reservationsFrom } from '@golem/queue'
import { assign } from './assign.ts'
import type { WorkerContext } from './context.ts'
import { Journal, lastFence } from './journal.ts'
import { type LinkConfig, LinkOwner } from './link-owner.ts'
import { UnownedLinks } from './unowned-outputs.ts'

export interface OwnershipOptions {
  context: WorkerContext
  host: string
  links: readonly LinkConfig[]
  models: ReadonlyMap<string, Model>
  leaseMs: number
  /** What this process says of itself, without links and times. */
  describe: () => Omit<WorkerRecord, 'links' | 'lastSeen' | 'id' | 'host'>
}

/** How often links that should be ours and are not are tried, in ms. */
const TRY_EVERY_MS = 200
/** A worker must have been seen this many beats in a row before a link is handed over to it. */
const BEATS_BEFORE_HANDOVER = 2
/** Workers that have not been seen for a day are forgotten. */
const FORGET_AFTER_MS = 24 * 3_600_000

/** Decides, together with the other workers, which links this process owns, and keeps their leases. */
export class Ownership {
  readonly #options: OwnershipOptions
  readonly #beatMs: number
  readonly #owned = new Map<string, LinkOwner>()
  /** Links that are being given up; their leases are kept until what runs on them has ended. */
  readonly #leaving = new Map<string, { owner: LinkOwner; left: Promise<void> }>()
  /** Links whose lease ran out here, and which nobody has taken yet: their outputs may have to be switched off. */
  readonly #unowned: UnownedLinks
  readonly #seen = new Map<string, number>()
  readonly #mine = new Set<string>()
  #others: WorkerRecord[] = []
  readonly #begunAt = performance.now()
  #life: RedisLife | undefined
  #timers: NodeJS.Timeout[] = []
  #renewing = false
  #beating: Promise<void> | undefined
  #again = false
  #trying = false
  #away = false
  #ending = false
  #double = false
  #hasSeenOthers = false
  /** When the last beat ended, well or not, by the monotonic clock. */
  beatAt = performance.now()

  constructor(options: OwnershipOptions) {
    this.#options = options
    this.#unowned = new UnownedLinks(options.context, options.links, options.models)
    this.#beatMs = Math.min(1_000, options.leaseMs / 5)
  }

  start(): void {
    this.#timers = [
      setInterval(() => void this.#renew(), this.#beatMs),
      setInterval(() => void this.beat(), this.#beatMs),
      setInterval(() => void this.#tryLinks(), Math.min(TRY_EVERY_MS, this.#beatMs)),
    ]
  }

  /** Is every loop of this process turning? The watchdog is fed only then. */
  get healthy(): boolean {
    const oldest = Math.min(this.beatAt, ...[...this.#owned.values()].map(({ aliveAt }) => aliveAt))
    return performance.now() - oldest < 60_000 && performance.now() - this.beatAt < 10_000
  }

  get size(): number {
    return this.#owned.size
  }

  /** Says that this worker is alive, and looks who else is. */
  async beat(): Promise<void> {
    if (this.#ending) return
    if (this.#beating) {
      this.#again = true
      return
    }
    this.#beating = this.#beatOnce()
    await this.#beating
    this.#beating = undefined
    this.beatAt = performance.now()
    void this.#tryLinks()
    void this.#loadCalibrations()
    if (this.#again && !this.#away) {
      this.#again = false
      void this.beat()
    }
  }

  /** Redis is there, for the first time or again. */
  async restored(): Promise<void> {
    const { context } = this.#options
    try {
      await this.#renew()
      await this.beat()
      this.#life = await context.client.redisLife()
      await Promise.all([...this.#owned.values()].map((owner) => owner.restore()))
    } catch (error) {
      context.log.warn(`not restored yet: ${messageOf(error)}`)
    }
    await this.recalibrate()
  }

  /** Another version of a calibration may count: asks Redis, until it has answered, and has the owned instruments go by it. */
  async recalibrate(): Promise<void> {
    this.#options.context.calibrations.isDue = true
    await this.#loadCalibrations()
  }

  async #loadCalibrations(): Promise<void> {
    const { calibrations, client, log } = this.#options.context
    if (!calibrations.isDue) return
    try {
      if (!(await calibrations.load(client))) return
      for (const owner of this.#owned.values()) owner.recalibrate()
    } catch (error) {
      log.warn(`calibrations are not read yet: ${messageOf(error)}`)
    }
  }

  /** Looks at once who should own what, because somebody gave something back. */
  nudge(): void {
    void this.beat()
  }

  /**
   * Applies the stops in force; instruments that were not stopped before go to their safe state. Nobody waits for
   * that: a silent instrument takes its time, and the others need their worker's beat.
   */
  #applyStops(state: StopState): void {
    const { stops } = this.#options.context
    const before = stops.state
    stops.set(state)
    if (state.site && !before.site) void this.#enterStop(null, state.site.by)
    for (const [id, { by }] of Object.entries(state.instruments)) {
      if (!before.instruments[id] && !before.site) void this.#enterStop(id, by)
    }
  }

  /** A stop has been announced: it is obeyed before anything else is asked. */
  async stopNow({
    instrument,
    by,
    reason,
  }: {
    instrument: string | null
    by: string
    reason: string
  }): Promise<void> {
    const { stops, client } = this.#options.context
    const known = instrument === null ? stops.state.site : stops.state.instruments[instrument]
    stops.add(instrument, { since: isoTime(client.clock.now()), by, reason })
    if (known) return
    const obeying = this.#enterStop(instrument, by)
    stops.obeying(obeying)
    await obeying
  }

  /** A run was aborted: its instruments go to their safe state, and the ledger says whether they have. */
  async safeOnRequest({
    id,
    instruments,
    by,
    reason,
  }: Extract<ControlMessage, { type: 'safe' }>): Promise<void> {
    const { client } = this.#options.context
    const owners = [...this.#owned.values()]
    await Promise.all(
      instruments.map(async (instrument) => {
        const beganAt = client.clock.now()
        const reached = await owners
          .find((owner) => owner.instruments.includes(instrument))
          ?.safeOnRequest(instrument, reason)
        if (reached === undefined) return
        await client.record(
          {
            id: `${id}-${instrument}`,
            instrument,
            exchange: 'safe state',
            by,
            beganAt,
            endedAt: client.clock.now(),
          },
          reached
            ? { outcome: 'done', effect: 'done' }
            : { outcome: 'unknown', effect: 'unknown', message: 'not every output took its safe value' },
        )
      }),
    )
  }

  /** A person has said which values win after an instrument was without power. */
  settlePowerReturn({ instrument, keep, by }: Extract<ControlMessage, { type: 'power-return' }>): void {
    for (const owner of this.#owned.values()) owner.settlePowerReturn(instrument, keep, by)
  }

  /** A stop has been released. What is asked of Redis next agrees; until then commands are not kept waiting. */
  releaseNow({ instrument }: { instrument: string | null }): void {
    this.#options.context.stops.remove(instrument)
    this.nudge()
  }

  /** A reservation has been made, changed or ended. */
  async reservationChanged({ instrument, state }: { instrument: string; state: string }): Promise<void> {
    this.#options.context.reservations.hear(instrument, reservationsFrom(instrument, state))
    await Promise.all([...this.#owned.values()].map((owner) => owner.makeSafe(instrument)))
  }

  /** Has ends and beginnings written that nobody has asked about, and takes over what Redis has. */
  async #lookAtReservations(): Promise<void> {
    const { client, reservations } = this.#options.context
    const { heard } = reservations
    const instruments = [...this.#owned.values()].flatMap((owner) => owner.instruments)
    const found = await client.reservations(reservations.among(instruments))
    reservations.replace(found, heard)
  }

  /** The lease of a link is gone. */
  lost(link: string, why: string): void {
    const owner = this.#owned.get(link) ?? this.#leaving.get(link)?.owner
    if (!owner) return
    this.#owned.delete(link)
    owner
      .abandon(why)
      .then(() => {
        if (!this.#owned.has(link)) this.#unowned.keep(link, owner)
      })
      .catch((error: unknown) => this.#options.context.log.error({ err: error, link }, 'not abandoned'))
  }

  /** Gives everything back in an orderly way. Leases are renewed until what runs under them has ended. */
  async stop(): Promise<void> {
    this.#ending = true
    const { context } = this.#options
    await this.#beating
    try {
      // First of all: the others share out the links without this one, and take each as soon as it is free.
      if (!this.#double) await context.client.forgetWorker(context.id)
    } catch (error) {
      context.log.warn(`this worker's record stays in Redis: ${messageOf(error)}`)
    }
    const message = `Its worker ${context.id} was stopped.`
    for (const link of this.#owned.keys()) this.#leave(link, { applyPolicy: true, message })
    await Promise.all([...this.#leaving.values()].map(({ left }) => left))
    await this.#unowned.close()
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** Keeps the leases, whatever else this worker waits for. */
  async #renew(): Promise<void> {
    if (this.#renewing) return
    this.#renewing = true
    try {
      await this.#options.context.client.leases.renew()
    } catch (error) {
      // The beat says that Redis is away, and when it is back; leases that are over have been dropped.
      this.#options.context.log.debug(`leases not renewed: ${messageOf(error)}`)
    } finally {
      this.#renewing = false
    }
  }

  async #beatOnce(): Promise<void> {
    const { context, host, describe } = this.#options
    const { client } = context
    try {
      const double = await client.beat({
        ...describe(),
        id: context.id,
        host,
        links: [...this.#owned.keys()],
        lastSeen: isoTime(client.clock.now()),
      })
      this.#noticeDouble(double)
      await this.#look()
      const instruments = [...this.#owned.values()].flatMap((owner) => owner.instruments)
      await client.expire(instruments)
      await this.#takeStranded(instruments)
      if (this.#away) context.log.info('Redis answers again')
      this.#away = false
    } catch (error) {
      if (!this.#away && !this.#ending) context.log.warn(`Redis does not answer: ${messageOf(error)}`)
      this.#away = true
      client.leases.dropOverdue('Redis is away')
      // It has not answered since this process began, for as long as a lease of another one may have lasted.
      if (!this.#life && performance.now() - this.#begunAt > this.#options.leaseMs) this.#unowned.takeUp(host)
    }
  }

  /** Two workers of one name can't share links out: the one that came later takes none, and says why. */
  #noticeDouble(double: WorkerRecord | null): void {
    const { log, id } = this.#options.context
    if (double && !this.#double) {
      log.error(
        `another worker goes by the name ${id} (process ${double.pid} on ${double.host}): this one takes nothing until ` +
          'it has gone. Give each worker its own --id.',
      )
    }
    this.#double = double !== null
  }

  /** Commands that a worker took off the queue before it died or lost the link are carried out by the owner. */
  async #takeStranded(instruments: readonly string[]): Promise<void> {
    for (const { instrument, id } of await this.#options.context.client.stranded(instruments)) {
      const owner = [...this.#owned.values()].find((each) => each.instruments.includes(instrument))
      owner?.take(instrument, id)
    }
  }

  /** Does not throw: what was not reached is in the log, and is tried again after the next reading. */
  async #enterStop(instrument: string | null, by: string): Promise<void> {
    const leaving = [...this.#leaving.values()].map(({ owner }) => owner)
    const concerned = [...this.#owned.values(), ...leaving]
    await Promise.all(concerned.map((owner) => owner.enterStop(instrument, `emergency stop by ${by}`)))
  }

  async #look(): Promise<void> {
    const { context, leaseMs, host, links } = this.#options
    const { client } = context
    const now = client.clock.now()
    const all = await client.workers()
    this.#others = all.filter(
      ({ id, lastSeen }) => id !== context.id && now - Date.parse(lastSeen) < leaseMs / 2,
    )
    for (const { id, lastSeen } of all) {
      if (now - Date.parse(lastSeen) > FORGET_AFTER_MS) await client.forgetWorker(id)
    }
    // Remembered: when Redis has lost everything, the others' records are gone too, but not the others.
    this.#hasSeenOthers ||= this.#others.length > 0
    for (const { id } of this.#others) this.#seen.set(id, (this.#seen.get(id) ?? 0) + 1)
    for (const id of this.#seen.keys())
      if (!this.#others.some((other) => other.id === id)) this.#seen.delete(id)
    const { stops } = context
    const { announced } = stops
    const inForce = await client.stopState()
    // A stop that was announced while the answer was on its way is newer than the answer.
    if (stops.announced === announced) this.#applyStops(inForce)
    await this.#lookAtReservations()
    const assigned = assign(
      links.map((config) => ({ link: config.link, host: config.host })),
      [{ id: context.id, host }, ...this.#others],
    )
    this.#mine.clear()
    await this.#unowned.endOthers((link) => assigned.get(link) === context.id)
    for (const [link, worker] of assigned) {
      if (worker === context.id) this.#mine.add(link)
      else if (this.#owned.has(link) && (this.#seen.get(worker) ?? 0) > BEATS_BEFORE_HANDOVER) {
        this.#leave(link, { applyPolicy: false, message: `Handed over to worker ${worker}.` })
      }
    }
  }

  /** Gives a link up in an orderly way, which takes as long as what runs on it. */
  #leave(link: string, how: { applyPolicy: boolean; message: string }): void {
    const owner = this.#owned.get(link)
    if (!owner) return
    this.#owned.delete(link)
    const left = owner
      .stop(how)
      .catch((error: unknown) => this.#options.context.log.error({ err: error, link }, 'not left in order'))
      .then(() => this.#giveBack(link))
      .finally(() => this.#leaving.delete(link))
    this.#leaving.set(link, { owner, left })
  }

  async #giveBack(link: string): Promise<void> {
    try {
      await this.#options.context.client.leases.release(link)
    } catch (error) {
      this.#options.context.log.warn(
        { link },
        `lease not given back, it runs out by itself: ${messageOf(error)}`,
      )
    }
  }

  async #tryLinks(): Promise<void> {
    if (this.#trying || this.#ending || this.#away || this.#double) return
    this.#trying = true
    for (const config of this.#options.links) {
      const { link } = config
      if (!this.#mine.has(link) || this.#owned.has(link) || this.#leaving.has(link)) continue
      try {
        await this.#take(config)
      } catch (error) {
        // One that can't be taken, for want of a journal say, must not keep the others from it.
        this.#options.context.log.warn({ link }, `link not taken: ${messageOf(error)}`)
      }
      if (this.#away) break
    }
    this.#trying = false
  }

  async #take(config: LinkConfig): Promise<void> {
    const { context, models } = this.#options
    const { leases, clock } = context.client
    this.#life ??= await context.client.redisLife()
    // A Redis that has just come back may have lost a lease that its holder still believes in.
    const young = clock.now() - this.#life.startedBefore < this.#options.leaseMs
    if (young && this.#hasSeenOthers) return
    const fence = await leases.acquire(config.link, lastFence(context.journalDir, config.link))
    if (fence === undefined) return
    if (this.#ending) return this.#giveBack(config.link)
    await this.#unowned.end(config.link)
    let owner: LinkOwner
    try {
      const journal = new Journal(context.journalDir, config.link)
      owner = new LinkOwner(context, config, models, journal, this.#life.startedBefore)
    } catch (error) {
      await this.#giveBack(config.link)
      throw error
    }
    this.#owned.set(config.link, owner)
    await context.client.event('owner', '', `${config.link} is owned by ${context.id} (lease ${fence})`)
    try {
      await owner.start()
    } catch (error) {
      this.#leave(config.link, { applyPolicy: false, message: messageOf(error) })
      throw error
    }
  }
}
