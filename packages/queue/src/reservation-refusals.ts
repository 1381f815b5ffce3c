import {
  GolemError,
  NO_RESERVATION,
  type ReservationState,
  holderName,
  reservedInWords,
  timeInWords,
} from '@golem/core'
import { type StoredBooking, bookingFrom, reservationsFrom } from './reservation-records.ts'

/** Why a command of this instrument is refused. @param fence - number of the reservation it was given under, if any */
export function commandRefusedBy({ current }: ReservationState, fence?: number | string): GolemError {
  const held = current ? reservedInWords(current) : ''
  const ended = fence === undefined ? '' : `The reservation it was given under (number ${fence}) has ended. `
  return new GolemError('INSTRUMENT_RESERVED', `${ended}${held}`.trim(), {
    details: current ? { holder: holderName(current.holder), until: current.until } : {},
  })
}

/** What the answer of a script says to whoever asked. @param detail - JSON of the booking in the way */
export function refusalOf(what: string, instrument: string, json: string, detail: string): GolemError {
  const { current } = reservationsFrom(instrument, json).state
  switch (what) {
    case 'reserved':
      return commandRefusedBy({ ...NO_RESERVATION, current })
    case 'booked': {
      const { holder, from, until } = bookingFrom(JSON.parse(detail) as StoredBooking)
      return new GolemError(
        'INSTRUMENT_RESERVED',
        `${instrument} is booked by ${holderName(holder)} from ${timeInWords(from)} until ${timeInWords(until)}. ` +
          'Choose another time, or ask them.',
        { details: { holder: holderName(holder), from, until } },
      )
    }
    case 'past':
      return new GolemError('INVALID_REQUEST', 'That time is over, or ends before it begins.', {
        field: '/until',
      })
    case 'full':
      return new GolemError('QUEUE_FULL', `Too many wait for ${instrument} or have booked it already.`)
    case 'free':
      return new GolemError('INVALID_REQUEST', `Nobody holds ${instrument}: there is nothing to hand over.`, {
        field: '/to',
      })
    case 'notyours':
      return new GolemError(
        'NOT_ALLOWED',
        detail === ''
          ? `Only its holder may do that; an admin may end it with a reason. ${current ? reservedInWords(current) : ''}`.trim()
          : `That booking is ${holderName(bookingFrom(JSON.parse(detail) as StoredBooking).holder)}'s: only they or an admin may cancel it.`,
      )
    case 'noreason':
      return new GolemError('INVALID_REQUEST', 'It is not yours: as an admin, say why (reason).', {
        field: 'query.reason',
      })
    case 'changed':
      return new GolemError(
        'INSTRUMENT_RESERVED',
        current
          ? `It is another reservation by now: ${reservedInWords(current)}`
          : `That reservation of ${instrument} has ended already.`,
      )
    case 'nobooking':
      return new GolemError('NOT_FOUND', `There is no such booking of ${instrument}.`, {
        field: 'query.booking',
      })
    default:
      return new GolemError('INTERNAL', `a reservation script answered "${what}"`)
  }
}
