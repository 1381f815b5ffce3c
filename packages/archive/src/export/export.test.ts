import { GolemError } from '@golem/core'
import { type Table, tableFromIPC } from 'apache-arrow'
import assert from 'node:assert/strict'
import { readParquet } from 'parquet-wasm/node'
import { setTimeout as sleep } from 'node:timers/promises'
import { EMPTY_BATCH, seriesFor, writeBatch } from '../batch.ts'
import type { Database } from '../database.ts'
import { openArchive } from '../open.ts'
import { testBoth } from '../both-testing.ts'
import { exportInThread } from './in-thread.ts'
import type { ExportJob, ReadingsJob } from './job.ts'

const BEGIN = Date.parse('2026-05-01T00:00:00.000Z')
const TEXTS = ['open', '# no, "comment"', '', '=1+2\n3', '€😀']
/** More than a page, so that the next one has to be found. */
const READINGS = 5_003

const ORIGIN = {
  site: 'test',
  title: 'Two\nlines',
  golem: '0.0.0',
  exportedAt: '2026-06-01T00:00:00.000Z',
  query: '/api/export?series=oven',
}

const JOB: ReadingsJob = {
  of: 'readings',
  origin: ORIGIN,
  names: ['oven.temperature', 'oven.door'],
  from: BEGIN,
  to: BEGIN + 86_400_000,
  every: 'exact',
  layout: 'long',
  format: 'csv',
  dialect: 'plain',
  rowsBefore: 0,
}

/** An archive with a number and a text, a gap, and what happened. */
async function filled(place: string): Promise<Database> {
  const archive = await openArchive(place)
  const temperature = await seriesFor(archive, 'oven', 'temperature', {
    type: 'number',
    label: 'Temp "#1"\n# really',
    unit: '°C',
  })
  const door = await seriesFor(archive, 'oven', 'door', { type: 'choice', label: 'Door', unit: null })
  const calibration = {
    name: 'probe-7',
    from: ['raw'],
    version: 'abcd0123',
    at: '2026-04-01T00:00:00.000Z',
    by: 'ann',
  }
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: [
      ...Array.from({ length: READINGS }, (_, n) => ({
        series: temperature.id,
        t: BEGIN + n * 1000,
        value: 20 + n / 3,
      })),
      ...TEXTS.map((value, n) => ({ series: door.id, t: BEGIN + n * 500, value })),
    ],
    minutes: [{ series: temperature.id, t: BEGIN, lo: 20, hi: 30, total: 75, n: 3 }],
    gaps: [
      {
        series: temperature.id,
        from: BEGIN - 5000,
        until: BEGIN + 1,
        reason: 'link',
        message: 'no\n"answer"',
      },
      { series: temperature.id, from: BEGIN - 9000, until: BEGIN - 8000, reason: 'bad', message: 'before' },
    ],
    series: [
      { ...temperature, firstAt: BEGIN, lastAt: BEGIN + READINGS * 1000 },
      { ...door, firstAt: BEGIN, lastAt: BEGIN + 2000 },
    ],
    events: [1, 2, 3].map((n) => ({
      id: `${n}-0`,
      at: new Date(BEGIN + n * 1000).toISOString(),
      kind: n === 3 ? 'note' : 'log',
      by: 'ann',
      message: `<b>line ${n}</b>`,
      ...(n === 2 ? { run: 'r1', data: { logger: 'x' } } : {}),
    })),
    documents: [
      {
        kind: 'description',
        name: 'oven',
        at: BEGIN - 1,
        digest: 'd',
        body: JSON.stringify({ parameters: { temperature: { calibration } } }),
      },
    ],
  })
  return archive
}

