import { GolemError, type RunRecord, isoTime } from '@golem/core'
import type { SiteChange, SiteView } from '@golem/queue'
import { createHash, randomBytes } from 'node:crypto'
import { type Cursor, compareHeads, formatCursor, parseCursor } from './cursor.ts'
import { type MissingOwner, missingOwner, showInstrument } from './instrument-state.ts'

/** How often time is looked at: what has become stale, who has gone missing. In ms. */
const SWEEP_MS = 250
/** How old `at` may be in an answer, in ms. */
const FRESH_MS = 100
/** After Redis has come back the workers have this long to be heard again, in ms. */
const RETURN_GRACE_MS = 5_000
/** How many different deltas are kept ready. */
const MAX_DELTAS = 64
/** Room for `at` in a prepared answer: an ISO time always has 24 characters. */
const AT_PLACE = '0000-00-00T00:00:00.000Z'

export interface StateDocumentOptions {
  view: SiteView
  /** Ids of the instruments of site.yaml, in its order. */
  configured: readonly string[]
  leaseMs: number
}

export interface StateAnswer {
  etag: string
  cursor: string
  /** null: nothing has changed since the client's ETag (304). */
  body: Buffer | null
  full: boolean
}

interface Entry {
  json: string
  bytes: Buffer
  alteration: string
  /** Revision and head at its last change. */
  revision: number
  head: string
  dueAt: number
  missing: MissingOwner | null
}

/**
 * Keeps the answers to `GET /api/state` ready: JSON per instrument and whole bodies as bytes. An answer costs no
 * round trip and, while nothing changes, no serialisation.
 *
 * `sweep` has to be called a few times a second (`start` does); time makes readings stale even when nobody asks.
 */
export class StateDocuments {
  readonly #view: SiteView
  readonly #configured: readonly string[]
  readonly #leaseMs: number
  readonly #process = randomBytes(4).toString('hex')
  readonly #bornAt: number
  readonly #entries = new Map<string, Entry>()
  readonly #dirty = new Set<string>()
  #rebuild = true
  #tailDirty = true
  #epoch = ''
  #busOk = true
  #graceUntil = 0
  #revision = 0
  /** Cursors before these get everything. */
  #fullRevision = 0
  #fullHead = '0-0'
  #sweptAt = -Infinity
  #sweepDue = false
  #cursor = ''
  #etag = ''
  #alterations = ''
  #tail = ''
  #parsed: Cursor | null = null
  /** Prepared answers by the cursor they start from; '' is the full one. */
  readonly #bodies = new Map<string, { template: Buffer; body: Buffer; at: number }>()
  readonly #unsubscribe: () => void
  readonly #watchers = new Set<() => void>()

  constructor({ view, configured, leaseMs }: StateDocumentOptions) {
    this.#view = view
    this.#configured = configured
    this.#leaseMs = leaseMs
    this.#bornAt = view.now()
    this.#unsubscribe = view.onChange((change) => this.#note(change))
  }

  /** Sweeps a few times a second. @returns the function that ends it */
  start(): () => void {
    const timer = setInterval(() => this.sweep(), SWEEP_MS)
    timer.unref()
    return () => {
      clearInterval(timer)
      this.#unsubscribe()
    }
  }

