import {
  type CommandRecord,
  type EventFilter,
  type SiteEvent,
  type TimelinePlace,
  comparePlaces,
  isoTime,
  passes,
  placeOf,
} from '@golem/core'
import assert from 'node:assert/strict'
import { EMPTY_BATCH, writeBatch } from './batch.ts'
import type { Database } from './database.ts'
import { openArchive, openArchiveReader } from './open.ts'
import { testBoth } from './both-testing.ts'
import { type TimelinePage, timeline } from './timeline.ts'

const T0 = Date.parse('2026-05-01T08:00:00Z')
const at = (s: number): string => isoTime(T0 + 1000 * s)

/** Twelve in one ms, so that ids have to be compared as numbers; then some that differ in all there is. */
const EVENTS: SiteEvent[] = [
  ...Array.from({ length: 12 }, (_, n) => ({
    id: `${T0}-${n}`,
    at: at(0),
    kind: 'log',
    by: 'Анна',
    message: `line ${n}`,
  })),
  {
    id: `${T0 + 1000}-0`,
    at: at(1),
    kind: 'command',
    instrument: 'valve-1',
    by: 'run r12',
    message: 'valve = false: done',
    command: 'c1',
    run: 'r12',
    stage: '3: dry',
  },
  { id: `${T0 + 2000}-0`, at: at(2), kind: 'alarm', level: 'error', message: 'ПЕРЕГРЕВ печи 100%_[x]*?' },
  {
    id: `${T0 + 3000}-0`,
    at: at(3),
    kind: 'stop',
    message: '2 waiting commands refused',
    data: { commands: ['c2', 'c3'], said: 'a "quoted" \\ word' },
  },
  {
    id: `${T0 + 4000}-0`,
    at: at(4),
    kind: 'note',
    by: 'Анна',
    message: 'the door stood open',
    data: { from: at(0.5), to: at(2) },
  },
]

function command(id: string, outcome: 'done' | 'refused'): CommandRecord {
  return {
    id,
    instrument: 'valve-1',
    parameter: 'valve',
    value: false,
    by: 'run r12',
    state: 'ended',
    outcome,
    effect: outcome === 'done' ? 'done' : 'none',
    submittedAt: at(0),
    validUntil: at(30),
    endedAt: at(1),
  }
}

async function filled(place: string): Promise<Database> {
  const archive = await openArchive(place)
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    events: EVENTS,
    commands: [command('c1', 'done'), command('c2', 'refused'), command('c3', 'refused')],
  })
  await archive.close()
  return openArchiveReader(place)
}

const ORDERED = EVENTS.toSorted((a, b) => comparePlaces(placeOf(a), placeOf(b))).map(({ id }) => id)

function idsOf({ entries }: TimelinePage): string[] {
  return entries.map(({ id }) => id)
}

testBoth('entries are in the order of what they are about, and come in pages both ways', async (_, place) => {
  const archive = await filled(place)
  const all = await timeline(archive, { filter: {}, limit: 100 })
  assert.deepEqual(idsOf(all), ORDERED)
  assert.equal(all.next, null)
  assert.equal(ORDERED[12], `${T0 + 4000}-0`, 'a note belongs to the time that it is about')

  for (const side of ['before', 'after'] as const) {
    const seen: string[] = []
    let edge: TimelinePlace | undefined = side === 'before' ? undefined : { t: 0, id: '0-0' }
    for (let n = 0; n < 10; n += 1) {
      const page: TimelinePage = await timeline(archive, {
        filter: {},
        limit: 5,
        ...(edge ? { edge: { side, place: edge } } : {}),
      })
      if (side === 'before') seen.unshift(...idsOf(page))
      else seen.push(...idsOf(page))
      if (!page.next) break
      edge = page.next
    }
    assert.deepEqual(seen, ORDERED, side)
  }
  await archive.close()
})

testBoth('filters take what the same filter takes of entries in Redis', async (_, place) => {
  const archive = await filled(place)
  const filters: [EventFilter, number][] = [
    [{ kinds: ['alarm', 'note'] }, 2],
    [{ level: 'warning' }, 1],
    [{ level: 'info' }, EVENTS.length],
    [{ instrument: 'valve-1' }, 1],
    [{ run: 'r12' }, 1],
    [{ by: 'анна' }, 13],
    [{ by: 'RUN' }, 1],
    [{ text: 'перегрев' }, 1],
    [{ text: '100%_[X]*?' }, 1],
    [{ text: '100' }, 1],
    [{ text: '1*0' }, 0],
    [{ text: '1.0' }, 0],
    [{ text: 'a "QUOTED" \\ word' }, 1],
    [{ text: 'line 1' }, 3],
    [{ text: "'; DROP TABLE event; --" }, 0],
    [{ kinds: ['log'], text: 'line 7', by: 'Анна' }, 1],
  ]
  for (const [filter, count] of filters) {
    const page = await timeline(archive, { filter, limit: 100 })
    const wanted = EVENTS.filter((event) => passes(event, filter)).map(({ id }) => id)
    assert.deepEqual(
      idsOf(page),
      ORDERED.filter((id) => wanted.includes(id)),
      JSON.stringify(filter),
    )
    assert.equal(wanted.length, count, JSON.stringify(filter))
  }
  const span = await timeline(archive, { filter: {}, from: T0 + 1000, to: T0 + 3000, limit: 100 })
  assert.deepEqual(idsOf(span), [`${T0 + 1000}-0`, `${T0 + 2000}-0`])
  await archive.close()
})

testBoth('an entry has what it was written with, and what became of its commands', async (_, place) => {
  const archive = await filled(place)
  const { entries } = await timeline(archive, { filter: { kinds: ['command', 'stop', 'note'] }, limit: 100 })
  const [note, single, gathered] = entries
  assert.deepEqual(note, { ...EVENTS[15], when: at(0.5) })
  assert.deepEqual(single, { ...EVENTS[12], when: at(1), commands: [command('c1', 'done')] })
  assert.deepEqual(
    gathered?.commands?.map(({ id, outcome }) => `${id} ${outcome}`),
    ['c2 refused', 'c3 refused'],
  )
  await archive.close()
})

testBoth('a page is found among many entries that are not wanted', async (_, place) => {
  const archive = await openArchive(place)
  const events = Array.from({ length: 25_000 }, (_value, n): SiteEvent => {
    const t = T0 + Math.floor(n / 3)
    const kind = n === 7 || n === 24_000 ? 'rare' : 'log'
    return { id: `${t}-${n % 3}`, at: isoTime(t), kind, message: 'x' }
  })
  await writeBatch(archive, { ...EMPTY_BATCH, events })
  const page = await timeline(archive, { filter: { kinds: ['rare'] }, limit: 2 })
  assert.deepEqual(idsOf(page), [events[7]?.id, events[24_000]?.id])
  const forward = await timeline(archive, {
    filter: { kinds: ['rare'] },
    edge: { side: 'after', place: { t: T0 + 2, id: `${T0 + 2}-1` } },
    limit: 5,
  })
  assert.deepEqual(idsOf(forward), [events[24_000]?.id])
  await archive.close()
})
