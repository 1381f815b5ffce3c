import { EMPTY_BATCH, openArchive, writeBatch } from '@golem/archive'
import { KEEP_ALL } from '@golem/config'
import { type CommandRecord, GolemError, type SiteEvent, type TimelineDocument, isoTime } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { fault } from './app-in-memory.ts'
import { InMemoryClient, descriptionOf, siteOf } from './in-memory-site.ts'

const NOW = Date.UTC(2026, 4, 1, 1)
const at = (s: number): string => isoTime(NOW + 1000 * s)

function entry(n: number, more: Partial<SiteEvent> = {}): SiteEvent {
  return { id: `${NOW + 1000 * n}-0`, at: at(n), kind: 'log', message: `entry ${n}`, ...more }
}

function record(id: string): CommandRecord {
  return {
    id,
    instrument: 'relay-1',
    parameter: 'valve',
    value: false,
    by: 'run r1',
    state: 'ended',
    outcome: 'done',
    effect: 'done',
    submittedAt: at(-9),
    validUntil: at(0),
    endedAt: at(-8),
  }
}

/** A site with six archived entries, two that Redis has besides, and one that both have. */
async function open(
  t: TestContext,
  { isArchived = true }: { isArchived?: boolean } = {},
): Promise<{ app: FastifyInstance; client: InMemoryClient }> {
  const folder = mkdtempSync(join(tmpdir(), 'golem-timeline-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const place = join(folder, 'archive.sqlite')
  if (isArchived) {
    const archive = await openArchive(place)
    await writeBatch(archive, {
      ...EMPTY_BATCH,
      events: [-9, -8, -7, -6, -5, -4].map((n) =>
        entry(n, n === -8 ? { kind: 'command', command: 'c1', run: 'r1', stage: '3: dry' } : {}),
      ),
      commands: [record('c1')],
      remember: { events: entry(-5).id },
    })
    await archive.close()
  }
  const client = new InMemoryClient()
  client.view.timeMs = NOW
  client.view.descriptions.set('relay-1', descriptionOf('relay-1'))
  client.records.set('c2', record('c2'))
  client.told.push(
    entry(-4),
    entry(-3, { kind: 'command', command: 'c2' }),
    entry(-2, { kind: 'note', message: 'the door stood open', data: { from: at(-7.5), to: at(-6.5) } }),
  )
  const site = { ...siteOf(['relay-1']), archive: { place, stream: 1_000, keep: KEEP_ALL } }
  const app = await buildApp({ site, client, assetsDir: '/nonexistent', log: pino({ level: 'silent' }) })
  t.after(() => app.close())
  return { app, client }
}

async function ask(app: FastifyInstance, query = ''): Promise<TimelineDocument> {
  const answer = await app.inject(`/api/timeline?${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

const placesOf = ({ entries }: TimelineDocument): number[] =>
  entries.map(({ when }) => (Date.parse(when) - NOW) / 1000)

const ALL = [-9, -8, -7.5, -7, -6, -5, -4, -3]

test('what is archived and what Redis has beside it are one list, each entry once', async (t) => {
  const { app } = await open(t)
  const all = await ask(app)
  assert.deepEqual(placesOf(all), ALL)
  assert.deepEqual([all.before, all.note], [null, undefined])
  assert.deepEqual(
    all.entries.flatMap(({ commands = [] }) => commands.map(({ id, outcome }) => `${id} ${outcome}`)),
    ['c1 done', 'c2 done'],
  )
})

test('pages both ways, whatever their size, give each entry once', async (t) => {
  const { app } = await open(t)
  for (const limit of [1, 2, 3, 5]) {
    const back: number[] = []
    let page = await ask(app, `limit=${limit}`)
    for (let n = 0; n < 20; n += 1) {
      back.unshift(...placesOf(page))
      if (page.before === null) break
      page = await ask(app, `limit=${limit}&before=${page.before}`)
    }
    assert.deepEqual(back, ALL, `before, ${limit}`)
    const forth: number[] = []
    let after = '0_0-0'
    for (let n = 0; n < 20; n += 1) {
      const next = await ask(app, `limit=${limit}&after=${after}`)
      forth.push(...placesOf(next))
      if (next.entries.length === 0 || next.after === null) break
      after = next.after
    }
    assert.deepEqual(forth, ALL, `after, ${limit}`)
  }
})

test('filters hold for both, and a span cuts', async (t) => {
  const { app } = await open(t)
  assert.deepEqual(placesOf(await ask(app, 'kind=command,note')), [-8, -7.5, -3])
  assert.deepEqual(placesOf(await ask(app, 'text=DOOR')), [-7.5])
  assert.deepEqual(placesOf(await ask(app, 'run=r1')), [-8])
  assert.deepEqual(placesOf(await ask(app, `from=${at(-7.5)}&to=${at(-4)}`)), [-7.5, -7, -6, -5])
  assert.deepEqual(placesOf(await ask(app, 'from=-6s')), [-6, -5, -4, -3])
})

test('without an archive Redis is what there is, and it is said', async (t) => {
  const { app } = await open(t, { isArchived: false })
  const page = await ask(app)
  assert.deepEqual(placesOf(page), [-7.5, -4, -3])
  assert.match(page.note ?? '', /There is no archive yet.*Only what Redis still has/)
  assert.deepEqual(placesOf(await ask(app, `to=${at(-4)}`)), [-7.5])
})

test('without Redis the archive is what there is; without both there is nothing', async (t) => {
  const one = await open(t)
  one.client.trouble = new GolemError('QUEUE_DOWN', 'Redis does not answer.')
  const page = await ask(one.app)
  assert.deepEqual(placesOf(page), [-9, -8, -7, -6, -5, -4])
  assert.match(page.note ?? '', /Redis does not answer.*may be missing/)
  const none = await open(t, { isArchived: false })
  none.client.trouble = one.client.trouble
  assert.deepEqual(await fault(none.app, { url: '/api/timeline' }), [503, 'QUEUE_DOWN', undefined])
})

test('a note is written with its span, by whoever asks, and what is no note is refused', async (t) => {
  const { app, client } = await open(t, { isArchived: false })
  const post = (payload: object) => app.inject({ method: 'POST', url: '/api/notes', payload })
  const made = await post({
    text: ' wet <b>socks</b>\n',
    from: '-10 min',
    to: at(0),
    instrument: 'relay-1',
    run: 'r1',
  })
  assert.equal(made.statusCode, 201, made.body)
  const note = made.json<SiteEvent>()
  assert.deepEqual(note.data, { from: at(-600), to: at(0) })
  assert.deepEqual(
    [note.kind, note.message, note.instrument, note.run],
    ['note', 'wet <b>socks</b>', 'relay-1', 'r1'],
  )
  assert.equal(client.told.at(-1)?.id, note.id)
  const bad: [object, string][] = [
    [{}, 'INVALID_REQUEST'],
    [{ text: '   ' }, 'INVALID_REQUEST'],
    [{ text: 'x'.repeat(4_001) }, 'OUT_OF_RANGE'],
    [{ text: 'x', from: 'yesterday' }, 'INVALID_REQUEST'],
    [{ text: 'x', from: at(5), to: at(5) }, 'INVALID_REQUEST'],
    [{ text: 'x', instrument: 'nobody' }, 'UNKNOWN_INSTRUMENT'],
    [{ text: 'x', html: '<b>' }, 'INVALID_REQUEST'],
  ]
  for (const [payload, code] of bad) {
    const answer = await post(payload)
    assert.equal(answer.json<{ code: string }>().code, code, JSON.stringify(payload).slice(0, 80))
  }
  assert.equal((await post({ text: 'x', to: at(60) })).statusCode, 201)
})

test('what is no place in the timeline is refused', async (t) => {
  const { app } = await open(t)
  for (const query of ['before=5', 'before=1_1-0&after=1_1-0', 'limit=501', 'level=loud', 'from=soon']) {
    const { statusCode } = await app.inject(`/api/timeline?${query}`)
    assert.ok(statusCode === 400 || statusCode === 422, `${query}: ${statusCode}`)
  }
})
