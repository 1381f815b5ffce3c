import { GolemError } from '@golem/core'
import { reservationsFrom } from './reservation-records.ts'
import { commandRefusedBy } from './reservation-refusals.ts'

/**
 * Why the ledger did not take a command.
 *
 * @param what - as golemSubmit answers
 * @param detail - what it says besides
 */
export function submitRefusal(
  what: string,
  detail: string,
  { instrument, reservation, maxWaiting }: { instrument: string; reservation?: number; maxWaiting: number },
): GolemError {
  switch (what) {
    case 'reused':
      return new GolemError('KEY_REUSED', 'This Idempotency-Key was used for another command before.', {
        field: 'header.idempotency-key',
      })
    case 'stopped': {
      const { by, reason } = JSON.parse(detail) as { by: string; reason: string }
      return new GolemError(
        'STOPPED',
        `${instrument} is stopped (by ${by}: ${reason}). Release the emergency stop first.`,
      )
    }
    case 'lead':
      return new GolemError('LEASE_LOST', 'Another scheduler leads by now; nothing was sent.')
    case 'reserved':
      return commandRefusedBy(reservationsFrom(instrument, detail).state)
    case 'fence':
      return commandRefusedBy(reservationsFrom(instrument, detail).state, reservation)
    case 'full':
      return new GolemError(
        'QUEUE_FULL',
        `${detail} commands wait for ${instrument} already; no more than ${maxWaiting} may. Try again when they are done.`,
      )
    default:
      return new GolemError('QUEUE_DOWN', 'Redis answered too late. Nothing was sent; try again.')
  }
}
