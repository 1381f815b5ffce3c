import type { SampleEntry, SampledReading } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GapRow, Series } from '../batch.ts'
import { type Expectation, type Recorded, Recorder, type StoreRule } from './recorder.ts'

const SERIES: Series = {
  id: 1,
  instrument: 'oven',
  parameter: 'temperature',
  type: 'number',
  label: 'Temperature',
  unit: '°C',
  firstAt: null,
  lastAt: null,
  keptAt: null,
  keptValue: null,
}
const RULE: StoreRule = { deadband: 0, heartbeatMs: 60_000 }

/** A recorder of one series, and all that came of it. */
function recording(rule: StoreRule = RULE, known: { series?: Partial<Series>; gap?: GapRow } = {}) {
  const recorder = new Recorder()
  recorder.know({ series: { ...SERIES, ...known.series }, rule, gap: known.gap ?? null })
  const gaps = new Map<number, GapRow>(known.gap ? [[known.gap.from, known.gap]] : [])
  return {
    recorder,
    /** One reading. @param entry - what else the entry says */
    read: (reading: SampledReading, entry: Partial<SampleEntry> = {}): void => {
      recorder.take({
        instrument: 'oven',
        condition: 'ok',
        message: 'It answers.',
        staleAfterMs: 3_000,
        readings: { temperature: reading },
        ...entry,
      })
    },
    silent: (upTo: number, why: Partial<Expectation> = {}): void => {
      recorder.silence(upTo, () => ({ staleAfterMs: 3_000, reason: 'worker', message: 'gone', ...why }))
    },
    /** What was stored since the last time, as `[t, value]`. */
    stored: (): [number, number | string][] => recorder.recorded().samples.map(({ t, value }) => [t, value]),
    /** All gaps so far as `from-until reason`, as the archive has them. */
    gaps: (): string[] => {
      for (const gap of recorder.recorded().gaps) {
        if (gap.until !== null && gap.until <= gap.from) gaps.delete(gap.from)
        else gaps.set(gap.from, gap)
      }
      return [...gaps.values()]
        .sort((a, b) => a.from - b.from)
        .map(({ from, until, reason }) => `${from}-${until ?? ''} ${reason}`)
    },
  }
}

test('an unchanged value is stored once a heartbeat, and once more where it ends', () => {
  const { read, stored } = recording()
  for (let t = 0; t <= 150_000; t += 1_000) read([t, 20])
  read([151_000, 21])
  read([152_000, 21])
  assert.deepEqual(stored(), [
    [0, 20],
    [60_000, 20],
    [120_000, 20],
    [150_000, 20],
    [151_000, 21],
  ])
})

test('within the dead-band nothing is stored, whatever drifts: it is measured from the stored value', () => {
  const { read, stored } = recording({ deadband: 0.5, heartbeatMs: 60_000 })
  for (const [n, value] of [20, 20.2, 20.4, 20.5, 20.6, 20.3].entries()) read([n * 1_000, value])
  assert.deepEqual(stored(), [
    [0, 20],
    [3_000, 20.5],
    [4_000, 20.6],
  ])
})

test('all readings are in the minutes and hours, also those that were not stored', () => {
  const { recorder, read } = recording()
  for (let t = 0; t < 7_200_000; t += 1_000) read([t, t < 3_600_000 ? 1 : 3])
  const { minutes, hours, samples } = recorder.recorded()
  assert.equal(minutes.length, 120)
  assert.deepEqual(minutes[0], { series: 1, t: 0, lo: 1, hi: 1, total: 60, n: 60 })
  assert.deepEqual(hours, [
    { series: 1, t: 0, lo: 1, hi: 1, total: 3_600, n: 3_600 },
    { series: 1, t: 3_600_000, lo: 3, hi: 3, total: 10_800, n: 3_600 },
  ])
  assert.ok(samples.length < 130)
})

