import type { TimelineEntry } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatFilter,
  groupOf,
  merged,
  NO_FILTER,
  parseFilter,
  plotAround,
  queryOf,
} from './timeline-filter.ts'

const AT = '2026-05-01T08:30:00.000Z'

function entry(n: number, more: Partial<TimelineEntry> = {}): TimelineEntry {
  return { id: `1777624200000-${n}`, at: AT, when: AT, kind: 'log', message: 'x', ...more }
}

test('a filter stands in the address and comes back from it; what is none is left out', () => {
  const filter = {
    groups: ['commands', 'notes'],
    level: 'warning',
    instrument: 'valve-1',
    run: 'r&7',
    text: 'a "b" <i>#?',
    to: AT,
  } as const
  assert.deepEqual(parseFilter(formatFilter(filter)), filter)
  assert.equal(formatFilter(NO_FILTER), '#Log')
  assert.deepEqual(parseFilter('#Log?kinds=nothing,__proto__&level=loud&to=soon'), NO_FILTER)
  assert.equal(parseFilter(`#Log?text=${'x'.repeat(999)}`).text.length, 200)
})

test('groups are asked for by their kinds', () => {
  assert.equal(
    queryOf({ ...NO_FILTER, groups: ['runs', 'notes'], run: 'r1' }).toString(),
    'kind=run%2Cschedule%2Cnote&run=r1',
  )
  assert.equal(queryOf(NO_FILTER).toString(), '')
  assert.deepEqual([groupOf('refusal'), groupOf('constructor')], ['commands', null])
})

test('a plot shows what an entry is about: what was commanded, what was watched, else its instrument', () => {
  const series = ['valve-1.valve', 'valve-1.flow', 'oven.temperature']
  const shown = (more: Partial<TimelineEntry>): string | null => plotAround(entry(0, more), series)
  const span = 'from=2026-05-01T08:25:00.000Z&to=2026-05-01T08:35:00.000Z'
  const record = { instrument: 'valve-1', parameter: 'valve' } as NonNullable<TimelineEntry['commands']>[0]
  assert.equal(shown({ commands: [record], instrument: 'valve-1' }), `#Plots?series=valve-1.valve&${span}`)
  assert.equal(
    shown({ data: { watched: ['oven.temperature', 'gone.x', 7], outputs: ['valve-1.valve'] } }),
    `#Plots?series=oven.temperature,valve-1.valve&${span}`,
  )
  assert.equal(shown({ instrument: 'valve-1' }), `#Plots?series=valve-1.valve,valve-1.flow&${span}`)
  assert.equal(shown({}), null)
  assert.equal(
    shown({ kind: 'note', instrument: 'oven', data: { from: AT, to: '2026-05-01T09:30:00.000Z' } }),
    '#Plots?series=oven.temperature&from=2026-05-01T07:30:00.000Z&to=2026-05-01T10:30:00.000Z',
  )
})

test('what comes is put to what is known, newest first, each once, as it is now', () => {
  const later = entry(1, { when: '2026-05-01T08:30:01.000Z' })
  const known = [entry(2), entry(1)]
  assert.deepEqual(
    merged(known, [entry(10), later]).map(({ id, when }) => `${id.slice(14)} ${when.slice(17, 19)}`),
    ['1 01', '10 00', '2 00'],
  )
})
