import { type Cause, type Database, isLater, remembered } from '@golem/archive'
import type { ReceivedSample } from '@golem/queue'

/** So many workers are remembered at least, also when they are gone. */
const WORKERS = 100

/** How far a worker process has been read. */
interface Sender {
  life: string
  n: number
}

/**
 * How far the streams have been read: kept in the archive, and written together with what was read. It tells which
 * entries are new, and whether any were lost before them.
 */
export class Positions {
  /** Id of the last entry in each stream that the archive has. */
  samples: string
  events: string
  /** What the archive has of this, as `writeBatch` compares it. */
  written: Record<'samples' | 'events', string | undefined>
  #epoch: string
  /** Number of the last entry over all workers; undefined: not known. */
  #count: number | undefined
  readonly #senders: Map<string, Sender>

  private constructor(found: Readonly<Record<string, string | undefined>>) {
    this.samples = found['samples'] ?? '0-0'
    this.events = found['events'] ?? '0-0'
    this.written = { samples: found['samples'], events: found['events'] }
    this.#epoch = found['epoch'] ?? ''
    this.#count = found['count'] === undefined || found['count'] === '' ? undefined : Number(found['count'])
    this.#senders = new Map(Object.entries(JSON.parse(found['senders'] ?? '{}') as Record<string, Sender>))
  }

  static async load(database: Database): Promise<Positions> {
    const names = ['samples', 'events', 'epoch', 'count', 'senders']
    const found = await Promise.all(names.map((name) => remembered(database, name)))
    return new Positions(Object.fromEntries(names.map((name, n) => [name, found[n]])))
  }

  /**
   * Begins anew where Redis has: after init-db, or when it came back without its last entries and a clock that is set
   * back, so that new ones stand before those that were read.
   *
   * @param newest - id of the last entry that each stream ever had
   */
  follow(epoch: string, newest: { samples: string; events: string }): void {
    const isAnother = epoch !== this.#epoch
    this.#epoch = epoch
    if (isAnother || isLater(this.samples, newest.samples)) {
      this.samples = '0-0'
      this.#count = undefined
    }
    if (isAnother || isLater(this.events, newest.events)) this.events = '0-0'
  }

  /**
   * Looks at the next entry.
   *
   * @returns isNew: it has not been seen before; lost: so many were pushed out of the stream before it; doubt: why
   *   readings may be missing before it
   */
  next({ id, count, worker, life, n, entry }: ReceivedSample): {
    isNew: boolean
    lost: number
    doubt?: Cause
  } {
    this.samples = id
    if (entry === null) return { isNew: false, lost: 0 }
    const expected = this.#count === undefined ? count : this.#count + 1
    const before = this.#senders.get(worker)
    const isSame = before?.life === life
    this.#count = count
    if (isSame && n <= before.n) return { isNew: false, lost: 0 }
    this.#senders.set(worker, { life, n })
    const lost = Math.max(0, count - expected)
    const doubt = doubtAbout({
      lost,
      isSetBack: count < expected,
      isJump: isSame && n > before.n + 1,
      isAnotherLife: before !== undefined && !isSame,
    })
    return { isNew: true, lost, ...(doubt ? { doubt } : {}) }
  }

  /** For a batch. @param alive - workers that are there */
  toRemember(alive: ReadonlySet<string>): Record<string, string> {
    for (const worker of this.#senders.keys()) {
      if (this.#senders.size <= WORKERS) break
      if (!alive.has(worker)) this.#senders.delete(worker)
    }
    return {
      samples: this.samples,
      events: this.events,
      epoch: this.#epoch,
      count: this.#count === undefined ? '' : String(this.#count),
      senders: JSON.stringify(Object.fromEntries(this.#senders)),
    }
  }
}

function doubtAbout(signs: {
  lost: number
  isSetBack: boolean
  isJump: boolean
  isAnotherLife: boolean
}): Cause | undefined {
  if (signs.lost > 0) {
    const message = `The archiver was away for too long: ${signs.lost} entries were pushed out of the stream.`
    return { reason: 'behind', message }
  }
  if (signs.isSetBack || signs.isJump) {
    return { reason: 'redis', message: 'Redis was restarted without its last entries.' }
  }
  return signs.isAnotherLife ? { reason: 'worker', message: 'Its worker was started anew.' } : undefined
}
