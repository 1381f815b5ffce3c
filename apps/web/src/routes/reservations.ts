import {
  type ExpiryPolicy,
  GolemError,
  type Holder,
  MAX_RESERVATION_MS,
  type ReservationState,
} from '@golem/core'
import type { FastifyInstance } from 'fastify'
import type { Identity } from '../access.ts'
import { type WebContext, bounded, checkKnown, handedOver, noAnswer, noConfirmation } from '../context.ts'
import { answers, idParams, noQuery } from '../schemas.ts'
import { timeOf } from '../utc-time.ts'
import { giveBackQuery, reservationAnswer, reservationBody } from './reservation-schemas.ts'

interface ReservationBody {
  forMs?: number
  until?: string
  from?: string
  note?: string
  onExpiry?: ExpiryPolicy
  quietUntil?: string | null
  share?: string[]
  wait?: boolean
  to?: string
}

interface GiveBackQuery {
  fence?: number
  booking?: string
  waiting?: boolean
  reason?: string
}

const PATH = '/api/instruments/:id/reservation'

/** Reservations: who may command an instrument, until when, and who is next. */
export function reservationRoutes(app: FastifyInstance, context: WebContext): void {
  const { reservations } = context.client

  app.get<{ Params: { id: string } }>(
    PATH,
    {
      schema: {
        summary: 'Who has an instrument, who waits for it and who has booked it',
        tags: ['reservations'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: reservationAnswer('As it is now') }),
      },
    },
    (request) => {
      checkKnown(context, request.params.id)
      return bounded(reservations.of(request.params.id), noAnswer)
    },
  )

  app.put<{ Params: { id: string }; Body: ReservationBody | null }>(
    PATH,
    {
      schema: {
        summary: 'Reserve, renew, share, declare a quiet period, hand over, wait in line or book ahead',
        tags: ['reservations'],
        params: idParams,
        querystring: noQuery,
        body: reservationBody,
        response: answers({
          200: reservationAnswer('Done'),
          202: reservationAnswer('Somebody else has it; you wait in line'),
        }),
      },
    },
    async (request, reply) => {
      const { id } = request.params
      checkKnown(context, id)
      const { identity } = request
      const asked = change(context, id, identity, request.body ?? {})
      const state = await handedOver(asked, () => noConfirmation('the reservation'))
      const waits =
        request.body?.wait === true &&
        state.waiting.some(({ holder }) => holder.kind === 'person' && holder.name === identity.name)
      return reply.code(waits ? 202 : 200).send(state)
    },
  )

  app.delete<{ Params: { id: string }; Querystring: GiveBackQuery }>(
    PATH,
    {
      schema: {
        summary: "Give it back, leave the line, cancel a booking; as an admin, with a reason, also others'",
        tags: ['reservations'],
        params: idParams,
        querystring: giveBackQuery,
        response: answers({ 200: reservationAnswer('Given back') }),
      },
    },
    (request) => {
      const { id } = request.params
      checkKnown(context, id)
      const { name, role } = request.identity
      const asked = { ...request.query, instrument: id, holder: person(name), admin: role === 'admin' }
      return handedOver(reservations.giveBack(asked), () => noConfirmation('the end of the reservation'))
    },
  )
}

/** @throws INVALID_REQUEST where what is asked for does not go together */
function change(
  { client, access }: WebContext,
  instrument: string,
  { name }: Identity,
  body: ReservationBody,
): Promise<ReservationState> {
  const { note, forMs, onExpiry, wait } = body
  const common = {
    instrument,
    holder: person(name),
    ...(note === undefined ? {} : { note }),
  }
  if (body.to !== undefined) {
    checkAlone(body, 'to', ['to', 'note'])
    const to = person(access.personNamed(body.to, '/to'))
    return client.reservations.handOver({ ...common, to })
  }
  const policy = onExpiry === undefined ? {} : { onExpiry }
  const until = body.until === undefined ? undefined : timeOf(body.until, '/until')
  if (until !== undefined && forMs !== undefined) {
    throw new GolemError('INVALID_REQUEST', 'Give either "forMs" or "until".', { field: '/until' })
  }
  const now = client.view.now()
  if ((until ?? 0) - now > MAX_RESERVATION_MS) throw tooFar('/until')
  if (body.from !== undefined) {
    checkAlone(body, 'from', ['from', 'forMs', 'until', 'note', 'onExpiry'])
    const from = timeOf(body.from, '/from')
    if (from - now > MAX_RESERVATION_MS) throw tooFar('/from')
    const end = until ?? (forMs === undefined ? undefined : from + forMs)
    if (end === undefined) {
      throw new GolemError('INVALID_REQUEST', 'A booking needs an end: "until" or "forMs".', {
        field: '/until',
      })
    }
    return client.reservations.book({ ...common, ...policy, from, until: end })
  }
  const quiet = body.quietUntil
  return client.reservations.reserve({
    ...common,
    ...policy,
    ...(until === undefined ? {} : { until }),
    ...(forMs === undefined ? {} : { forMs }),
    ...(wait === undefined ? {} : { wait }),
    ...(quiet === undefined ? {} : { quietUntil: quiet === null ? 0 : timeOf(quiet, '/quietUntil') }),
    ...(body.share === undefined
      ? {}
      : { share: body.share.map((one, n) => access.personNamed(one, `/share/${n}`)) }),
  })
}

/** @throws INVALID_REQUEST when something is asked for besides that would not be done */
function checkAlone(body: ReservationBody, key: string, allowed: readonly string[]): void {
  const other = Object.keys(body).find((each) => !allowed.includes(each))
  if (other === undefined) return
  throw new GolemError('INVALID_REQUEST', `"${key}" and "${other}" do not go together.`, {
    field: `/${other}`,
  })
}

function tooFar(field: string): GolemError {
  return new GolemError('INVALID_REQUEST', 'Nothing is reserved for more than a year.', { field })
}

function person(name: string): Holder {
  return { kind: 'person', name }
}