test('truth values are 0 and 1, texts are texts, lists and what is no number are left out', () => {
  const { recorder, read } = recording()
  for (const [n, value] of [true, false, 'open', [1, 2], Number.NaN].entries()) read([n * 1_000, value])
  const { samples, minutes } = recorder.recorded()
  assert.deepEqual(
    samples.map(({ value }) => value),
    [1, 0, 'open'],
  )
  assert.equal(minutes[0]?.n, 2)
})

test('the last reading before a gap is stored, and the first one after it', () => {
  const { read, stored, gaps } = recording()
  for (let t = 0; t <= 10_000; t += 1_000) read([t, 20])
  read([13_000, null, 'stale', 'no answer'], { condition: 'lost' })
  assert.deepEqual(stored(), [
    [0, 20],
    [10_000, 20],
  ])
  read([30_000, 20])
  read([31_000, 20])
  assert.deepEqual(stored(), [[30_000, 20]])
  assert.deepEqual(gaps(), [])
})

test('gaps have the reason that their entries tell', () => {
  const { read, gaps } = recording()
  read([1_000, 20])
  read([4_000, null, 'stale', 'no answer'], { condition: 'lost' })
  assert.deepEqual(gaps(), ['1000- link'])
  read([9_000, 20])
  read([10_000, null, 'bad', 'sensor broken'])
  read([15_000, null, 'stale', 'stopped'], { condition: 'stopped' })
  read([20_000, 21])
  assert.deepEqual(gaps(), ['1000-9000 link', '10000-15000 bad', '15000-20000 stopped'])
})

test('a silence is a gap; what comes late fills it', () => {
  const { read, silent, gaps } = recording()
  read([1_000, 20])
  silent(4_000)
  assert.deepEqual(gaps(), [])
  silent(4_001)
  assert.deepEqual(gaps(), ['1000- worker'])
  // It was only late, and not silent.
  read([2_000, 20])
  assert.deepEqual(gaps(), [])
  silent(9_000)
  read([15_000, 20])
  assert.deepEqual(gaps(), ['2000-15000 worker'])
  // A worker that was cut off sends what it had kept, after another one has taken over.
  for (const t of [3_000, 4_000, 5_000]) read([t, 20])
  assert.deepEqual(gaps(), ['5000-15000 worker'])
  for (const t of [11_000, 12_000, 13_000]) read([t, 20])
  assert.deepEqual(gaps(), ['5000-11000 worker'])
})

test('late readings are all stored and counted, and those that were there are not counted again', () => {
  const { recorder, read } = recording()
  for (const t of [10_000, 20_000, 5_000, 5_500, 20_000]) read([t, 7])
  const { samples, minutes, series } = recorder.recorded()
  assert.deepEqual(
    samples.map(({ t }) => t),
    [10_000, 20_000, 5_000, 5_500],
  )
  assert.equal(minutes[0]?.n, 4)
  assert.deepEqual([series[0]?.firstAt, series[0]?.lastAt], [5_000, 20_000])
})

test('a silence that nobody has watched is explained by what was lost', () => {
  const { recorder, read, gaps } = recording()
  read([1_000, 20])
  recorder.doubt({ reason: 'behind', message: '7 entries' })
  recorder.doubt({ reason: 'worker', message: 'anew' })
  read([2_000, 20])
  read([9_000, 20])
  recorder.doubt({ reason: 'worker', message: 'anew' })
  recorder.doubt({ reason: 'behind', message: '7 entries' })
  read([20_000, 20])
  read([30_000, 20], { lost: 3 })
  recorder.doubt({ reason: 'behind', message: '7 entries' })
  read([40_000, null, 'bad', 'broken'])
  assert.deepEqual(gaps(), [
    '2000-9000 stale',
    '9000-20000 behind',
    '20000-30000 redis',
    '30000-40000 behind',
    '40000- bad',
  ])
})

