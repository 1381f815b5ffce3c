import type { CommandRecord, Effect, OutcomeKind } from '@golem/core'
import { type Api, type CommandBody, Problem, randomKey, Unreachable } from './api.ts'

/** How a command ended, as far as the page can tell. */
export interface Ended {
  outcome: OutcomeKind
  effect: Effect
  /** In golem's words; absent: `reason` says it. */
  message?: string
  /** Why it was not done; absent: it was, or nobody knows. */
  code?: string
  /** A sentence of the page in place of golem's. */
  reason?: 'sendGaveUp' | 'commandGone'
  record?: CommandRecord
}

export interface SubmitProgress {
  /** No answer, so it is asked again; `attempt` counts from 2. */
  onRetry(attempt: number, of: number): void
  /** The record as it now is: waiting, running. */
  onRecord(record: CommandRecord): void
}

export interface Pace {
  /** Pauses before the second, third, … attempt, in ms. */
  retryAfterMs: readonly number[]
  /** No attempt starts later than this after the press, in ms: nobody expects the relay to click then. */
  giveUpAfterMs: number
  /** How often a command that runs is asked for, in ms. */
  followEveryMs: number
  /** For how long a command of unknown outcome is watched for what reading back shows, in ms. */
  settleWithinMs: number
}

export const PACE: Pace = {
  retryAfterMs: [500, 1000, 2000, 4000],
  giveUpAfterMs: 20_000,
  followEveryMs: 500,
  settleWithinMs: 20_000,
}

type Commands = Pick<Api, 'submit' | 'command'>

/**
 * Sends a command and waits for its outcome. When no answer comes, the same request goes again under the same
 * idempotency key: the server then answers for the first one, so nothing is done twice.
 *
 * @returns how it ended; never throws for what the server or the network do
 */
export async function submitCommand(
  api: Commands,
  instrument: string,
  body: CommandBody,
  progress: SubmitProgress,
  pace: Pace = PACE,
): Promise<Ended> {
  const sent = await send(api, instrument, body, progress, pace)
  return 'ended' in sent ? sent.ended : follow(api, sent.record, progress, pace)
}

async function send(
  api: Commands,
  instrument: string,
  body: CommandBody,
  progress: SubmitProgress,
  pace: Pace,
): Promise<{ record: CommandRecord } | { ended: Ended }> {
  const key = randomKey()
  const of = pace.retryAfterMs.length + 1
  const pressedAt = performance.now()
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { record: await api.submit(instrument, body, key) }
    } catch (error) {
      const ended = certainEnd(error)
      if (ended) return { ended }
      const pause = pace.retryAfterMs[attempt - 1]
      if (pause === undefined || performance.now() - pressedAt + pause > pace.giveUpAfterMs) {
        return { ended: { outcome: 'unknown', effect: 'unknown', reason: 'sendGaveUp' } }
      }
      progress.onRetry(attempt + 1, of)
      await sleep(pause)
    }
  }
}

/** What an error says for certain; null: whether the command arrived is not known, so ask again. */
function certainEnd(error: unknown): Ended | null {
  if (error instanceof Unreachable) return null
  if (!(error instanceof Problem)) throw error
  // The server could not say whether its hand-over to the queue succeeded; under the same key it finds out.
  if (error.status >= 500 && error.effect === 'unknown') return null
  return {
    outcome: error.effect === 'none' ? 'refused' : 'unknown',
    effect: error.effect,
    message: error.message,
    code: error.code,
  }
}

async function follow(
  api: Commands,
  first: CommandRecord,
  progress: SubmitProgress,
  pace: Pace,
): Promise<Ended> {
  let record = first
  while (record.state !== 'ended') {
    progress.onRecord(record)
    await sleep(pace.followEveryMs)
    const next = await ask(api, record.id)
    if (next === 'gone') return { outcome: 'unknown', effect: 'unknown', reason: 'commandGone', record }
    if (next !== 'silence') record = next
  }
  return endOf(record)
}

/** A read: it may be asked as often as one likes, until the server is back. */
async function ask(api: Commands, id: string): Promise<CommandRecord | 'gone' | 'silence'> {
  try {
    return await api.command(id)
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return 'gone'
    if (error instanceof Problem || error instanceof Unreachable) return 'silence'
    throw error
  }
}

function endOf(record: CommandRecord): Ended {
  return {
    outcome: record.outcome ?? 'unknown',
    effect: record.effect ?? 'unknown',
    ...(record.message === undefined ? {} : { message: record.message }),
    ...(record.code === undefined ? {} : { code: record.code }),
    record,
  }
}

/**
 * Waits for what reading back shows after an unknown outcome.
 *
 * @returns the record with its settlement, or null when none came in time
 */
export async function waitForSettlement(
  api: Commands,
  record: CommandRecord,
  pace: Pace = PACE,
): Promise<CommandRecord | null> {
  const until = performance.now() + pace.settleWithinMs
  let now: CommandRecord = record
  while (!now.settled) {
    if (performance.now() > until) return null
    await sleep(pace.followEveryMs)
    const next = await ask(api, record.id)
    if (next === 'gone') return null
    if (next !== 'silence') now = next
  }
  return now
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
