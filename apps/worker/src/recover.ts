import { type Outcome, type CommandRecord } from '@golem/core'
import { unknownOutcome } from '@golem/queue'
import type { ExecuteContext } from './execute.ts'
import type { Instrument } from './instrument.ts'

/** How far back the journal's outcomes are compared with the ledger when Redis may have lost some, in ms. */
const LOOK_BACK_MS = 10 * 60_000
const LOOK_BACK_MAX = 200

/**
 * Ends what the link's last owner left in the middle: called once after a link was taken, before any command.
 *
 * @param trusted - the journal here knows everything that was sent on the link
 */
export async function recoverCommands(
  execution: ExecuteContext,
  instruments: ReadonlyMap<string, Instrument>,
  trusted: boolean,
): Promise<void> {
  const { context, journal } = execution
  for (const { record } of journal.unfinished()) {
    const outcome = unknownOutcome('The worker ended while it was carrying this out; it was not sent again.')
    await end(execution, instruments, record, outcome)
  }
  for (const instrument of instruments.values()) {
    const record = await context.client.running(instrument.id)
    if (!record) continue
    const outcome =
      journal.entry(record.id)?.outcome ??
      (trusted
        ? refusedUnsent()
        : unknownOutcome('The worker that carried this out is gone; how it ended is not known.'))
    await end(execution, instruments, record, outcome)
  }
  await restoreOutcomes(execution, instruments)
}

/**
 * Writes outcomes that the journal knows and Redis does not: it came back without its last second. Unknown ones that
 * nobody has settled (their owner lost the link before it could read back) are settled by the next reading.
 */
export async function restoreOutcomes(
  { context, journal }: ExecuteContext,
  instruments: ReadonlyMap<string, Instrument>,
): Promise<void> {
  const recent = journal.endedSince(context.client.clock.now() - LOOK_BACK_MS).slice(-LOOK_BACK_MAX)
  const ledger = await context.client.records(recent.map(({ record }) => record.id))
  const newest = new Map(recent.map(({ record }) => [placeOf(record), record.id]))
  for (const [n, { record, outcome, endedAt }] of recent.entries()) {
    if (!outcome || endedAt === undefined) continue
    if (ledger[n]?.state !== 'ended') await context.client.finish(record, outcome, endedAt)
    // After a later command to the same parameter nobody can tell any more.
    const unsettled = outcome.outcome === 'unknown' && !ledger[n]?.settled
    if (unsettled && newest.get(placeOf(record)) === record.id) {
      instruments.get(record.instrument)?.settleLater(record)
    }
  }
}

function placeOf({ instrument, parameter = '' }: CommandRecord): string {
  return `${instrument} ${parameter}`
}

function refusedUnsent(): Outcome {
  return {
    outcome: 'refused',
    effect: 'none',
    code: 'WORKER_LOST',
    message: 'The worker ended before anything was sent.',
  }
}

async function end(
  { context, journal }: ExecuteContext,
  instruments: ReadonlyMap<string, Instrument>,
  record: CommandRecord,
  outcome: Outcome,
): Promise<void> {
  const endedAt = context.client.clock.now()
  journal.end(record.id, outcome, endedAt)
  await context.client.finish(record, outcome, endedAt)
  if (outcome.outcome === 'unknown') instruments.get(record.instrument)?.settleLater(record)
}
