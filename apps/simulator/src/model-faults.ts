import { GolemError } from '@golem/core'
import type { Fault } from './faults.ts'
import type { WireFault } from './wire/faults.ts'

const DELAY_MS = 1000
const LATE_MS = 6500
const HUGE_BYTES = 1_200_000
/** These say what only the other kinds of device can do. */
const UNFITTING = ['raw', 'fields', 'act'] as const

/**
 * What a fault of a device is on the wire of an instrument of lines. A reboot is not of the wire: it is nothing there.
 *
 * @throws INVALID_REQUEST when it does not fit
 */
export function wireFaultOf(fault: Fault): WireFault {
  for (const key of UNFITTING) {
    if (fault[key] !== undefined) throw unfitting(fault, `/${key}`)
  }
  const { times, match } = fault
  const limits: Partial<WireFault> = {
    ...(times === undefined ? {} : { times }),
    ...(match === undefined
      ? {}
      : { match: (request) => match.method === request.toString('latin1').trim().split(/\s/, 1)[0] }),
  }
  switch (fault.kind) {
    case 'refuse':
    case 'reboot':
      return { kind: 'refuse' }
    case 'delay':
      return { kind: 'delay', ms: fault.ms ?? DELAY_MS, ...limits }
    case 'late':
      return { kind: 'late', ms: fault.ms ?? LATE_MS, ...limits }
    case 'silence':
    case 'cut':
    case 'stuck':
    case 'duplicate':
      return { kind: fault.kind, ...limits }
    case 'garbage':
      return { kind: 'garbage', where: 'instead', ...limits }
    case 'hugeReply':
      return { kind: 'garbage', where: 'instead', bytes: 'x'.repeat(fault.bytes ?? HUGE_BYTES), ...limits }
    default:
      throw unfitting(fault, '/kind')
  }
}

function unfitting({ kind }: Fault, field: string): GolemError {
  return new GolemError('INVALID_REQUEST', `The fault "${kind}" does not fit an instrument of lines so.`, {
    field,
  })
}
