import { curveFault, type Fit, fitCurve, inputsOf, newestOf, withVersion } from '@golem/calibration'
import {
  type Calibration,
  type CalibrationMark,
  type Curve,
  type CurveKind,
  GolemError,
  type MeasuredPoint,
  isoTime,
} from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, handedOver, noConfirmation } from '../context.ts'
import { clip } from '../problem.ts'
import { answers, inWords, noQuery } from '../schemas.ts'
import {
  calibrationAnswer,
  calibrationBody,
  fitAnswer,
  fitBody,
  nameParams,
  pointBody,
} from './calibrations-schemas.ts'

/** How far ahead of the site's clock a date may lie, in ms: clocks differ a little. */
const AHEAD_MS = 5 * 60_000

interface NewCalibration {
  name: string
  kind?: CurveKind
  degree?: number
  points?: MeasuredPoint[]
  curve?: {
    kind: CurveKind
    slope?: number
    offset?: number
    coefficients?: number[]
    points?: [number, number][]
  }
  range?: [number, number][]
  rSquared?: number
  note?: string
  unit?: string
  of?: string
  by?: string
  at?: string
}

/** Calibrations and their history, new versions, and points of those that are not made yet. */
export function calibrationRoutes(app: FastifyInstance, context: WebContext): void {
  const { client } = context
  const { view } = client

  app.get(
    '/api/calibrations',
    {
      schema: {
        summary: 'Calibrations with their history, and points measured for those that are not made yet',
        tags: ['calibrations'],
        querystring: noQuery,
        response: answers({
          200: inWords('`calibrations` by name, versions newest first, and `drafts`', 'object'),
        }),
      },
    },
    () => {
      const all = [...view.calibrations.values()]
      const newest = newestOf(all)
      const calibrations = [...newest.keys()].sort().map((name) => ({
        name,
        // The one that counts.
        version: newest.get(name)?.version,
        versions: all.filter((one) => one.name === name).sort((a, b) => b.at.localeCompare(a.at)),
      }))
      return { calibrations, drafts: [...view.drafts.values()] }
    },
  )

  app.post<{ Body: { kind: CurveKind; degree?: number; points: MeasuredPoint[] } }>(
    '/api/calibrations/fit',
    {
      config: { harmless: true },
      schema: {
        summary: 'Fit a curve to points by least squares; nothing is kept',
        tags: ['calibrations'],
        querystring: noQuery,
        body: fitBody,
        response: answers({ 200: fitAnswer }),
      },
    },
    ({ body: { points, ...request } }): Fit => fitCurve(points, request),
  )

  app.post<{ Body: NewCalibration }>(
    '/api/calibrations',
    {
      schema: {
        summary: 'Make a new version of a calibration: from points and the kind of curve, or from a curve',
        description:
          'Of the versions of one name the newest by date counts, at once and without a restart. A version that is there already stays as it is.',
        tags: ['calibrations'],
        querystring: noQuery,
        body: calibrationBody,
        response: answers({
          200: calibrationAnswer('It is there already'),
          201: calibrationAnswer('Made; workers go by it within a moment'),
        }),
      },
    },
    async ({ body, identity }, reply) => {
      const made = newCalibration(body, identity.name, view.now())
      checkInputs(context, made)
      const id = `${made.name} ${made.version}`
      const known = (await handedOver(
        client.request(
          { type: 'calibration', name: made.name, version: made.version },
          { table: 'calibration', id, value: made },
        ),
        () => noConfirmation('the calibration'),
      )) as Calibration | undefined
      return reply.code(known ? 200 : 201).send(known ?? made)
    },
  )

  app.post<{ Params: { name: string }; Body: { of: string; inputs: number[]; value: number } }>(
    '/api/calibrations/:name/points',
    {
      schema: {
        summary: 'Keep one measured point of a calibration that is not made yet',
        description: 'One measured at the same inputs before is replaced.',
        tags: ['calibrations'],
        params: nameParams,
        querystring: noQuery,
        body: pointBody,
        response: answers({ 202: inWords('Accepted: the scheduler keeps it', 'object') }),
      },
    },
    async ({ params, body: { of, inputs, value }, identity }, reply) => {
      const name = nameOf(params.name)
      await handedOver(
        client.request({
          type: 'calibration-point',
          name,
          of,
          point: { inputs, value },
          by: identity.name,
        }),
        () => noConfirmation('the point'),
      )
      return reply.code(202).send({ name, inputs, value })
    },
  )

  app.delete<{ Params: { name: string } }>(
    '/api/calibrations/:name/points',
    {
      schema: {
        summary: 'Throw away the points of a calibration that is not made yet',
        tags: ['calibrations'],
        params: nameParams,
        querystring: noQuery,
        response: answers({ 202: inWords('Accepted: the scheduler will do it', 'object') }),
      },
    },
    async ({ params, identity }, reply) => {
      const name = nameOf(params.name)
      await handedOver(
        client.request({ type: 'calibration-point', name, of: '', point: null, by: identity.name }),
        () => noConfirmation('the request'),
      )
      return reply.code(202).send({ name })
    },
  )
}

