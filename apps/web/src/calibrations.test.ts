import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Calibration } from '@golem/core'
import { open } from './app-in-memory.ts'
import { descriptionOf } from './in-memory-site.ts'
import type { ProblemDocument } from './problem.ts'

const points = [0, 50, 100].map((x) => ({ inputs: [x], value: 2 * x + 1 }))

async function withLamp(t: TestContext) {
  const site = await open(t)
  const lamp = descriptionOf('relay-2')
  const flux = {
    label: 'Flux',
    type: 'number',
    readable: true,
    writable: false,
    calibration: { name: 'flux', from: ['red', 'white'] },
  } as const
  site.client.view.descriptions.set('relay-2', { ...lamp, parameters: { ...lamp.parameters, flux } })
  const make = (payload: object, url = '/api/calibrations') =>
    site.app.inject({ method: 'POST', url, payload })
  return { ...site, make }
}

test('a calibration is made from points, or from a curve, and handed over with its record', async (t) => {
  const { client, make } = await withLamp(t)
  const made = await make({ name: 'weight', kind: 'linear', points, note: 'New load cell.', unit: 'g' })
  assert.equal(made.statusCode, 201, made.body)
  const { version, curve, range, rSquared, by, source } = made.json<Calibration>()
  assert.ok(
    curve.kind === 'linear' && Math.abs(curve.slope - 2) < 1e-12 && Math.abs(curve.offset - 1) < 1e-10,
  )
  assert.deepEqual([range, by, source], [[[0, 100]], 'local', 'site'])
  assert.ok(Math.abs((rSquared ?? 0) - 1) < 1e-12)
  assert.deepEqual(client.requests, [{ type: 'calibration', name: 'weight', version }])
  const curveOnly = {
    name: 'weight',
    curve: {
      kind: 'table',
      points: [
        [0, 1],
        [1, 3],
      ],
    },
    by: 'Anna',
    at: '1970-01-01T00:00:00Z',
  }
  const given = (await make(curveOnly)).json<Calibration>()
  assert.deepEqual([given.by, given.at, given.curve.kind], ['Anna', '1970-01-01T00:00:00.000Z', 'table'])
})

test('what is no calibration is refused, in words', async (t) => {
  const { client, make } = await withLamp(t)
  const faulty: [object, number, RegExp][] = [
    [{ name: 'weight' }, 400, /"curve", or "kind" and "points"/],
    [{ name: 'weight', kind: 'linear', points: points.slice(0, 1) }, 400, /takes 2 points/],
    [{ name: 'weight', kind: 'surface', points }, 400, /2 inputs/],
    [{ name: 'weight', curve: { kind: 'linear', slope: 1 } }, 400, /finite/],
    [{ name: 'weight', curve: { kind: 'surface', coefficients: [1] } }, 400, /six/],
    [{ name: 'weight', kind: 'linear', points, at: '2999-01-01T00:00:00Z' }, 400, /moment of the past/],
    [{ name: 'weight', kind: 'linear', points, at: 'yesterday' }, 400, /moment of the past/],
    [{ name: 'weight', kind: 'linear', points, range: [[3, 1]] }, 400, /not below/],
    [{ name: 'flux', kind: 'linear', points }, 400, /relay-2.flux .* made of red and white/],
    [{ name: 'Weight!', kind: 'linear', points }, 400, /name/],
    [{ name: 'weight', kind: 'spline', points }, 422, /kind/],
  ]
  for (const [payload, status, words] of faulty) {
    const { statusCode, body } = await make(payload)
    assert.equal(statusCode, status, `${JSON.stringify(payload)}: ${body}`)
    assert.match((JSON.parse(body) as ProblemDocument).detail, words)
  }
  const huge = Array.from({ length: 501 }, () => points[0])
  assert.equal((await make({ name: 'weight', kind: 'linear', points: huge })).statusCode, 400)
  assert.deepEqual(client.requests, [])
})

test('the history is shown, the newest version first, and which one counts', async (t) => {
  const { app, client } = await withLamp(t)
  const one = (version: string, at: string): Calibration => ({
    name: 'flux',
    version,
    at,
    by: 'anna',
    source: 'file',
    curve: { kind: 'linear', slope: 1, offset: 0 },
  })
  for (const each of [
    one('aaaaaaaa', '2026-01-01T00:00:00.000Z'),
    one('bbbbbbbb', '2026-02-01T00:00:00.000Z'),
  ]) {
    client.view.calibrations.set(`flux ${each.version}`, each)
  }
  const draft = { name: 'flux', of: 'relay-2.flux', points, at: '2026-03-01T00:00:00.000Z', by: 'anna' }
  client.view.drafts.set('flux', draft)
  const { calibrations, drafts } = (await app.inject('/api/calibrations')).json<{
    calibrations: { name: string; version: string; versions: Calibration[] }[]
    drafts: unknown[]
  }>()
  assert.deepEqual(
    calibrations.map(({ name, version, versions }) => [name, version, versions.map((each) => each.version)]),
    [['flux', 'bbbbbbbb', ['bbbbbbbb', 'aaaaaaaa']]],
  )
  assert.deepEqual(drafts, [draft])
})

test('points are kept one by one, and thrown away', async (t) => {
  const { app, client, make } = await withLamp(t)
  const url = '/api/calibrations/flux/points'
  assert.equal((await make({ of: 'relay-2.flux', inputs: [10, 0], value: 62 }, url)).statusCode, 202)
  assert.equal((await make({ of: 'relay-2.flux', inputs: [], value: 62 }, url)).statusCode, 400)
  assert.equal(
    (await make({ of: 'x', inputs: [1], value: 2 }, '/api/calibrations/..%2F/points')).statusCode,
    400,
  )
  assert.equal((await app.inject({ method: 'DELETE', url })).statusCode, 202)
  assert.deepEqual(client.requests, [
    {
      type: 'calibration-point',
      name: 'flux',
      of: 'relay-2.flux',
      point: { inputs: [10, 0], value: 62 },
      by: 'local',
    },
    { type: 'calibration-point', name: 'flux', of: '', point: null, by: 'local' },
  ])
})

test('a fit is computed and nothing is kept', async (t) => {
  const { client, make } = await withLamp(t)
  const { rSquared, residuals } = (await make({ kind: 'linear', points }, '/api/calibrations/fit')).json<{
    rSquared: number
    residuals: number[]
  }>()
  assert.ok(Math.abs(rSquared - 1) < 1e-12 && residuals.length === 3)
  assert.deepEqual(client.requests, [])
})
