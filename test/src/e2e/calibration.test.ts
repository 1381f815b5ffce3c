import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Calibration, InstrumentDescription } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

/** clay_golem's coefficients. */
const PPFD = `unit: µmol/m²/s
versions:
  - at: 2025-01-11
    by: clay_golem
    surface: [6.11918934, 5.72541582, 5.49188308, 0.00870387, -0.01768939, 0.0090811]
    range: [[0, 100], [0, 100]]
`
const duties = (stand: Stand): number[] => stand.sim.device('lamp').state()['duties'] as number[]
const read = async (stand: Stand, instrument: string, name: string) =>
  (await stand.state()).instruments[instrument]?.readings[name]

async function start(): Promise<Stand> {
  const stand = await startStand({
    workers: 0,
    schedulers: 0,
    leaseMs: 4_000,
    instruments: (address) => [
      {
        id: 'lamp',
        model: 'pwm-lamp',
        address: address('lamp'),
        parameters: { white: { max: 80 }, whiteFlux: { max: 500 } },
        calibrations: {
          ppfd: { from: ['red', 'white'], use: 'ppfd' },
          whiteFlux: { from: ['white'], use: 'white-flux', writable: true },
          none: { from: ['red'], use: 'not-made-yet' },
        },
      },
      { id: 'relays', model: 'esp32-relay', address: address('relays') },
    ],
    site: {
      derived: [
        {
          id: 'light',
          parameters: {
            perRed: { ratio: ['lamp.ppfd', 'lamp.red'] },
            rising: { rate: 'relays.uptime', window: '2 s', per: '1 s', points: 2 },
            straight: { rSquared: 'relays.uptime', window: '2 s', points: 2 },
          },
        },
      ],
    },
  })
  mkdirSync(join(stand.dir, 'calibrations'), { recursive: true })
  writeFileSync(join(stand.dir, 'calibrations', 'ppfd.yaml'), PPFD)
  await Promise.all([stand.addWorker(), stand.addScheduler()])
  await stand.until('lamp', ({ condition }) => condition === 'ok', 'the lamp answers', 30_000)
  await stand.until('light', () => true, 'a scheduler leads', 30_000)
  return stand
}

