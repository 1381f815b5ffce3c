import { type CommandRecord, GolemError, type Outcome, messageOf } from '@golem/core'
import fs from 'node:fs'
import path from 'node:path'

/** A command that the journal knows: it has begun, and perhaps ended. */
export interface JournalEntry {
  record: CommandRecord
  /** ms since 1970, site clock */
  begunAt: number
  outcome?: Outcome
  endedAt?: number
}

type Line =
  | { t: 'own'; at: number; boot: string; fence: number; worker: string }
  | { t: 'begin'; at: number; record: CommandRecord }
  | { t: 'end'; at: number; id: string; outcome: Outcome }

/** Above this many lines the journal is written anew with its newest entries when a link is taken. */
const MAX_LINES = 20_000
const KEPT_ENTRIES = 5_000

/**
 * The worker's own record, on its own disk, of what it has sent: one file per link, so that the next worker on
 * this machine goes on where the last one ended. A line is written before the first byte of a command goes out,
 * and a command that has a line is never carried out again, whatever Redis says.
 *
 * The lines are not forced to the disk one by one: they survive the death of the process at once, and a power cut
 * is told by the machine's boot id (see `trusted`).
 */
export class Journal {
  readonly #file: string
  readonly #entries = new Map<string, JournalEntry>()
  #descriptor: number
  #lines = 0
  #lastFence = 0
  #boot = ''

  /**
   * Opens the journal of a link and reads what is there.
   *
   * @param folder - made when missing
   * @throws JOURNAL_FAILED when the disk does not allow it
   */
  constructor(folder: string, link: string) {
    this.#file = fileOf(folder, link)
    try {
      fs.mkdirSync(folder, { recursive: true })
      this.#read()
      if (this.#lines > MAX_LINES) this.#compact()
      this.#descriptor = fs.openSync(this.#file, 'a')
    } catch (error) {
      throw journalFailed(this.#file, 'opened', error)
    }
  }

  /** The highest fencing number under which a worker of this machine owned the link. */
  get lastFence(): number {
    return this.#lastFence
  }

  /**
   * Does the journal know everything that was sent on this link before the lease with this fencing number?
   * Not so when another machine owned the link in between, or this machine has been restarted since.
   */
  trusted(fence: number): boolean {
    return this.#lastFence >= fence - 1 && (this.#boot === '' || this.#boot === bootId())
  }

  /** Notes that the link is owned from now on. */
  own(fence: number, worker: string, at: number): void {
    this.#write({ t: 'own', at, boot: bootId(), fence, worker })
    this.#lastFence = fence
    this.#boot = bootId()
  }

  /** What is known of a command. */
  entry(id: string): JournalEntry | undefined {
    return this.#entries.get(id)
  }

  /** Commands that have begun and of which no end was written: the process died in the middle. */
  unfinished(): JournalEntry[] {
    return [...this.#entries.values()].filter(({ outcome }) => outcome === undefined)
  }

  /** Commands that ended since, newest last. @param since - ms since 1970, site clock */
  endedSince(since: number): JournalEntry[] {
    return [...this.#entries.values()].filter(({ endedAt }) => endedAt !== undefined && endedAt >= since)
  }

  /** Notes that the first byte of a command goes out now. @throws JOURNAL_FAILED; then it must not go out */
  begin(record: CommandRecord, at: number): void {
    if (this.#entries.has(record.id)) {
      throw new GolemError('INTERNAL', `command ${record.id} is in the journal already`)
    }
    this.#write({ t: 'begin', at, record })
    this.#entries.set(record.id, { record, begunAt: at })
  }

  /** Notes how a command ended. @throws JOURNAL_FAILED; the outcome is then known to Redis only */
  end(id: string, outcome: Outcome, at: number): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.outcome = outcome
    entry.endedAt = at
    this.#write({ t: 'end', at, id, outcome })
    if (this.#entries.size > 2 * KEPT_ENTRIES) this.#forgetOld()
  }

  close(): void {
    fs.closeSync(this.#descriptor)
  }

  #write(line: Line): void {
    try {
      fs.writeSync(this.#descriptor, `${JSON.stringify(line)}\n`)
      this.#lines += 1
    } catch (error) {
      throw journalFailed(this.#file, 'written', error)
    }
  }

  #read(): void {
    if (!fs.existsSync(this.#file)) return
    const text = fs.readFileSync(this.#file, 'utf8')
    const lines = text.split('\n')
    // A piece without an end of line was being written when the process died: nothing had been sent for it.
    const piece = lines.pop()
    for (const line of lines) if (line !== '') this.#take(parseLine(line))
    if (piece) fs.appendFileSync(this.#file, '\n')
    this.#lines = lines.length
  }

  #take(line: Line | undefined): void {
    switch (line?.t) {
      case 'own':
        this.#lastFence = Math.max(this.#lastFence, line.fence)
        this.#boot = line.boot
        break
      case 'begin':
        this.#entries.set(line.record.id, { record: line.record, begunAt: line.at })
        break
      case 'end': {
        const entry = this.#entries.get(line.id)
        if (entry) Object.assign(entry, { outcome: line.outcome, endedAt: line.at })
        break
      }
      case undefined:
        break
    }
  }

  #forgetOld(): void {
    for (const id of [...this.#entries.keys()].slice(0, this.#entries.size - KEPT_ENTRIES)) {
      if (this.#entries.get(id)?.outcome !== undefined) this.#entries.delete(id)
    }
  }

  #compact(): void {
    this.#forgetOld()
    const lines: Line[] = [
      { t: 'own', at: 0, boot: this.#boot, fence: this.#lastFence, worker: '' },
      ...[...this.#entries.values()].flatMap(({ record, begunAt, outcome, endedAt }): Line[] => [
        { t: 'begin', at: begunAt, record },
        ...(outcome ? [{ t: 'end' as const, at: endedAt ?? begunAt, id: record.id, outcome }] : []),
      ]),
    ]
    const next = `${this.#file}.new`
    fs.writeFileSync(next, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    fs.renameSync(next, this.#file)
    this.#lines = lines.length
  }
}

/**
 * The highest fencing number under which a worker of this machine owned a link. The journal is only read: another
 * process may own the link and be writing to it.
 *
 * @throws JOURNAL_FAILED
 */
export function lastFence(folder: string, link: string): number {
  const file = fileOf(folder, link)
  try {
    if (!fs.existsSync(file)) return 0
    const lines = fs.readFileSync(file, 'utf8').split('\n')
    const fences = lines.map((line) => {
      const found = line.includes('"t":"own"') ? parseLine(line) : undefined
      return found?.t === 'own' ? found.fence : 0
    })
    return fences.reduce((highest, fence) => Math.max(highest, fence), 0)
  } catch (error) {
    throw journalFailed(file, 'read', error)
  }
}

function fileOf(folder: string, link: string): string {
  return path.join(folder, `${encodeURIComponent(link)}.jsonl`)
}

function journalFailed(file: string, what: string, error: unknown): GolemError {
  return new GolemError(
    'JOURNAL_FAILED',
    `The journal ${file} can't be ${what} (${messageOf(error)}), so no command is carried out. Look at the disk.`,
    { cause: error },
  )
}

/** A line that can't be read is one that was torn by a power cut; whole ones before and after it stand. */
function parseLine(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

let boot: string | undefined

/** Changes with each start of the machine. */
export function bootId(): string {
  boot ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return boot
}