  /** Calls back when the state has got a new cursor; returns the function that ends it. */
  onMove(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** When the state was last looked over, on the monotonic clock, in ms. */
  get sweptAt(): number {
    return this.#sweptAt
  }

  /** The cursor of the state as it is now. */
  get cursor(): string {
    this.#refresh()
    return this.#cursor
  }

  /** Whose worker is away? @returns null when the instrument's owner is there */
  missingOwner(id: string): MissingOwner | null {
    if (!this.#view.bus.ok) return null
    return this.#missing(id, this.#view.now())
  }

  /** Looks what time alone has changed. */
  sweep(): void {
    this.#sweptAt = performance.now()
    this.#sweepDue = false
    const now = this.#view.now()
    for (const [id, entry] of this.#entries) {
      const missing = this.#view.bus.ok ? this.#missing(id, now) : null
      if (now > entry.dueAt || missing?.since !== entry.missing?.since) this.#dirty.add(id)
    }
    this.#update(now)
  }

  /**
   * Answers one poll.
   *
   * @param since - cursor of the client's last answer, of whichever web process
   * @param known - its If-None-Match header
   */
  answer(since?: string, known?: string): StateAnswer {
    this.#refresh()
    const etag = this.#etag
    if (known !== undefined && this.#isKnown(known)) {
      return { etag, cursor: this.#cursor, body: null, full: false }
    }
    if (since === undefined) return this.#prepared('', etag, () => [...this.#entries.keys()])
    if (since === this.#cursor) return this.#prepared(since, etag, () => [])
    const cursor = parseCursor(since)
    if (!cursor || this.#needsFull(cursor)) return this.#prepared('', etag, () => [...this.#entries.keys()])
    if (cursor.process === this.#process) {
      return this.#prepared(since, etag, () => this.#changed((entry) => entry.revision > cursor.revision))
    }
    // Another process is ahead of this one: nothing is known here that the client does not know better.
    if (compareHeads(cursor.head, this.#view.head) > 0) {
      const body = this.#serialise(since, [], false)
      stamp(body, isoTime(this.#view.now()))
      return { etag: `W/"${since}"`, cursor: since, body, full: false }
    }
    return this.#prepared(since, etag, () =>
      this.#changed((entry) => compareHeads(entry.head, cursor.head) > 0),
    )
  }

  #needsFull(cursor: Cursor): boolean {
    if (cursor.epoch !== this.#epoch) return true
    if (cursor.process === this.#process) {
      return cursor.revision < this.#fullRevision || cursor.revision > this.#revision
    }
    if (!this.#busOk || compareHeads(cursor.head, this.#fullHead) < 0) return true
    // What the other process showed as stale or lost is not in the stream: if it differs, start afresh.
    return cursor.alterations !== this.#alterations && compareHeads(cursor.head, this.#view.head) <= 0
  }

  #isKnown(header: string): boolean {
    if (header === this.#etag) return true
    return header.split(',').some((tag) => {
      const cursor = parseCursor(tag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1'))
      if (!cursor || cursor.epoch !== this.#epoch || !this.#busOk) return false
      return cursor.process === this.#process
        ? cursor.revision === this.#revision
        : cursor.head === this.#parsed?.head && cursor.alterations === this.#alterations
    })
  }

  #changed(wanted: (entry: Entry) => boolean): string[] {
    return [...this.#entries].filter(([, entry]) => wanted(entry)).map(([id]) => id)
  }

  #prepared(key: string, etag: string, choose: () => string[]): StateAnswer {
    const now = performance.now()
    let ready = this.#bodies.get(key)
    if (!ready) {
      const template = this.#serialise(this.#cursor, choose(), key === '')
      ready = { template, body: template, at: -Infinity }
      if (this.#bodies.size < MAX_DELTAS || key === '') this.#bodies.set(key, ready)
    }
    if (now - ready.at > FRESH_MS) {
      // A copy, not the bytes themselves: those may still be on their way to a slow client.
      ready.body = Buffer.from(ready.template)
      stamp(ready.body, isoTime(this.#view.now()))
      ready.at = now
    }
    return { etag, cursor: this.#cursor, body: ready.body, full: key === '' }
  }

  #serialise(cursor: string, ids: readonly string[], full: boolean): Buffer {
    const parts: Buffer[] = [
      Buffer.from(`{"at":"${AT_PLACE}","cursor":"${cursor}","full":${full},"instruments":{`),
    ]
    for (const [n, id] of ids.entries()) {
      const entry = this.#entries.get(id)
      if (!entry) throw new GolemError('INTERNAL', `${id} has no entry in the state document`)
      if (n > 0) parts.push(COMMA)
      parts.push(entry.bytes)
    }
    parts.push(Buffer.from(this.#tail))
    return Buffer.concat(parts)
  }

  #note(change: SiteChange): void {
    switch (change.kind) {
      case 'snapshot':
      case 'queue':
      case 'reservation':
        this.#dirty.add(change.instrument)
        break
      case 'description':
      case 'everything':
        this.#rebuild = true
        break
      case 'record':
      case 'stop':
      case 'bus':
        this.#tailDirty = true
        break
      case 'workers':
        this.#sweepDue = true
    }
  }

  #refresh(): void {
    if (this.#sweepDue || performance.now() - this.#sweptAt > 2 * SWEEP_MS) this.sweep()
    else if (this.#dirty.size > 0 || this.#rebuild || this.#tailDirty) this.#update(this.#view.now())
  }

  /** Brings entries, tail and cursor up to date. */
  #update(now: number): void {
    const { bus, head, epoch } = this.#view
    const before = this.#revision
    let full = this.#rebuild && this.#reload(epoch)
    if (bus.ok !== this.#busOk) {
      this.#busOk = bus.ok
      if (bus.ok) this.#graceUntil = now + RETURN_GRACE_MS
      for (const id of this.#entries.keys()) this.#dirty.add(id)
      full = true
    }
    if (full) this.#revision += 1
    for (const id of this.#dirty) this.#renew(id, now)
    this.#dirty.clear()
    if (this.#tailDirty) {
      this.#tailDirty = false
      const { runs, alarms, interlocks, stop } = this.#view
      const shown = shownRuns([...runs.values()], now)
      const calling = [...alarms.values()].filter(({ condition }) => condition !== 'normal')
      const tripped = [...interlocks.values()].filter((one) => one.tripped !== null)
      const tail = `},"runs":${JSON.stringify(shown)},"alarms":${JSON.stringify(calling)},"interlocks":${JSON.stringify(tripped)},"stop":${JSON.stringify(stop)},"bus":${JSON.stringify(bus)}}`
      if (tail !== this.#tail) this.#revision += 1
      this.#tail = tail
    }
    if (full) {
      this.#fullRevision = this.#revision
      this.#fullHead = head
    }
    if (this.#revision !== before) this.#move(head)
  }

  /** Takes over the list of instruments. @returns whether clients have to get everything anew */
  #reload(epoch: string): boolean {
    this.#rebuild = false
    this.#tailDirty = true
    this.#epoch = epoch
    const ids = new Set([...this.#configured, ...this.#view.descriptions.keys()])
    for (const id of this.#entries.keys()) if (!ids.has(id)) this.#entries.delete(id)
    for (const id of ids) {
      this.#dirty.add(id)
      const kept = this.#entries.get(id)
      // Order of the site file, also for those that came later.
      this.#entries.delete(id)
      this.#entries.set(id, kept ?? newEntry())
    }
    return true
  }

  #renew(id: string, now: number): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.missing = this.#view.bus.ok ? this.#missing(id, now) : null
    const shown = showInstrument({
      snapshot: this.#view.snapshots.get(id),
      queue: this.#view.queues.get(id),
      reservation: this.#view.reservations.get(id),
      described: this.#view.descriptions.has(id),
      missing: entry.missing,
      busOk: this.#view.bus.ok,
      now,
      knownSince: this.#bornAt,
    })
    entry.dueAt = shown.dueAt
    entry.alteration = shown.alteration
    // Applied although its bytes may be as before: the other processes count it too.
    entry.head = this.#view.head
    const json = `${JSON.stringify(id)}:${JSON.stringify(shown.state)}`
    if (json === entry.json) return
    entry.json = json
    entry.bytes = Buffer.from(json)
    this.#revision += 1
    entry.revision = this.#revision
  }

  #missing(id: string, now: number): MissingOwner | null {
    const snapshot = this.#view.snapshots.get(id)
    const worker = snapshot?.owner ? this.#view.workers.get(snapshot.owner) : undefined
    return missingOwner(snapshot, worker, { now, leaseMs: this.#leaseMs, graceUntil: this.#graceUntil })
  }

  #move(head: string): void {
    // The stop is told with every answer, but may reach two processes at the same head at different times.
    const digest = createHash('sha256').update(`${JSON.stringify(this.#view.stop)} ${this.#busOk}\n`)
    for (const [id, { alteration }] of this.#entries) if (alteration) digest.update(`${id} ${alteration}\n`)
    this.#alterations = digest.digest('hex').slice(0, 12)
    this.#parsed = {
      epoch: this.#epoch,
      head,
      process: this.#process,
      revision: this.#revision,
      alterations: this.#alterations,
    }
    this.#cursor = formatCursor(this.#parsed)
    this.#etag = `W/"${this.#cursor}"`
    this.#bodies.clear()
    for (const watcher of this.#watchers) watcher()
  }
}

/** How long a run is shown after its end, in ms. */
const SHOW_ENDED_MS = 3_600_000

/** Runs that go on and those that ended lately, newest first. */
function shownRuns(runs: readonly RunRecord[], now: number): RunRecord[] {
  return runs
    .filter(({ endedAt }) => endedAt === undefined || now - Date.parse(endedAt) < SHOW_ENDED_MS)
    .toSorted((a, b) => b.submittedAt.localeCompare(a.submittedAt))
}

const COMMA = Buffer.from(',')
const AT_OFFSET = '{"at":"'.length

function stamp(body: Buffer, at: string): void {
  body.write(at, AT_OFFSET, 'latin1')
}

function newEntry(): Entry {
  return {
    json: '',
    bytes: Buffer.alloc(0),
    alteration: '',
    revision: 0,
    head: '0-0',
    dueAt: Infinity,
    missing: null,
  }
}
