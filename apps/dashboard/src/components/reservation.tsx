import {
  type Booking,
  holderName,
  type InstrumentDescription,
  type InstrumentState,
  isEntitled,
  NO_RESERVATION,
  type ReservationRecord,
  type ReservationState,
} from '@golem/core'
import { useState } from 'preact/hooks'
import { formatDuration, formatTime } from '../format.ts'
import { formatMinute, isPerson } from '../reservation.ts'
import { allBlockedReason, language, now, serverLost, session, t } from '../store.ts'
import { usePage } from './page-context.ts'
import { EndDialog, ReserveDialog } from './reserve-dialog.tsx'

interface ReservationProps {
  instrument: InstrumentDescription
  state: InstrumentState | undefined
}

/** Who has an instrument and until when, who waits and who has booked it, and what one can do about it. */
export function ReservationLine({ instrument, state }: ReservationProps) {
  const [asking, setAsking] = useState<'reserve' | 'end' | null>(null)
  const reservation = state?.reservation ?? NO_RESERVATION
  const { current, bookings } = reservation
  const me = session.value
  if (me === null || state === undefined) return null
  const isMine = current !== null && isPerson(current.holder, me.name)
  const isFree = current === null && bookings.length === 0 && reservation.waiting.length === 0
  const close = (): void => setAsking(null)
  return (
    <div
      class="reservation"
      data-part="reservation"
      data-holder={current ? holderName(current.holder) : undefined}
      data-mine={isMine ? '' : undefined}
      data-free={isFree ? '' : undefined}
    >
      {current && <Held current={current} isMine={isMine} name={me.name} />}
      <InLine reservation={reservation} />
      {me.role !== 'viewer' && (
        <Buttons
          instrument={instrument}
          reservation={reservation}
          isMine={isMine}
          onReserve={() => setAsking('reserve')}
          onEnd={() => setAsking('end')}
        />
      )}
      {bookings.length > 0 && (
        <ul>
          {bookings.map((booking) => (
            <BookingLine key={booking.id} instrument={instrument} booking={booking} />
          ))}
        </ul>
      )}
      {asking === 'reserve' && (
        <ReserveDialog
          instrument={instrument}
          mine={isMine ? current : null}
          isHeld={current !== null && !isMine}
          onClose={close}
        />
      )}
      {asking === 'end' && current && <EndDialog instrument={instrument} current={current} onClose={close} />}
    </div>
  )
}

function Held({ current, isMine, name }: { current: ReservationRecord; isMine: boolean; name: string }) {
  const ms = now.value
  const until = formatMinute(current.until, ms, language.value)
  const left = ms === null ? '—' : formatDuration(Date.parse(current.until) - ms, language.value)
  const by = holderName(current.holder)
  const others = current.sharedWith.filter((one) => one !== name)
  const details = [
    current.note ?? '',
    !isMine && isEntitled(current, name) ? t('reservedWithYou') : '',
    others.length > 0 ? t('sharedWith', { names: others.join(', ') }) : '',
    current.quietUntil
      ? t('quietUntil', { until: formatMinute(current.quietUntil, ms, language.value) })
      : '',
    current.idleSince ? t('idleSince', { since: formatTime(current.idleSince, ms, language.value) }) : '',
  ].filter((detail) => detail !== '')
  return (
    <>
      <span class="holder">
        {isMine ? t('reservedByYou', { until, left }) : t('reservedBy', { by, until, left })}
      </span>
      {details.map((detail) => (
        <span class="quiet" key={detail}>
          {detail}
        </span>
      ))}
    </>
  )
}

function InLine({ reservation: { waiting } }: { reservation: ReservationState }) {
  if (waiting.length === 0) return null
  const names = waiting.map(({ holder }) => holderName(holder)).join(', ')
  return <span class="quiet">{t('inLine', { names })}</span>
}

interface ButtonsProps {
  instrument: InstrumentDescription
  reservation: ReservationState
  isMine: boolean
  onReserve: () => void
  onEnd: () => void
}

function Buttons({ instrument, reservation, isMine, onReserve, onEnd }: ButtonsProps) {
  const { commands } = usePage()
  const { current, waiting } = reservation
  const me = session.value
  const number = 1 + waiting.findIndex(({ holder }) => isPerson(holder, me?.name ?? null))
  // A stop forbids commands, not reservations.
  const off = { disabled: serverLost.value, title: serverLost.value ? (allBlockedReason() ?? '') : undefined }
  const name = instrument.label
  const button = (role: string, words: string, label: string, onClick: () => void) => (
    <button type="button" data-role={role} aria-label={label} onClick={onClick} {...off}>
      {words}
    </button>
  )
  return (
    <div class="buttons">
      {!current && button('reserve', t('reserve'), t('reserveLabel', { name }), onReserve)}
      {isMine && (
        <>
          {button('change-reservation', t('reserveChange'), t('reserveChangeLabel', { name }), onReserve)}
          {button('give-back', t('giveBack'), t('giveBackLabel', { name }), () => {
            void commands.giveBack(instrument.id, { fence: String(current?.fence) })
          })}
        </>
      )}
      {current && !isMine && (
        <>
          {number > 0
            ? button('leave-line', t('leaveLine', { number }), t('leaveLine', { number }), () => {
                void commands.giveBack(instrument.id, { waiting: 'true' })
              })
            : button('wait', t('waitInLine'), t('waitInLineLabel', { name }), () => {
                void commands.reserve(instrument.id, { wait: true })
              })}
          {button('book', t('book'), t('bookLabel', { name }), onReserve)}
          {me?.role === 'admin' &&
            button('end-reservation', t('endReservation'), t('endReservationLabel', { name }), onEnd)}
        </>
      )}
    </div>
  )
}

function BookingLine({ instrument, booking }: { instrument: InstrumentDescription; booking: Booking }) {
  const { commands } = usePage()
  const me = session.value
  const by = holderName(booking.holder)
  const [from, until] = [booking.from, booking.until].map((at) => formatMinute(at, now.value, language.value))
  const isMine = isPerson(booking.holder, me?.name ?? null)
  const reason = isMine ? {} : { reason: t('bookingCancelled') }
  return (
    <li data-booking={booking.id}>
      <span>
        {t('bookedBy', { by, from: from ?? '', until: until ?? '' })}{' '}
        {booking.note && <span class="quiet">{booking.note}</span>}
      </span>
      {(isMine || me?.role === 'admin') && (
        <button
          type="button"
          data-role="cancel-booking"
          aria-label={t('cancelBookingLabel', { by })}
          disabled={serverLost.value}
          onClick={() => void commands.giveBack(instrument.id, { booking: booking.id, ...reason })}
        >
          {t('cancelBooking')}
        </button>
      )}
    </li>
  )
}
