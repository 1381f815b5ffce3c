import { isoTime, type LogLevel, messageOf } from '@golem/core'
import type { LogRecord } from '@golem/logs'
import type { LogLine, SiteClient } from '@golem/queue'
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { LogBuffer } from './buffer.ts'
import { RateLimit } from './rate-limit.ts'
import { tiesOf } from './ties.ts'

/** Records a second that one sender may write for long, and at once after a pause. */
const PER_SECOND = 50
const BURST = 1_000
/** The same for all senders of a web process together. */
const ALL_PER_SECOND = 500
const ALL_BURST = 5_000
/** How often what has come is written, in ms. */
const FLUSH_MS = 50
/** How long it waits after a failure, in ms. */
const RETRY_MS = 500
/** How often dropped records are told, in ms. */
const TELL_MS = 10_000
/** How long the end of the process may take for what is not yet written, in ms. */
const LAST_FLUSH_MS = 3_000

/** Who sends records. */
export interface LogSender {
  /** As the log is to name them. */
  by: string
  /** Has somebody said that they are this? Else nothing of theirs is sought by the name. */
  named: boolean
  /** Address they come from; with the name it tells senders apart. */
  address: string
}

export interface LogIntakeOptions {
  client: Pick<SiteClient, 'view' | 'writeLog'>
  log: Logger
}

/**
 * Takes records of people's programs for the site's log. Taking one never waits: they are written in batches, kept for a
 * while when Redis is away, and what had to be dropped is told as an event.
 */
export class LogIntake {
  readonly #client: LogIntakeOptions['client']
  readonly #log: Logger
  readonly #writer = randomUUID()
  #number = 0
  readonly #buffer = new LogBuffer()
  readonly #perSender = new RateLimit(PER_SECOND, BURST)
  readonly #all = new RateLimit(ALL_PER_SECOND, ALL_BURST)
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<boolean> | undefined
  readonly #teller: NodeJS.Timeout
  #closed = false

  constructor({ client, log }: LogIntakeOptions) {
    this.#client = client
    this.#log = log
    this.#teller = setInterval(() => this.#tellDropped(), TELL_MS).unref()
  }

  /** Takes records; what is above a sender's rate, or does not fit while Redis is away, is dropped and counted. */
  take(records: readonly LogRecord[], sender: LogSender): void {
    const { view } = this.#client
    const at = view.now()
    const now = performance.now()
    const who = `${sender.by} at ${sender.address}`
    for (const record of records) {
      const size = sizeOf(record)
      if (!this.#perSender.admits(who, size, now) || !this.#all.admits('all', size, now)) continue
      this.#buffer.add(
        lineOf(record, { at, by: sender.by }, tiesOf(record, sender.named ? sender.by : undefined, view)),
        size,
      )
    }
    this.#schedule(FLUSH_MS)
  }

  /** Tells something of the intake itself, e.g. that somebody sends what can't be read. */
  tell(message: string, level: LogLevel = 'warning'): void {
    this.#buffer.add(
      { at: this.#client.view.now(), by: 'golem', message, details: { level } },
      message.length,
    )
    this.#schedule(FLUSH_MS)
  }

  /** Writes what is left, for a few seconds at most. */
  async close(): Promise<void> {
    clearInterval(this.#teller)
    this.#tellDropped()
    this.#closed = true
    clearTimeout(this.#timer)
    const end = performance.now() + LAST_FLUSH_MS
    while (this.#buffer.size > 0 && performance.now() < end) {
      if (!(await this.#flush())) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const { size } = this.#buffer
    if (size > 0) this.#log.warn({ lines: size }, 'Redis did not answer: lines of the log are lost')
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined || this.#closed || this.#buffer.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#flush().then((written) => this.#schedule(written ? FLUSH_MS : RETRY_MS))
    }, ms).unref()
  }

  /** Writes one batch. @returns false when it has to be sent again */
  #flush(): Promise<boolean> {
    this.#writing ??= this.#writeBatch().finally(() => (this.#writing = undefined))
    return this.#writing
  }

  async #writeBatch(): Promise<boolean> {
    const lines = this.#buffer.batch(() => this.#client.view.now())
    if (lines.length === 0) return true
    try {
      // The same number until it is known to have arrived: a batch whose confirmation was lost is written once.
      await this.#client.writeLog(this.#writer, this.#number + 1, lines)
    } catch (error) {
      this.#log.debug(`lines of the log wait: ${messageOf(error)}`)
      return false
    }
    this.#number += 1
    this.#buffer.written()
    return true
  }

  #tellDropped(): void {
    const now = performance.now()
    for (const { sender, dropped } of this.#perSender.takeDropped(now)) {
      this.tell(`${dropped} log records of ${sender} were dropped: more than ${PER_SECOND} a second.`)
    }
    for (const { dropped } of this.#all.takeDropped(now)) {
      this.tell(
        `${dropped} log records were dropped: all senders together wrote more than ${ALL_PER_SECOND} a second.`,
      )
    }
  }
}

function sizeOf({ message, exception = '', extra }: LogRecord): number {
  return message.length + exception.length + (extra === undefined ? 0 : JSON.stringify(extra).length)
}

function lineOf(
  record: LogRecord,
  { at, by }: { at: number; by: string },
  { instrument, run }: { instrument?: string; run?: string },
): LogLine {
  const { level, message, logger, time, exception, place, extra, reservation } = record
  // What it said of a run that is none is kept as it was said.
  const unknown = record.run === undefined || record.run === run ? {} : { run: record.run }
  const rest = { ...extra, ...unknown, ...(reservation === undefined ? {} : { reservation }) }
  const data = {
    ...(logger === undefined ? {} : { logger }),
    ...(time === undefined ? {} : { time: isoTime(time) }),
    ...(place === undefined ? {} : { place }),
    ...(exception === undefined ? {} : { exception }),
    ...(Object.keys(rest).length === 0 ? {} : { extra: rest }),
  }
  return {
    at,
    by,
    message,
    ...(instrument === undefined ? {} : { instrument }),
    details: {
      level,
      ...(run === undefined ? {} : { run }),
      ...(Object.keys(data).length === 0 ? {} : { data }),
    },
  }
}
