import type { Gap, HistorySeries } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataOf } from './aligned.ts'
import { columnsOf, extentIn, findAt, type PlotLine, stretchesOf, united } from './lines.ts'

const NOW = 100_000

function lineOf(
  data: Partial<HistorySeries>,
  { tail = [], shift = 0 }: Partial<Pick<PlotLine, 'tail' | 'shift'>> = {},
): PlotLine {
  const values = data.times ?? []
  return {
    key: 'a',
    label: 'A',
    unit: '°C',
    colour: 0,
    isDashed: false,
    decimals: undefined,
    tail,
    shift,
    data: {
      series: 'oven.temperature',
      label: 'A',
      type: 'number',
      level: 'raw',
      bucketMs: 0,
      times: values,
      min: values,
      max: values,
      mean: values,
      count: values.map(() => 1),
      until: null,
      gaps: [],
      completeness: 1,
      ...data,
    },
  }
}

const gap = (from: number, to: number | null): Gap => ({
  from: new Date(from).toISOString(),
  to: to === null ? null : new Date(to).toISOString(),
  reason: 'link',
  message: 'cut',
})

test('single readings: a gap breaks the line, the last value holds until the last reading, and the tail goes on', () => {
  const line = lineOf(
    { times: [1_000, 2_000, 9_000], until: 12_000, gaps: [gap(2_500, 8_500)] },
    {
      tail: [
        { at: 11_000, value: 7 },
        { at: 13_000, value: 8 },
        { at: 14_000, value: null },
      ],
    },
  )
  const { x, mean } = columnsOf(line, NOW)
  assert.deepEqual(x, [1_000, 2_000, 2_500.5, 9_000, 12_000, 13_000, 14_000])
  assert.deepEqual(mean, [1_000, 2_000, null, 9_000, 9_000, 8, null])
})

test('buckets stand at their middle; a gap longer than one breaks the line behind the bucket it begins in', () => {
  const times = [500, 1_000, 2_000, 5_000]
  const counts = { count: [1, 10, 10, 10], bucketMs: 1_000, until: 5_900 }
  const broken = columnsOf(lineOf({ times, ...counts, gaps: [gap(2_700, 5_200)] }), NOW)
  // A single reading from before the buckets stays where it is.
  assert.deepEqual(broken.x, [500, 1_500, 2_500, 3_000, 5_500])
  assert.deepEqual(broken.mean[3], null)
  const short = columnsOf(lineOf({ times, ...counts, gaps: [gap(2_700, 2_900)] }), NOW)
  assert.deepEqual(short.x, [500, 1_500, 2_500, 5_500])
})

test('a gap that lasts reaches up to now, now included', () => {
  const line = lineOf({ times: [1_000], until: 2_000, gaps: [gap(2_000, null)] })
  assert.equal(findAt(line, columnsOf(line, NOW), NOW, NOW)?.kind, 'gap')
})

test('stretches that overlap are one', () => {
  const stretches = [
    { from: 5, to: 9 },
    { from: 0, to: 3 },
    { from: 2, to: 4 },
    { from: 9, to: 10 },
  ]
  assert.deepEqual(united(stretches), [
    { from: 0, to: 4 },
    { from: 5, to: 10 },
  ])
})

test('times of a run count from its start', () => {
  const { x } = columnsOf(lineOf({ times: [5_000, 6_000], until: 7_000 }, { shift: 5_000 }), NOW)
  assert.deepEqual(x, [0, 1_000, 2_000])
})

test('what is told of a time is the value, the gap with its reason, or nothing', () => {
  const line = lineOf({ times: [1_000, 2_000, 9_000], until: 12_000, gaps: [gap(2_500, 8_500)] })
  const columns = columnsOf(line, NOW)
  const at = (time: number) => findAt(line, columns, time, NOW)
  assert.deepEqual(at(1_700), { kind: 'value', mean: 1_000, min: 1_000, max: 1_000 })
  assert.equal(at(5_000)?.kind, 'gap')
  assert.equal(at(500), null)
  assert.equal(at(NOW + 1), null)
})

test('texts are stretches that end at the next one, at a gap, or with the last reading', () => {
  const line = lineOf({
    type: 'choice',
    times: [1_000, 4_000],
    mean: [],
    min: [],
    max: [],
    texts: ['calm', 'quick'],
    until: 6_000,
    gaps: [gap(2_000, 3_000)],
  })
  assert.deepEqual(stretchesOf(line, NOW), [
    { from: 1_000, to: 2_000, text: 'calm' },
    { from: 4_000, to: 6_000, text: 'quick' },
  ])
  assert.deepEqual(findAt(line, null, 5_000, NOW), { kind: 'text', text: 'quick' })
  assert.equal(findAt(line, null, 2_500, NOW)?.kind, 'gap')
})

test('the extent of a view has what the line has at its edges', () => {
  const columns = { x: [0, 10, 20], mean: [0, 100, 0], min: [0, 100, 0], max: [0, 100, 0] }
  assert.deepEqual(extentIn(columns, { from: 4, to: 6 }), [40, 60])
  assert.deepEqual(extentIn(columns, { from: 4, to: 12 }), [40, 100])
  assert.equal(extentIn(columns, { from: 30, to: 40 }), null)
})

test('a gap breaks its line also where another line goes on within it', () => {
  const gap: Gap = {
    from: '1970-01-01T00:00:10.000Z',
    to: '1970-01-01T00:00:50.000Z',
    reason: 'link',
    message: '',
  }
  const broken = lineOf({ times: [5_000, 10_000, 50_000], gaps: [gap] })
  const whole = lineOf({ times: [5_000, 20_000, 30_000, 50_000] })
  const lines = [broken, whole]
  const [x = [], mean = []] = dataOf(
    lines,
    lines.map((line) => columnsOf(line, NOW)),
  )
  const within = [...x].flatMap((at, index) => (at > 10_000 && at < 50_000 ? [mean[index]] : []))
  assert.deepEqual(within, [null, null, null])
})
