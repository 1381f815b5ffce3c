import type { Database } from '@golem/archive'
import { type ArchiverRecord, messageOf } from '@golem/core'
import { statfs } from 'node:fs/promises'
import type { Logger } from 'pino'

/** A transaction that takes longer than this is slow, in ms: the next one is due. */
const SLOW_MS = 1_000
/** How often the disk is looked at, in ms. */
const LOOK_EVERY_MS = 10_000
/** Over what time readings are counted, in ms. */
const MINUTE_MS = 60_000
/** From so many stored readings on it is told what one takes. */
const ENOUGH = 10_000
/** Before that the log of the database has not grown to its size, in ms. */
const WARM_UP_MS = 300_000
/** Over less time it is not told when the disk will be full, in ms. */
const LONG_ENOUGH_MS = 3_600_000
const DAY_MS = 86_400_000

type Told = Pick<
  ArchiverRecord,
  | 'lost'
  | 'samplesPerSecond'
  | 'commitMs'
  | 'sizeBytes'
  | 'bytesPerSample'
  | 'freeBytes'
  | 'daysLeft'
  | 'trouble'
>

/** What the archiver that writes says of the archive: how far behind it is, what it takes, what is wrong. */
export class Health {
  readonly #log: Logger
  #database: Database | undefined
  #lost = 0
  #commitMs = 0
  #slowInARow = 0
  #trouble: ArchiverRecord['trouble']
  #stored: { at: number; samples: number }[] = []
  #storedInAll = 0
  #disk: { sizeBytes: number; freeBytes: number | null } | undefined
  #begin: { at: number; sizeBytes: number; stored: number } | undefined
  #lookedAt = -Infinity
  #openedAt = 0

  constructor(log: Logger) {
    this.#log = log
  }

  opened(database: Database): void {
    this.#database = database
    this.#begin = undefined
    this.#openedAt = performance.now()
    this.#lookedAt = -Infinity
    if (this.#trouble?.kind === 'down') this.#setTrouble(undefined)
  }

  closed(): void {
    this.#database = undefined
  }

  lost(entries: number): void {
    this.#lost += entries
    this.#log.error(
      `${entries} entries were lost: the archiver was away for longer than the stream keeps them`,
    )
  }

  /** A transaction is on the disk. @param tookMs - how long it took */
  wrote(samples: number, tookMs: number): void {
    const now = performance.now()
    this.#commitMs = tookMs
    this.#slowInARow = tookMs > SLOW_MS ? this.#slowInARow + 1 : 0
    this.#storedInAll += samples
    this.#stored.push({ at: now, samples })
    while (this.#stored[0] && now - this.#stored[0].at > MINUTE_MS) this.#stored.shift()
    this.#setTrouble(
      this.#slowInARow > 2
        ? { kind: 'slow', message: `The disk is slow: a transaction took ${Math.round(tookMs)} ms.` }
        : undefined,
    )
  }

  /** Nothing can be written, for now. */
  troubled(error: unknown): void {
    const message = messageOf(error)
    const isFull = /disk is full|no space left|ENOSPC|could not extend file/i.test(message)
    this.#setTrouble(
      isFull
        ? { kind: 'full', message: `The disk of the archive is full (${message}).` }
        : { kind: 'down', message: `The archive can't be written: ${message}` },
    )
  }

  /** @param place - of the archive */
  async told(place: string): Promise<Told> {
    await this.#lookAtDisk(place)
    const { sizeBytes, freeBytes } = this.#disk ?? { sizeBytes: null, freeBytes: null }
    return {
      lost: this.#lost,
      samplesPerSecond: this.#samplesPerSecond(),
      commitMs: Math.round(this.#commitMs),
      sizeBytes,
      freeBytes,
      ...this.#growth(sizeBytes, freeBytes),
      ...(this.#trouble ? { trouble: this.#trouble } : {}),
    }
  }

  #setTrouble(trouble: ArchiverRecord['trouble']): void {
    if (trouble?.message !== this.#trouble?.message) {
      if (trouble) this.#log.warn(trouble.message)
      else this.#log.info('the archive is written again')
    }
    this.#trouble = trouble
  }

  #samplesPerSecond(): number {
    const [first] = this.#stored
    if (!first) return 0
    const seconds = Math.max(1, (performance.now() - first.at) / 1_000)
    const sum = this.#stored.reduce((all, { samples }) => all + samples, 0)
    return Math.round((sum / seconds) * 10) / 10
  }

  async #lookAtDisk(place: string): Promise<void> {
    const now = performance.now()
    if (!this.#database || now - this.#lookedAt < LOOK_EVERY_MS) return
    this.#lookedAt = now
    try {
      const sizeBytes = await this.#database.size()
      this.#disk = { sizeBytes, freeBytes: this.#database.kind === 'sqlite' ? await freeOn(place) : null }
      if (now - this.#openedAt > WARM_UP_MS) {
        this.#begin ??= { at: now, sizeBytes, stored: this.#storedInAll }
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'the size of the archive is not known')
    }
  }

  #growth(
    sizeBytes: number | null,
    freeBytes: number | null,
  ): Pick<ArchiverRecord, 'bytesPerSample' | 'daysLeft'> {
    const begin = this.#begin
    if (!begin || sizeBytes === null) return { bytesPerSample: null, daysLeft: null }
    const grown = Math.max(0, sizeBytes - begin.sizeBytes)
    const stored = this.#storedInAll - begin.stored
    if (stored < ENOUGH) return { bytesPerSample: null, daysLeft: null }
    const overMs = this.#lookedAt - begin.at
    const perDay = (grown / overMs) * DAY_MS
    const isKnown = freeBytes !== null && perDay > 0 && overMs > LONG_ENOUGH_MS
    return {
      bytesPerSample: Math.round(grown / stored),
      daysLeft: isKnown ? Math.round(freeBytes / perDay) : null,
    }
  }
}

async function freeOn(file: string): Promise<number> {
  const { bavail, bsize } = await statfs(file)
  return bavail * bsize
}
