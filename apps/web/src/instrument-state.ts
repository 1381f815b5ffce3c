import {
  EMPTY_QUEUE,
  type InstrumentState,
  type QueueState,
  type Reading,
  type ReservationState,
  type Snapshot,
  type WorkerRecord,
  isoTime,
} from '@golem/core'
import type { StoredQueue } from '@golem/queue'

/** How often the age of the oldest waiting command is written anew, in ms. */
const QUEUE_AGE_MS = 500

/** An owner that has not been heard of for longer than its lease. */
export interface MissingOwner {
  /** Id of the worker; null when no worker owns the instrument. */
  worker: string | null
  /** Last sign of it, ms since 1970. */
  since: number
}

export interface InstrumentFacts {
  snapshot: Snapshot | undefined
  queue: StoredQueue | undefined
  reservation: ReservationState | undefined
  described: boolean
  /** From `missingOwner`; null while Redis is away, because then nobody can be heard. */
  missing: MissingOwner | null
  /** Whether Redis is reachable. */
  busOk: boolean
  /** Site clock, ms since 1970. */
  now: number
  /** For an instrument without a snapshot: since when this is so, ms since 1970. */
  knownSince: number
}

export interface ShownInstrument {
  state: InstrumentState
  /** What is shown otherwise than the worker wrote it, by reason and extent; empty: nothing. */
  alteration: string
  /** When time alone will change it next, ms since 1970; Infinity: never. */
  dueAt: number
}

/**
 * Finds out whether an instrument's worker is away.
 *
 * @param worker - record of the snapshot's owner
 * @param now - site clock, ms
 * @param graceUntil - before this time a silent worker is not yet missed (Redis has just come back), ms
 * @returns null when it is there, or not long enough away
 */
export function missingOwner(
  snapshot: Snapshot | undefined,
  worker: WorkerRecord | undefined,
  { now, leaseMs, graceUntil }: { now: number; leaseMs: number; graceUntil: number },
): MissingOwner | null {
  if (!snapshot || now < graceUntil) return null
  const since =
    snapshot.owner !== null && worker
      ? Date.parse(worker.lastSeen)
      : Math.max(Date.parse(snapshot.conditionSince), Date.parse(snapshot.seenAt ?? snapshot.conditionSince))
  return now - since > leaseMs ? { worker: snapshot.owner, since } : null
}

/** An instrument as it may honestly be shown now: what is old is stale, what has no worker is lost. */
export function showInstrument(facts: InstrumentFacts): ShownInstrument {
  const { snapshot, now } = facts
  const waiting = showQueue(facts.queue, now)
  const queueDue = waiting.waiting > 0 ? now + QUEUE_AGE_MS : Infinity
  if (!snapshot) {
    const message = facts.described
      ? 'A worker has announced it, but has not spoken to it yet.'
      : 'No worker has announced it yet. Is a worker running on its host?'
    const state: InstrumentState = {
      condition: 'connecting',
      conditionSince: isoTime(facts.knownSince),
      message,
      owner: null,
      seenAt: null,
      readings: {},
      queue: waiting,
      reservation: facts.reservation ?? null,
    }
    return { state, alteration: '', dueAt: queueDue }
  }
  // Without an owner the worker has said itself how it left the instrument; that stands.
  const lost = snapshot.owner === null || snapshot.condition === 'stopped' ? null : facts.missing
  const shown = showReadings(snapshot, facts, lost !== null)
  const state: InstrumentState = {
    condition: lost ? 'lost' : snapshot.condition,
    conditionSince: lost ? isoTime(lost.since) : snapshot.conditionSince,
    message: lost
      ? `Its worker ${lost.worker ?? ''} has not been heard of since ${isoTime(lost.since)}; outputs hold their last state.`
      : snapshot.message,
    owner: snapshot.owner,
    seenAt: snapshot.seenAt,
    readings: shown.readings,
    ...(snapshot.powerReturn ? { powerReturn: snapshot.powerReturn } : {}),
    ...(snapshot.interlocks ? { interlocks: snapshot.interlocks } : {}),
    ...(snapshot.outputs ? { outputs: snapshot.outputs } : {}),
    queue: waiting,
    reservation: facts.reservation ?? null,
  }
  const reason = lost ? `lost ${lost.since} ` : facts.busOk ? '' : 'bus '
  return { state, alteration: reason + shown.altered.join(' '), dueAt: Math.min(queueDue, shown.dueAt) }
}

function showReadings(
  snapshot: Snapshot,
  { now, busOk }: InstrumentFacts,
  lost: boolean,
): { readings: Record<string, Reading>; altered: string[]; dueAt: number } {
  const readings: Record<string, Reading> = {}
  const altered: string[] = []
  let dueAt = Infinity
  for (const [name, reading] of Object.entries(snapshot.readings)) {
    const staleAfterMs = snapshot.staleAfterMsOf?.[name] ?? snapshot.staleAfterMs
    const staleAt = reading.at === null ? Infinity : Date.parse(reading.at) + staleAfterMs
    const why = lost
      ? 'Its worker is away.'
      : !busOk
        ? 'The web process does not hear from Redis.'
        : now > staleAt
          ? `Not read for more than ${staleAfterMs / 1000} s.`
          : null
    if (reading.quality !== 'good') {
      readings[name] = reading
    } else if (why === null) {
      readings[name] = reading
      dueAt = Math.min(dueAt, staleAt)
    } else {
      readings[name] = { ...reading, quality: 'stale', error: reading.error ?? why }
      altered.push(name)
    }
  }
  return { readings, altered, dueAt }
}

/** A queue with the age of its oldest command at a time. @param now - site clock, ms */
export function showQueue(queue: StoredQueue | undefined, now: number): QueueState {
  if (!queue) return EMPTY_QUEUE
  const { waiting, oldestAt, running, last } = queue
  return { waiting, oldestMs: oldestAt === null ? 0 : Math.max(0, Math.round(now - oldestAt)), running, last }
}
