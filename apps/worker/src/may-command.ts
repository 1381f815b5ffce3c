import { GolemError } from '@golem/core'
import type { WorkerContext } from './context.ts'

/**
 * May somebody use an instrument, just now? The one place that says so for commands of the queue and for foreign
 * programs at the gateway, directly before bytes go out.
 *
 * @param by - who asks, as the ledger has it
 * @param how - `under`: number of the reservation a command was given under ('': none); `changes: false`: it only looks,
 *   which a reservation does not forbid
 * @throws STOPPED, INSTRUMENT_RESERVED
 */
export function mayCommand(
  { stops, reservations }: WorkerContext,
  instrument: string,
  by: string,
  { under = '', changes = true }: { under?: string; changes?: boolean } = {},
): void {
  const stop = stops.of(instrument)
  if (stop) throw new GolemError('STOPPED', `Refused: emergency stop by ${stop.by} (${stop.reason}).`)
  const refusal = changes ? reservations.refusal(instrument, by, under) : null
  if (refusal) throw refusal
}