describe('calibrations and derived readings', () => {
  let stand: Stand
  before(async () => {
    stand = await start()
  })
  after(() => stand.close())

  test('a calibrated reading has the values of its curve, and says which calibration made it', async () => {
    for (const [name, value] of [
      ['red', 40],
      ['white', 40],
    ] as const) {
      const { body } = await stand.command('lamp', { parameter: name, value })
      assert.equal(body.outcome, 'done', JSON.stringify(body))
    }
    const { readings } = await stand.until(
      'lamp',
      (state) => state.readings['white']?.value === 40 && state.readings['red']?.value === 40,
      'red and white are 40',
    )
    assert.equal(readings['ppfd']?.quality, 'good')
    assert.ok(Math.abs(Number(readings['ppfd']?.value) - 454.9641) < 1e-4)
    assert.equal(readings['ppfd']?.at, readings['red']?.at)
    const { body } = await stand.api<InstrumentDescription>('/api/instruments/lamp')
    assert.equal(body.parameters['ppfd']?.unit, 'µmol/m²/s')
    assert.deepEqual(body.parameters['ppfd']?.calibration, {
      name: 'ppfd',
      from: ['red', 'white'],
      version: body.parameters['ppfd']?.calibration?.version,
      at: '2025-01-11T00:00:00.000Z',
      by: 'clay_golem',
    })
    // What is not calibrated yet is no fault of the lamp.
    assert.deepEqual(
      [readings['none']?.quality, readings['none']?.error],
      ['bad', 'There is no calibration not-made-yet yet.'],
    )
    assert.equal((await stand.state()).instruments['lamp']?.condition, 'ok')
  })

  test('a calibration that is made counts at once; a set value is turned back, within the limits of both', async () => {
    const early = await stand.command('lamp', { parameter: 'whiteFlux', value: 100 })
    assert.deepEqual([early.body.outcome, early.body.code], ['refused', 'NOT_WRITABLE'])
    const before = duties(stand)
    const points = [0, 25, 50, 75, 100].map((x) => ({ inputs: [x], value: 10 + 5 * x }))
    const { status, body: made } = await stand.api<Calibration>('/api/calibrations', {
      method: 'POST',
      body: {
        name: 'white-flux',
        kind: 'linear',
        points,
        unit: 'µmol/m²/s',
        by: 'Anna',
        of: 'lamp.whiteFlux',
      },
    })
    assert.equal(status, 201, JSON.stringify(made))
    await eventually(
      async () => {
        const { body } = await stand.api<InstrumentDescription>('/api/instruments/lamp')
        const { min, max, calibration } = body.parameters['whiteFlux'] ?? {}
        // White may be 0 to 80, which is 10 to 410; the site allows 500.
        assert.deepEqual([Math.round(min ?? NaN), Math.round(max ?? NaN)], [10, 410])
        assert.deepEqual([calibration?.version, calibration?.by], [made.version, 'Anna'])
        return true
      },
      { what: 'the lamp goes by it' },
    )
    const done = await stand.command('lamp', { parameter: 'whiteFlux', value: 160 })
    assert.equal(done.body.outcome, 'done', JSON.stringify(done.body))
    assert.match(done.body.message ?? '', /white = 30, by the calibration white-flux of .* \(Anna\)/)
    assert.deepEqual(duties(stand), [30, 30, before[2], before[3]])
    await stand.until(
      'lamp',
      ({ readings }) => Math.abs(Number(readings['whiteFlux']?.value) - 160) < 1e-9,
      'it reads back 160',
    )
    const tooMuch = await stand.command('lamp', { parameter: 'whiteFlux', value: 420 })
    assert.deepEqual([tooMuch.status, tooMuch.body.code], [422, 'OUT_OF_RANGE'])
    assert.equal((await stand.command('lamp', { parameter: 'ppfd', value: 100 })).body.code, 'NOT_WRITABLE')
    assert.deepEqual(duties(stand).slice(0, 2), [30, 30])
    // Another process has it from Redis, not from the one that took it.
    const { body: listed } = await stand.api<{ calibrations: { name: string; version: string }[] }>(
      '/api/calibrations',
    )
    assert.deepEqual(
      listed.calibrations.map(({ name, version }) => [name, version === made.version]),
      [
        ['ppfd', false],
        ['white-flux', true],
      ],
    )
  })

  test('points are kept one by one until the calibration is made', async () => {
    const url = '/api/calibrations/not-made-yet/points'
    for (const [x, value] of [
      [0, 1],
      [10, 999],
      [10, 21],
    ]) {
      await stand.api(url, { method: 'POST', body: { of: 'lamp.none', inputs: [x], value } })
    }
    const drafts = async () =>
      (
        await stand.api<{ drafts: { points: { inputs: number[]; value: number; by?: string }[] }[] }>(
          '/api/calibrations',
        )
      ).body.drafts
    await eventually(
      async () => {
        const [draft] = await drafts()
        assert.deepEqual(
          draft?.points.map(({ inputs, value }) => [...inputs, value]),
          [
            [0, 1],
            [10, 21],
          ],
        )
        return true
      },
      { what: 'both points are kept' },
    )
    const [draft] = await drafts()
    const { status } = await stand.api('/api/calibrations', {
      method: 'POST',
      body: { name: 'not-made-yet', kind: 'linear', points: draft?.points },
    })
    assert.equal(status, 201)
    await eventually(
      async () => {
        assert.deepEqual(await drafts(), [])
        const reading = await read(stand, 'lamp', 'none')
        // Red is 40, and was measured up to 10.
        assert.match(reading?.error ?? '', /40 is outside of what the calibration not-made-yet was made for/)
        return true
      },
      { what: 'the lamp goes by it, and the points are gone' },
    )
  })

  test('derived readings are an instrument as any other; what its sources lose it loses', async () => {
    await stand.until(
      'light',
      ({ readings }) => readings['rising']?.quality === 'good' && readings['perRed']?.quality === 'good',
      'its readings are good',
      20_000,
    )
    const lamp = (await stand.state()).instruments['lamp']?.readings
    const { body } = await stand.api<InstrumentDescription>('/api/instruments/light')
    assert.deepEqual([body.kind, body.parameters['perRed']?.writable], ['derived', false])
    const light = await stand.state().then(({ instruments }) => instruments['light'])
    assert.ok(Math.abs(Number(light?.readings['perRed']?.value) - Number(lamp?.['ppfd']?.value) / 40) < 1e-6)
    // The board counts the seconds it has been up.
    assert.ok(Math.abs(Number(light?.readings['rising']?.value) - 1) < 0.8, JSON.stringify(light))
    assert.equal((await stand.command('light', { parameter: 'perRed', value: 1 })).body.code, 'NOT_WRITABLE')
    await stand.sim.device('relays').setFault({ kind: 'silence' })
    await stand.until(
      'light',
      ({ readings }) => readings['rising']?.quality === 'stale',
      'the board is silent: stale',
      20_000,
    )
    const after = await stand.until('light', ({ condition }) => condition === 'degraded', 'it is degraded')
    assert.match(after.readings['rising']?.error ?? '', /relays.uptime is stale/)
    assert.equal(after.readings['perRed']?.quality, 'good')
  })

  test('a lost second of Redis, another worker and another leader: the calibrations still count', async () => {
    await Promise.all([stand.workers[0]?.kill('SIGKILL'), stand.schedulers[0]?.kill('SIGKILL')])
    await Promise.all([stand.addWorker(), stand.addScheduler()])
    const { body } = await eventually(
      async () => {
        const answer = await stand.command('lamp', { parameter: 'whiteFlux', value: 110 })
        assert.equal(answer.body.outcome, 'done', JSON.stringify(answer.body))
        return answer
      },
      { timeoutMs: 20_000, what: 'the next worker goes by it' },
    )
    assert.match(body.message ?? '', /white = 20/)
    await stand.until(
      'light',
      ({ readings, owner }) => owner === 'scheduler-1' && readings['perRed']?.quality === 'good',
      'the next leader computes',
      20_000,
    )
  })
})
