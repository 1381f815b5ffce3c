import { EMPTY_BATCH, openArchive, seriesFor, writeBatch } from '@golem/archive'
import { KEEP_ALL } from '@golem/config'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { hashToken } from '@golem/config'
import { fault } from './app-in-memory.ts'
import { InMemoryClient, siteOf } from './in-memory-site.ts'

const NOW = Date.UTC(2026, 4, 1, 12)
const T0 = NOW - 40_000_000
const READINGS = 40_000
const SPAN = 'from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z'

/** The application with an archive of 40,000 readings, a command, an event and a run. */
async function openWith(t: TestContext, web = {}): Promise<{ app: FastifyInstance; place: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'golem-export-'))
  const place = join(folder, 'archive.sqlite')
  const archive = await openArchive(place)
  const made = await seriesFor(archive, 'oven', 'temperature', { type: 'number', label: 'Oven', unit: '°C' })
  const at = new Date(NOW - 1_000_000).toISOString()
  const run = { id: 'r1', recipe: 'bake', label: 'Bake', submittedAt: at, startedAt: at, endedAt: at }
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: Array.from({ length: READINGS }, (_, n) => ({
      series: made.id,
      t: T0 + n * 1000,
      value: n / 7,
    })),
    series: [{ ...made, firstAt: T0, lastAt: NOW - 1000 }],
    events: [{ id: '5-0', at, kind: 'note', message: 'a note' }],
    commands: [
      {
        id: 'c1',
        instrument: 'oven',
        parameter: 'power',
        value: 1,
        by: 'run r1',
        submittedAt: at,
        validUntil: at,
        state: 'ended',
        outcome: 'done',
      },
    ],
    runs: [run as never],
    rows: [
      {
        run: 'r1',
        row: { id: '1-0', table: 'scan', at, values: { 'gas.co2': 4 }, samples: 1, variables: {} },
      },
    ],
    documents: [
      { kind: 'description', name: 'oven', at: T0 - 9, digest: 'old', body: '{"parameters":{},"old":1}' },
      { kind: 'description', name: 'oven', at: T0 - 5, digest: 'a', body: '{"parameters":{}}' },
      { kind: 'description', name: 'other', at: T0 - 5, digest: 'b', body: '{"parameters":{}}' },
      { kind: 'recipe', name: 'bake', at: T0 - 5, digest: 'c', body: 'recipe: bake' },
      { kind: 'recipe', name: 'later', at: NOW, digest: 'd', body: 'recipe: later' },
    ],
  })
  await archive.query('PRAGMA wal_checkpoint(TRUNCATE)')
  await archive.close()
  const client = new InMemoryClient()
  client.view.timeMs = NOW
  const site = { ...siteOf(['oven'], web), archive: { place, stream: 1_000, keep: KEEP_ALL } }
  const app = await buildApp({ site, client, assetsDir: '/nonexistent', log: pino({ level: 'silent' }) })
  t.after(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })
  return { app, place }
}

test('a file of readings says what it is, how long it will be, and where it comes from', async (t) => {
  const { app } = await openWith(t)
  const answer = await app.inject(`/api/export?series=oven&${SPAN}`)
  assert.equal(answer.statusCode, 200, answer.body)
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8')
  assert.equal(
    answer.headers['content-disposition'],
    'attachment; filename="golem-readings-test-20260501T0000-20260501T1200.csv"',
  )
  const estimate = Number(answer.headers['golem-rows-estimate'])
  assert.ok(Math.abs(estimate - READINGS) < READINGS / 20, String(estimate))
  const lines = answer.body.split('\n')
  // What lies in the future is not asked for, so that the same request gives the same rows tomorrow.
  const query =
    '/api/export?series=oven&from=2026-05-01T00%3A00%3A00.000Z&to=2026-05-01T12%3A00%3A00.000Z&format=csv&layout=long&every=exact&dialect=plain'
  assert.ok(lines.includes(`# query: ${query}`), answer.body.slice(0, 1000))
  assert.equal(lines.at(-2), `# end, ${READINGS} rows`)
  assert.equal((await app.inject(query)).body, answer.body)

  const last = lines.at(-3) ?? ''
  const [time, series] = last.split(',')
  const rest = await app.inject(`${query}&after=${time},${series}&rows=${READINGS}`)
  assert.equal(rest.body, `# end, ${READINGS} rows\n`)

  const head = await app.inject({ method: 'HEAD', url: query })
  assert.deepEqual(
    [head.statusCode, head.body, Number(head.headers['golem-rows-estimate'])],
    [200, '', estimate],
  )
  const parquet = (await app.inject(`${query.replace('csv', 'parquet')}`)).rawPayload
  assert.equal(parquet.subarray(0, 4).toString() + parquet.subarray(-4).toString(), 'PAR1PAR1')
})

test('events, commands and rows are lines of JSON; a run comes with the descriptions that were in force', async (t) => {
  const { app } = await openWith(t)
  for (const [query, what] of [
    ['', 'event'],
    ['&what=commands&instrument=oven&run=r1', 'command'],
    ['&what=rows&run=r1', 'row'],
  ] as const) {
    const { body } = await app.inject(`/api/export/log?${SPAN}${query}`)
    const lines = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { what: string })
    assert.deepEqual(
      lines.map((line) => line.what),
      ['export', what, 'end'],
    )
  }
  const archive = (await app.inject('/api/runs/r1/archive')).json<{
    instruments: string[]
    documents: { kind: string; digest: string }[]
  }>()
  assert.deepEqual(archive.instruments, ['gas', 'oven'])
  assert.deepEqual(
    archive.documents.map(({ digest }) => digest),
    ['a', 'c'],
  )
})

