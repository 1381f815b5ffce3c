import {
  type Batch,
  type Database,
  EMPTY_BATCH,
  Recorder,
  allSeries,
  newestGaps,
  seriesFor,
  writeBatch,
} from '@golem/archive'
import { type ArchiveKeep, DEFAULT_ARCHIVE_RULE, type Site } from '@golem/config'
import { GolemError, asGolemError } from '@golem/core'
import type { ArchiveClient, ReceivedSample } from '@golem/queue'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Documents } from './documents.ts'
import { expectationOf, ruleOf } from './expectations.ts'
import type { Health } from './health.ts'
import { Positions } from './positions.ts'
import { Retention } from './retention.ts'
import { RunRows } from './run-rows.ts'

/** How often a transaction is written, in ms. */
const EVERY_MS = 1_000
/** Before the next try, in ms. */
const AGAIN_AFTER_MS = 1_000
/** How many entries of each stream go into one transaction. */
const SAMPLES = 5_000
const EVENTS = 1_000
/** What is on its way to Redis is no silence, in ms. */
const UNDER_WAY_MS = 2_000

export interface WriterOptions {
  site: Site
  /** Of the archive. */
  place: string
  keep: ArchiveKeep
  client: ArchiveClient
  health: Health
  log: Logger
  open: (place: string) => Promise<Database>
}