test('what a worker says of readings that another one has taken since is old news', () => {
  const { read, gaps } = recording()
  read([10_000, 20])
  read([9_000, null, 'stale', 'handed over'])
  assert.deepEqual(gaps(), [])
})

test('it goes on where the archive ends', () => {
  const first = recording()
  for (let t = 0; t <= 90_000; t += 1_000) first.read([t, 20])
  first.read([91_000, null, 'bad', 'broken'])
  const { series, gaps, samples } = first.recorder.recorded()
  assert.deepEqual(
    samples.map(({ t }) => t),
    [0, 60_000, 90_000],
  )
  const second = recording(RULE, { series: series[0] ?? {}, gap: gaps[0]! })
  assert.deepEqual(second.gaps(), ['91000- bad'])
  second.read([95_000, 20])
  second.read([96_000, 20])
  assert.deepEqual(second.gaps(), ['91000-95000 bad'])

  // Killed in the middle of a plateau: its end is known, because it was equal to what was stored.
  const third = recording(RULE, { series: { firstAt: 0, lastAt: 30_000, keptAt: 0, keptValue: 20 } })
  third.read([31_000, 21])
  assert.deepEqual(third.stored(), [
    [30_000, 20],
    [31_000, 21],
  ])
  // With a dead-band it is not, and nothing is made up.
  const fourth = recording(
    { ...RULE, deadband: 0.1 },
    { series: { firstAt: 0, lastAt: 30_000, keptAt: 0, keptValue: 20 } },
  )
  fourth.read([31_000, 21])
  assert.deepEqual(fourth.stored(), [[31_000, 21]])
})

test('however entries are cut into batches, the same comes of them', () => {
  let seed = 7
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  const readings: SampledReading[] = []
  for (let t = 0; readings.length < 5_000; t += random() < 0.01 ? 10_000 : 1_000) {
    if (random() < 0.01) readings.push([t, null, random() < 0.5 ? 'bad' : 'stale', 'why'])
    else readings.push([t, Math.round(random() * 3)])
  }
  const outcomes = [5_000, 1, 37].map((size) => {
    const { recorder, read } = recording()
    const parts: Recorded[] = []
    for (const [n, reading] of readings.entries()) {
      read(reading)
      if (n % size === 0) parts.push(recorder.recorded())
    }
    parts.push(recorder.recorded())
    const gaps = new Map(parts.flatMap((part) => part.gaps.map((gap) => [gap.from, gap])))
    return {
      samples: parts.flatMap(({ samples }) => samples),
      gaps: [...gaps.values()],
      counted: parts.flatMap(({ minutes }) => minutes).reduce((sum, { n }) => sum + n, 0),
    }
  })
  assert.equal(outcomes[0]?.counted, readings.filter(([, value]) => value !== null).length)
  assert.deepEqual(outcomes[1], outcomes[0])
  assert.deepEqual(outcomes[2], outcomes[0])
})

test('after a clock that was a year ahead it goes on as before', () => {
  const { recorder, read, silent, stored, gaps } = recording()
  const ahead = 365 * 86_400_000
  read([ahead, 20])
  silent(2_000)
  for (let t = 3_000; t < 10_000; t += 1_000) read([t, 20])
  assert.deepEqual(stored(), [
    [ahead, 20],
    [3_000, 20],
  ])
  silent(20_000)
  assert.deepEqual(gaps(), ['9000- worker'])
  read([Number.NaN, 20])
  assert.deepEqual(recorder.recorded().samples, [])
})

test('labels and units follow the description', () => {
  const { recorder, read } = recording()
  recorder.describe('oven', 'temperature', { type: 'number', label: 'Oven', unit: 'K' })
  assert.equal(recorder.recorded().series[0]?.label, 'Oven')
  recorder.describe('oven', 'temperature', { type: 'number', label: 'Oven', unit: 'K' })
  assert.deepEqual(recorder.recorded().series, [])
  read([0, 1])
  assert.equal(recorder.recorded().series[0]?.unit, 'K')
})