async function bytesOf(place: string, job: ExportJob): Promise<Buffer> {
  const { bytes } = await exportInThread(place, job, new AbortController().signal)
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function textOf(place: string, job: ExportJob): Promise<string> {
  return (await bytesOf(place, job)).toString()
}

/** Parquet as the library of Rust reads it, which pandas' and R's readers of Arrow have much in common with. */
async function tableOf(place: string, job: ReadingsJob): Promise<Table> {
  const file = await bytesOf(place, { ...job, format: 'parquet' })
  return tableFromIPC(readParquet(file).intoIPCStream())
}

testBoth(
  'a long CSV says where it comes from, keeps hostile texts apart, and says at its end how long it is',
  async (t, place) => {
    const archive = await filled(place)
    t.after(() => archive.close())
    const { rows, bytes } = await exportInThread(place, JOB, new AbortController().signal)
    assert.ok(rows !== null && rows > READINGS * 0.9 && rows < READINGS * 1.1, String(rows))
    let text = ''
    for await (const piece of bytes) text += Buffer.from(piece).toString()
    const lines = text.split('\n')
    assert.deepEqual(lines.slice(0, 2), ['# golem: readings', '# site: Two lines (test)'])
    assert.ok(lines.includes('# timeZone: UTC'))
    const series = lines
      .filter((line) => line.startsWith('# series: '))
      .map((line) => JSON.parse(line.slice(10)) as unknown)
    assert.deepEqual(series, [
      {
        name: 'oven.temperature',
        label: 'Temp "#1"\n# really',
        unit: '°C',
        type: 'number',
        calibration: 'probe-7, version abcd0123 of 2026-04-01T00:00:00.000Z by ann, from raw',
        before: null,
      },
      { name: 'oven.door', label: 'Door', unit: null, type: 'choice', calibration: null, before: null },
    ])
    const gaps = lines.filter((line) => line.startsWith('# gap: '))
    assert.equal(gaps.length, 1)
    assert.match(gaps[0] ?? '', /"reason":"link","message":"no\\n\\"answer\\""/)
    const head = lines.indexOf('time,series,value,text')
    assert.equal(lines[head + 2], '2026-05-01T00:00:00.000Z,oven.temperature,20,')
    assert.ok(text.includes(`2026-05-01T01:23:22.000Z,oven.temperature,${20 + 5002 / 3},\n`))
    assert.ok(text.includes('oven.door,,"# no, ""comment"""\n'))
    assert.ok(text.includes('oven.door,,""\n'))
    assert.ok(text.endsWith(`oven.door,,€😀\n# end, ${READINGS + TEXTS.length} rows\n`))
  },
)

testBoth(
  'what was cut off anywhere goes on after its last row, and is the same as the whole',
  async (t, place) => {
    const archive = await filled(place)
    t.after(() => archive.close())
    const whole = await textOf(place, JOB)
    for (const [position, rowsBefore] of [
      [{ t: BEGIN + 4_999_000, series: 'oven.temperature' }, 5_000],
      [{ t: BEGIN + 5_002_000, series: 'oven.temperature' }, 5_003],
      [{ t: BEGIN + 2_000, series: 'oven.door' }, 5_008],
    ] as const) {
      const rest = await textOf(place, { ...JOB, after: position, rowsBefore })
      assert.ok(whole.endsWith(rest), rest.slice(0, 200))
      assert.equal(
        rest.split('\n').length,
        READINGS + TEXTS.length - rowsBefore + 2 + (rowsBefore < 5_008 ? 1 : 0),
      )
    }
    const wide = { ...JOB, layout: 'wide' } as const
    const wideWhole = await textOf(place, wide)
    assert.ok(
      wideWhole.endsWith(await textOf(place, { ...wide, after: { t: BEGIN + 1_000 }, rowsBefore: 3 })),
    )
    await assert.rejects(textOf(place, { ...JOB, after: { t: BEGIN } }), { code: 'INVALID_REQUEST' })
    await assert.rejects(textOf(place, { ...JOB, after: { t: BEGIN, series: 'oven.nothing' } }), {
      code: 'INVALID_REQUEST',
    })
    await assert.rejects(textOf(place, { ...wide, after: { t: BEGIN, series: 'oven.door' } }), {
      code: 'INVALID_REQUEST',
    })
  },
)

testBoth(
  'a wide CSV has a line for each time; minutes are means, and in the long one mean, least, most and count',
  async (t, place) => {
    const archive = await filled(place)
    t.after(() => archive.close())
    const lines = (await textOf(place, { ...JOB, layout: 'wide', names: ['*'] })).split('\n')
    const head = lines.indexOf('time,oven.door,oven.temperature')
    assert.deepEqual(lines.slice(head + 1, head + 4), [
      '# gap: {"series":"oven.temperature","from":"2026-04-30T23:59:55.000Z","to":"2026-05-01T00:00:00.001Z","reason":"link","message":"no\\n\\"answer\\""}',
      '2026-05-01T00:00:00.000Z,open,20',
      '2026-05-01T00:00:00.500Z,"# no, ""comment""",',
    ])
    assert.equal(lines.at(-2), `# end, ${READINGS + 2} rows`)
    const minutes = await textOf(place, { ...JOB, every: 'minute', layout: 'wide' })
    assert.match(minutes, /\n2026-05-01T00:00:00\.000Z,25,\n# end, 1 rows\n$/)
    const later = await textOf(place, { ...JOB, from: BEGIN + 1_500 })
    assert.match(
      later,
      /"name":"oven.door".*"before":\{"time":"2026-05-01T00:00:01.000Z","value":""\}/,
      'what held when the span began',
    )
    const long = await textOf(place, { ...JOB, every: 'minute' })
    assert.match(
      long,
      /\ntime,series,mean,min,max,count\n[^\n]*\n2026-05-01T00:00:00.000Z,oven.temperature,25,20,30,3\n/,
    )
  },
)

testBoth(
  'for Excel texts are no formulas, times are times and decimals as it expects them',
  async (t, place) => {
    const archive = await filled(place)
    t.after(() => archive.close())
    const text = await textOf(place, { ...JOB, dialect: 'excel-semicolon' })
    assert.ok(text.startsWith('\uFEFF"# golem: readings"\r\n'))
    assert.ok(text.includes('\r\ntime (UTC);series;value;text\r\n'))
    assert.ok(
      text.includes(
        `\r\n2026-05-01 00:00:01.000;"oven.temperature";${String(20 + 1 / 3).replace('.', ',')};\r\n`,
      ),
    )
    assert.ok(text.includes(`;"'=1+2\n3"\r\n`))
  },
)

testBoth('Parquet has typed columns, and units, calibrations and gaps in its metadata', async (t, place) => {
  const archive = await filled(place)
  t.after(() => archive.close())
  const long = await tableOf(place, JOB)
  assert.equal(long.numRows, READINGS + TEXTS.length)
  assert.deepEqual(
    long.schema.fields.map(({ name, type }) => [name, String(type)]),
    [
      ['time', 'Timestamp<MILLISECOND, UTC>'],
      ['series', 'Utf8'],
      ['value', 'Float64'],
      ['text', 'Utf8'],
    ],
  )
  assert.deepEqual(long.get(READINGS - 1)?.toJSON(), {
    time: BEGIN + 5_002_000,
    series: 'oven.temperature',
    value: 20 + 5002 / 3,
    text: null,
  })
  const texts = long.getChild('text')?.toArray() as Iterable<unknown>
  assert.deepEqual([...texts].slice(READINGS), TEXTS)
  const { metadata } = long.schema
  assert.equal(metadata.get('golem.timeZone'), 'UTC')
  assert.match(metadata.get('golem.series') ?? '', /"unit":"°C"[\s\S]*probe-7, version abcd0123/)
  assert.equal((JSON.parse(metadata.get('golem.gaps') ?? '') as unknown[]).length, 1)

  const wide = await tableOf(place, { ...JOB, layout: 'wide' })
  assert.deepEqual(
    [wide.numRows, wide.get(0)?.toJSON()],
    [READINGS + 2, { time: BEGIN, 'oven.temperature': 20, 'oven.door': 'open' }],
  )
  const none = await tableOf(place, { ...JOB, from: BEGIN - 2, to: BEGIN - 1 })
  assert.equal(none.numRows, 0)
})

testBoth('lines of JSON say what they are', async (t, place) => {
  const archive = await filled(place)
  t.after(() => archive.close())
  const lines = (await textOf(place, { ...JOB, format: 'ndjson', names: ['oven.door'] }))
    .trimEnd()
    .split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.equal(parsed[0]?.['what'], 'export')
  assert.deepEqual(parsed[2], {
    what: 'reading',
    time: '2026-05-01T00:00:00.500Z',
    series: 'oven.door',
    text: TEXTS[1],
  })
  assert.deepEqual(parsed.at(-1), { what: 'end', rows: TEXTS.length })
})

testBoth(
  'the log is exported with all that an entry has, filtered, and goes on where it was cut off',
  async (t, place) => {
    const archive = await filled(place)
    t.after(() => archive.close())
    const selection = { what: 'events', from: BEGIN, to: BEGIN + 10_000 } as const
    const job = { of: 'log', origin: ORIGIN, selection, rowsBefore: 0 } as const
    const whole = await textOf(place, job)
    const [first, one, two, , end] = whole
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.equal(first?.['of'], 'events')
    assert.deepEqual(one, {
      what: 'event',
      t: BEGIN + 1000,
      id: '1-0',
      at: '2026-05-01T00:00:01.000Z',
      kind: 'log',
      level: 'info',
      message: '<b>line 1</b>',
      by: 'ann',
    })
    assert.deepEqual([two?.['run'], two?.['data']], ['r1', { logger: 'x' }])
    assert.deepEqual(end, { what: 'end', rows: 3 })
    const rest = await textOf(place, {
      ...job,
      selection: { ...selection, after: { t: BEGIN + 1000, id: '1-0' } },
      rowsBefore: 1,
    })
    assert.ok(whole.endsWith(rest) && rest.split('\n').length === 4, rest)
    const ofRun = await textOf(place, { ...job, selection: { ...selection, run: 'r1', kind: 'log' } })
    assert.equal(ofRun.trimEnd().split('\n').length, 3)
    const commands = await textOf(place, {
      ...job,
      selection: { ...selection, what: 'commands', instrument: 'oven' },
    })
    assert.equal(commands.trimEnd().split('\n').length, 2)
  },
)

testBoth(
  'a name without series, no archive, and nobody who reads on end as what they are',
  async (t, place) => {
    await assert.rejects(textOf(`${place}-not-there`, JOB), { code: 'ARCHIVE_DOWN' })
    const archive = await filled(place)
    t.after(() => archive.close())
    await assert.rejects(textOf(place, { ...JOB, names: ['oven.smell'] }), { code: 'UNKNOWN_NAME' })

    const stopped = new AbortController()
    const { bytes } = await exportInThread(place, JOB, stopped.signal)
    await bytes.next()
    stopped.abort()
    await assert.rejects(async () => {
      for await (const piece of bytes) assert.ok(piece)
    }, GolemError)
    // Only the head was read: the thread makes a few pieces and waits.
    const left = await exportInThread(place, { ...JOB, every: 'exact' }, new AbortController().signal)
    await left.bytes.next()
    await sleep(50)
    await left.bytes.return(undefined)
  },
)