/** @throws INVALID_REQUEST */
function nameOf(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name
  throw new GolemError('INVALID_REQUEST', `"${clip(name)}" is no name of a calibration: a-z, 0-9 and -.`, {
    field: 'path.name',
  })
}

/** @throws INVALID_REQUEST when it has no curve, or none can be fitted, or its date is none */
function newCalibration(body: NewCalibration, asker: string, nowMs: number): Calibration {
  const { name, kind, degree, points, note, unit, of, by = asker, at } = body
  const atMs = at === undefined ? nowMs : Date.parse(at)
  if (!(atMs <= nowMs + AHEAD_MS)) {
    throw new GolemError('INVALID_REQUEST', `"${clip(at ?? '')}" is no moment of the past, as ISO 8601.`, {
      field: '/at',
    })
  }
  const fit =
    body.curve === undefined && kind !== undefined && points !== undefined
      ? fitCurve(points, { kind, ...(degree === undefined ? {} : { degree }) })
      : undefined
  const curve = fit?.curve ?? curveOf(body.curve)
  const range = body.range ?? fit?.range.filter(([low, high]) => low < high)
  const rSquared = fit ? (fit.rSquared ?? undefined) : body.rSquared
  return withVersion({
    name,
    at: isoTime(atMs),
    by,
    ...(note === undefined ? {} : { note }),
    ...(unit === undefined ? {} : { unit }),
    ...(of === undefined ? {} : { of }),
    source: 'site',
    curve,
    ...(range === undefined || range.length !== inputsOf(curve) ? {} : { range }),
    ...(rSquared === undefined ? {} : { rSquared }),
    ...(points === undefined ? {} : { points }),
  })
}

/** @throws INVALID_REQUEST */
function curveOf(given: NewCalibration['curve']): Curve {
  if (given === undefined) {
    throw new GolemError('INVALID_REQUEST', 'Give either "curve", or "kind" and "points" to fit it to.', {
      field: '/curve',
    })
  }
  const { kind, slope = NaN, offset = NaN, coefficients = [], points = [] } = given
  const curve: Curve =
    kind === 'linear' ? { kind, slope, offset } : kind === 'table' ? { kind, points } : { kind, coefficients }
  const fault = curveFault(curve)
  if (fault !== null) throw new GolemError('INVALID_REQUEST', fault, { field: '/curve' })
  return curve
}

/** @throws INVALID_REQUEST when a parameter that goes by this calibration gives it another number of inputs */
function checkInputs({ client }: WebContext, { name, curve }: Calibration): void {
  for (const { id, parameters } of client.view.descriptions.values()) {
    for (const [parameter, { calibration }] of Object.entries(parameters)) {
      const mark: CalibrationMark | undefined = calibration
      if (mark?.name !== name || mark.from.length === inputsOf(curve)) continue
      throw new GolemError(
        'INVALID_REQUEST',
        `${id}.${parameter} goes by this calibration and is made of ${mark.from.join(' and ')}: such a curve takes ${inputsOf(curve)}.`,
        { field: '/curve' },
      )
    }
  }
}
