import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { InstrumentState } from '@golem/core'
import { demoDevices, type DeviceSpec } from '@golem/simulator'
import { parse } from 'yaml'
import { ROOT } from '../kit/root.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'

/** The experiment chamber of the demo stand, under the names of its instruments. */
const NAMES: Readonly<Record<string, string>> = {
  'relay-1': 'exp-board',
  'relay-2': 'co2-board',
  sba5: 'co2',
}

let stand: Stand
let runs: Runs

before(async () => {
  const devices = demoDevices().flatMap((spec): DeviceSpec[] => {
    const name = NAMES[spec.name]
    if (name === undefined) return []
    return [{ ...spec, name, ...(spec.kind === 'sba5' ? { warmUpSeconds: 0.2, zeroSeconds: 3 } : {}) }]
  })
  const demo = parse(readFileSync(join(ROOT, 'instance', 'demo.yaml'), 'utf8')) as { interlocks: unknown }
  stand = await startStand({
    devices,
    schedulers: 1,
    settled: false,
    timeScale: 40,
    site: { interlocks: demo.interlocks },
  })
  runs = new Runs(stand)
  await co2(() => true, 'the analyser measures')
})
after(() => stand.close())

/** Waits for a good reading of the chamber's CO2, in ppm. */
async function co2(wanted: (ppm: number) => boolean, what: string): Promise<number> {
  const { readings } = await stand.until(
    'co2',
    ({ readings: { co2: reading } }) => reading?.quality === 'good' && wanted(Number(reading.value)),
    what,
    30_000,
  )
  return Number(readings['co2']?.value)
}

const gas = (name: 'pump' | 'valve', value: boolean) =>
  stand.command('co2-board', { parameter: name === 'pump' ? 'relay2' : 'relay3', value })

async function opened(): Promise<void> {
  await gas('pump', true)
  const { body } = await gas('valve', true)
  assert.equal(body.outcome, 'done', JSON.stringify(body))
}

test('ventilation brings the CO2 of the chamber to that of the room, and nothing else does', async () => {
  await opened()
  await co2((ppm) => ppm > 1000, 'gas flows in')
  await gas('valve', false)
  const before = await co2(() => true, 'it is measured')
  await runs.recipe('ventilation')
  // With the chamber's clock: 80 s of ventilation.
  const id = await runs.start('ventilation', { duration: '2 s', valveTime: '0 s' })
  const aired = await co2((ppm) => ppm < 600, 'the chamber is aired')
  const run = await runs.ended(id)
  assert.equal(run.end, 'completed', run.message)
  assert.ok(before > 950, `while nobody aired it, it stayed at ${before} ppm`)
  assert.ok(aired > 350, `air of the room has more than ${aired} ppm`)
})

test('above its limit the interlock shuts the gas valve, refuses it, and frees it when the chamber was aired', async () => {
  await opened()
  await co2((ppm) => ppm > 2500, 'gas flows in')
  const shut = ({ readings }: InstrumentState): boolean => readings['relay3']?.value === false
  await stand.until('co2-board', shut, 'the valve is shut')
  const { body } = await gas('valve', true)
  assert.deepEqual([body.outcome, body.code], ['refused', 'INTERLOCKED'])
  // Airing is none of its business.
  const id = await runs.start('ventilation', { duration: '2 s', valveTime: '0 s' })
  assert.equal((await runs.ended(id)).end, 'completed')
  await stand.until(
    'co2-board',
    ({ interlocks }) => interlocks?.every(({ condition }) => condition === 'clear'),
    'the gas is free again',
  )
})

test('while the analyser finds its zero nobody knows the CO2, and the gas valve is not opened', async () => {
  await runs.recipe('sba5-zero')
  const id = await runs.start('sba5-zero', { settle: '100 ms' })
  await stand.until('co2', ({ readings }) => readings['co2']?.quality !== 'good', 'it measures nothing')
  await stand.until(
    'co2-board',
    ({ interlocks }) => interlocks?.some(({ condition }) => condition === 'unknown'),
    'the interlock knows',
  )
  const { body } = await gas('valve', true)
  assert.deepEqual([body.outcome, body.code], ['refused', 'INTERLOCKED'])
  assert.equal((await runs.ended(id)).end, 'completed')
  await opened()
  await gas('valve', false)
})
