import { GolemError } from '@golem/core'
import type { WorkerContext } from './context.ts'

/**
 * May somebody change something on an instrument, just now? The one place that says so for commands of the queue and
 * for foreign programs at the gateway, directly before bytes go out.
 *
 * @param by - who asks, as the ledger has it
 * @throws STOPPED
 */
export function mayCommand({ stops }: WorkerContext, instrument: string, _by: string): void {
  const stop = stops.of(instrument)
  if (stop) throw new GolemError('STOPPED', `Refused: emergency stop by ${stop.by} (${stop.reason}).`)
}