test('what is asked for wrongly is refused before the first byte', async (t) => {
  const { app } = await openWith(t)
  const faults = [
    [`/api/export?${SPAN}`, [400, 'INVALID_REQUEST', 'query.series']],
    [`/api/export?${SPAN}&series=oven,`, [400, 'INVALID_REQUEST', 'query.series']],
    [`/api/export?${SPAN}&series=oven.smell`, [404, 'UNKNOWN_NAME', 'query.series']],
    [`/api/export?${SPAN}&series=oven&format=xlsx`, [422, 'OUT_OF_RANGE', 'query.format']],
    [
      `/api/export?${SPAN}&series=oven&format=parquet&after=2026-05-01T00:00:00Z`,
      [400, 'INVALID_REQUEST', 'query.after'],
    ],
    [`/api/export?${SPAN}&series=oven&after=yesterday`, [400, 'INVALID_REQUEST', 'query.after']],
    [
      `/api/export?${SPAN}&series=oven&after=2026-05-01T00:00:00Z,a,b`,
      [400, 'INVALID_REQUEST', 'query.after'],
    ],
    [`/api/export?${SPAN}&series=oven&after=2026-05-01T00:00:00Z`, [400, 'INVALID_REQUEST', 'query.after']],
    [`/api/export/log?${SPAN}&what=rows`, [400, 'INVALID_REQUEST', 'query.run']],
    [`/api/export/log?${SPAN}&what=commands&kind=note`, [400, 'INVALID_REQUEST', 'query.kind']],
    [`/api/export/log?${SPAN}&after=5`, [400, 'INVALID_REQUEST', 'query.after']],
    ['/api/runs/nothing/archive', [404, 'NOT_FOUND', 'path.id']],
  ] as const
  for (const [url, expected] of faults) assert.deepEqual(await fault(app, { url }), expected, url)
})

/** Reads an answer to its end, or until its connection breaks. */
function readAll(url: string): Promise<{ status: number; text: string; broken: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      const done = (broken: boolean) => () => resolve({ status: response.statusCode ?? 0, text, broken })
      response.on('end', done(false))
      response.on('error', done(true))
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('an archive that fails in the middle breaks the connection: no short file looks whole', async (t) => {
  const { app, place } = await openWith(t)
  await app.listen({ port: 0 })
  const url = `http://localhost:${(app.server.address() as AddressInfo).port}/api/export?series=oven&${SPAN}`
  const whole = await readAll(url)
  assert.deepEqual([whole.status, whole.broken], [200, false])

  const file = openSync(place, 'r+')
  const { size } = statSync(place)
  // A part that the estimate does not look at.
  writeSync(file, Buffer.alloc(Math.floor(size * 0.05), 0xa5), 0, null, Math.floor(size * 0.65))
  closeSync(file)
  const cut = await readAll(url)
  assert.deepEqual([cut.status, cut.broken], [200, true])
  assert.ok(cut.text.length > 1000 && whole.text.startsWith(cut.text.slice(0, 400)))
  assert.doesNotMatch(cut.text, /# end/)
})

test('only some exports at a time; one whose reader goes away makes room', async (t) => {
  const { app } = await openWith(t)
  await app.listen({ port: 0 })
  const url = `http://localhost:${(app.server.address() as AddressInfo).port}/api/export?series=oven&${SPAN}`
  const readers = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const gone = new AbortController()
      // Nobody reads it: the answer does not fit into the socket's buffers by far.
      const answer = await fetch(`${url}&format=ndjson`, { signal: gone.signal })
      assert.equal(answer.status, 200)
      return gone
    }),
  )
  const refused = await fetch(url)
  assert.equal(refused.status, 429)
  await refused.text()
  readers[0]?.abort()
  let answer = await fetch(url)
  for (let tries = 0; answer.status === 429 && tries < 200; tries += 1) {
    await answer.text()
    await new Promise((resolve) => setTimeout(resolve, 25))
    answer = await fetch(url)
  }
  assert.match(await answer.text(), /# end, 40000 rows\n$/)
  for (const reader of readers) reader.abort()
})

test('where people have tokens a file wants one, or a ticket, which lets in once', async (t) => {
  const tokens = [{ name: 'ann', role: 'viewer', hash: hashToken('ann-secret') }]
  const { app } = await openWith(t, { auth: { kind: 'tokens', tokens } })
  const url = `/api/export?series=oven&${SPAN}&every=hour`
  const headers = { authorization: 'Bearer ann-secret' }
  assert.deepEqual(await fault(app, { url }), [401, 'NOT_AUTHENTICATED', 'header.authorization'])
  assert.equal((await app.inject({ url, headers })).statusCode, 200)
  const asked = await app.inject({ method: 'POST', url: '/api/session/ticket', headers })
  const { ticket } = asked.json<{ ticket: string }>()
  const saved = await app.inject(`${url}&ticket=${ticket}`)
  assert.equal(saved.statusCode, 200)
  assert.doesNotMatch(saved.body, /ticket/)
  assert.deepEqual(await fault(app, { url: `${url}&ticket=${ticket}` }), [
    401,
    'NOT_AUTHENTICATED',
    'query.ticket',
  ])
})