/**
 * One term of office of the archiver that writes: it reads the streams from where the archive ends, and writes about once
 * a second. Whatever goes wrong, the entries stay in Redis until they are in the archive.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #ended = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(options: WriterOptions) {
    this.#options = options
  }

  begin(): void {
    this.#running = this.#run()
  }

  /** Ends after the transaction that is under way. */
  async end(): Promise<void> {
    this.#ended.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { log, health } = this.#options
    while (!this.#ended.signal.aborted) {
      try {
        const session = await Session.open(this.#options, this.#ended.signal)
        try {
          await session.run()
        } finally {
          await session.close()
        }
      } catch (error) {
        if (this.#ended.signal.aborted) return
        if (asGolemError(error).code === 'LEASE_LOST') log.warn({ err: error }, 'the archive is read anew')
        else health.troubled(error)
        await pause(AGAIN_AFTER_MS, this.#ended.signal)
      }
    }
  }
}

/** From opening the archive to something that makes it necessary to read it anew. */
class Session {
  readonly #options: WriterOptions
  readonly #ended: AbortSignal
  readonly #database: Database
  readonly #positions: Positions
  readonly #documents: Documents
  readonly #runRows: RunRows
  readonly #recorder = new Recorder()
  readonly #retention: Retention
  /** Since when Redis has not answered, by the monotonic clock. */
  #awaySince: number | undefined

  private constructor(
    options: WriterOptions,
    ended: AbortSignal,
    database: Database,
    positions: Positions,
    documents: Documents,
  ) {
    this.#options = options
    this.#ended = ended
    this.#database = database
    this.#positions = positions
    this.#documents = documents
    this.#runRows = new RunRows(options.client, database)
    this.#retention = new Retention(options.keep, options.client.clock, options.log)
  }

  static async open(options: WriterOptions, ended: AbortSignal): Promise<Session> {
    const { site, place, client } = options
    const database = await options.open(place)
    try {
      const positions = await Positions.load(database)
      const documents = await Documents.load(database, client.view, site.file)
      const session = new Session(options, ended, database, positions, documents)
      const gaps = new Map((await newestGaps(database)).map((gap) => [gap.series, gap]))
      for (const series of await allSeries(database)) {
        const rule = ruleOf(site, series.instrument, series.parameter) || DEFAULT_ARCHIVE_RULE
        session.#recorder.know({ series, rule, gap: gaps.get(series.id) ?? null })
      }
      return session
    } catch (error) {
      await database.close()
      throw error
    }
  }

  /** @throws whatever makes it necessary to read the archive anew */
  async run(): Promise<void> {
    const { health } = this.#options
    health.opened(this.#database)
    while (!this.#ended.aborted) {
      const began = performance.now()
      // What is written into a file that was removed is lost with it.
      if ((await this.#database.size()) === 0) throw new GolemError('ARCHIVE_DOWN', 'its file was removed.')
      const isMore = await this.#step()
      if (!isMore) await this.#retention.step(this.#database)
      if (!isMore) await pause(EVERY_MS - (performance.now() - began), this.#ended)
    }
  }

  async close(): Promise<void> {
    this.#documents.close()
    this.#options.health.closed()
    await this.#database.close()
  }

  /** @returns whether more waits than went into this transaction */
  async #step(): Promise<boolean> {
    const { client, health, log } = this.#options
    const { view } = client
    const readAt = client.clock.now()
    let samples: ReceivedSample[]
    let happened: Awaited<ReturnType<ArchiveClient['events']>>
    let ran: Awaited<ReturnType<RunRows['read']>>
    try {
      const { newest } = await client.backlog()
      if (!view.bus.ok) return this.#away()
      this.#positions.follow(view.epoch, newest)
      samples = await client.samples(this.#positions.samples, SAMPLES)
      happened = await client.events(this.#positions.events, EVENTS)
      ran = await this.#runRows.read(happened.runs)
    } catch (error) {
      // Nothing was taken yet: it is asked for again.
      log.debug({ err: error }, 'Redis was not read')
      return this.#away()
    }
    this.#back()
    await this.#makeKnown(samples)
    for (const sample of samples) {
      const { isNew, lost, doubt } = this.#positions.next(sample)
      if (doubt) this.#recorder.doubt(doubt)
      if (lost > 0) health.lost(lost)
      if (isNew && sample.entry) this.#recorder.take(sample.entry)
      if (!sample.entry) log.error(`the entry ${sample.id} can't be read, and is left out`)
    }
    const isMore = samples.length === SAMPLES
    if (!isMore)
      this.#recorder.silence(readAt - UNDER_WAY_MS, (one) => expectationOf(this.#options.site, view, one))
    const { instruments, documents } = this.#documents.take()
    for (const instrument of instruments) this.#describe(instrument)
    const last = happened.events[happened.events.length - 1]
    if (last) this.#positions.events = last.id
    const { events, commands } = happened
    const recorded = this.#recorder.recorded()
    await this.#write({
      ...recorded,
      ...ran,
      documents: [...documents, ...ran.documents],
      events,
      commands,
    })
    this.#runRows.written(ran)
    return isMore || happened.events.length === EVENTS
  }

  #away(): false {
    this.#awaySince ??= performance.now()
    return false
  }

  /** Workers that could not renew their leases have stopped reading. */
  #back(): void {
    if (this.#awaySince === undefined) return
    const seconds = Math.round((performance.now() - this.#awaySince) / 1_000)
    this.#awaySince = undefined
    this.#recorder.doubt({ reason: 'redis', message: `Redis was away for ${seconds} s.` })
  }

  async #makeKnown(samples: readonly ReceivedSample[]): Promise<void> {
    const { site, client } = this.#options
    for (const { entry } of samples) {
      if (!entry) continue
      for (const name of Object.keys(entry.readings)) {
        if (this.#recorder.knows(entry.instrument, name)) continue
        const parameter = client.view.descriptions.get(entry.instrument)?.parameters[name]
        const what = whatIs(name, parameter)
        const series = await seriesFor(this.#database, entry.instrument, name, what)
        const rule = ruleOf(site, entry.instrument, name) || DEFAULT_ARCHIVE_RULE
        this.#recorder.know({ series, rule, gap: null })
      }
    }
  }

  #describe(instrument: string): void {
    const parameters = this.#options.client.view.descriptions.get(instrument)?.parameters ?? {}
    for (const [name, parameter] of Object.entries(parameters)) {
      this.#recorder.describe(instrument, name, whatIs(name, parameter))
    }
  }

  /** Writes until it is written, or somebody else writes. What waits meanwhile waits in Redis. */
  async #write(parts: Omit<Batch, 'remember'>): Promise<void> {
    const { client, health, log } = this.#options
    const alive = new Set(client.view.workers.keys())
    const batch: Batch = { ...EMPTY_BATCH, ...parts, remember: this.#positions.toRemember(alive) }
    const { samples, events, written } = this.#positions
    const isNew = Object.values(parts).some((part) => part.length > 0)
    // A site at rest is to let its disk rest, too.
    if (!isNew && samples === written.samples && events === written.events) return
    for (;;) {
      if (this.#ended.aborted) return
      const began = performance.now()
      try {
        await writeBatch(this.#database, batch, written)
        health.wrote(batch.samples.length, performance.now() - began)
        break
      } catch (error) {
        if (asGolemError(error).code === 'LEASE_LOST') throw error
        health.troubled(error)
        await pause(AGAIN_AFTER_MS, this.#ended)
      }
    }
    this.#positions.written = { samples, events }
    try {
      await client.committed(samples)
    } catch (error) {
      // They are removed with the next ones; until then they are known to be written.
      log.debug({ err: error }, 'entries stay in Redis')
    }
  }
}

/** @param parameter - as its description has it, if there is one already */
function whatIs(
  name: string,
  parameter: { type: string; label: string; unit?: string } | undefined,
): { type: string; label: string; unit: string | null } {
  const { type = 'number', label = name, unit = null } = parameter ?? {}
  return { type, label, unit }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return
  // Ended early when the term is over.
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
