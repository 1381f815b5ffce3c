import {
  type CommandRecord,
  type Effect,
  type ErrorCode,
  type Outcome,
  type OutcomeKind,
  type Settlement,
  type StopRecord,
  type StopState,
  type Value,
  isoTime,
  targetOf,
} from '@golem/core'
import { createHash } from 'node:crypto'

/** The part of a record that does not change. */
export interface StoredRequest {
  id: string
  instrument: string
  parameter?: string
  value?: Value
  action?: string
  arguments?: Readonly<Record<string, Value>>
  exchange?: string
  by: string
  reservation?: number
  givenAt?: string
}

interface StoredRecord {
  request: StoredRequest
  submittedAt: number
  validUntil: number
  state: CommandRecord['state']
  startedAt?: number
  worker?: string
  endedAt?: number
  ending?: {
    outcome: OutcomeKind
    effect: Effect
    code?: ErrorCode
    message?: string
    result?: Value
    resultItems?: number
  }
  settled?: Settlement
}

/** A ledger record as the scripts hand it out. */
export function recordFrom(json: string): CommandRecord {
  const stored = JSON.parse(json) as StoredRecord
  return {
    ...stored.request,
    submittedAt: isoTime(stored.submittedAt),
    validUntil: isoTime(stored.validUntil),
    state: stored.state,
    ...(stored.worker === undefined ? {} : { worker: stored.worker }),
    ...(stored.startedAt === undefined ? {} : { startedAt: isoTime(stored.startedAt) }),
    ...(stored.endedAt === undefined ? {} : { endedAt: isoTime(stored.endedAt) }),
    ...stored.ending,
    ...(stored.settled === undefined ? {} : { settled: stored.settled }),
  }
}

/** The part of a record that does not change, as JSON for the scripts. */
export function requestOf(record: StoredRequest): string {
  const { id, instrument, parameter, value, action, exchange, by, reservation, givenAt } = record
  return JSON.stringify({
    id,
    instrument,
    ...(parameter === undefined ? {} : { parameter, value }),
    ...(action === undefined ? {} : { action, arguments: record.arguments ?? {} }),
    ...(exchange === undefined ? {} : { exchange }),
    by,
    ...(reservation === undefined ? {} : { reservation }),
    ...(givenAt === undefined ? {} : { givenAt }),
  })
}

/** Tells whether a repeated request with the same idempotency key asks for the same. */
export function fingerprintOf(record: StoredRequest): string {
  return createHash('sha256')
    .update(`${record.instrument} ${JSON.stringify(record.exchange ?? targetOf(record))}`)
    .digest('base64url')
}

/** An outcome as JSON for the scripts. */
export function endingOf({ outcome, effect, code, message, result, resultItems }: Outcome): string {
  return JSON.stringify({ outcome, effect, code, message, result, resultItems })
}

/** The stop table as the scripts hand it out: field, JSON, field, JSON… */
export function stopStateFrom(flat: readonly string[]): StopState {
  let site: StopRecord | null = null
  const instruments: Record<string, StopRecord> = {}
  for (let n = 0; n + 1 < flat.length; n += 2) {
    const { sinceMs, by, reason } = JSON.parse(flat[n + 1] ?? '{}') as {
      sinceMs: number
      by: string
      reason: string
    }
    const record = { since: isoTime(sinceMs), by, reason }
    if (flat[n] === '*') site = record
    else instruments[flat[n] ?? ''] = record
  }
  return { site, instruments }
}
