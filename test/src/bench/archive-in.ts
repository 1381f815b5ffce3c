import { statSync } from 'node:fs'
import { join } from 'node:path'
import { examineArchiveServer } from '@golem/archive'
import { PostgresServer } from '@golem/archive/testing'
import type { SampleEntry } from '@golem/core'
import { WorkerClient } from '@golem/queue'
import { eventually } from '../kit/eventually.ts'
import { relayBoards, startStand } from '../kit/stand.ts'
import { type Figure, times } from './figures.ts'
import { cpuPercent, cpuSeconds, pssMb } from './process-cost.ts'

const INSTRUMENTS = 20
const PARAMETERS = 10
const SECONDS = 1_500
const READINGS = INSTRUMENTS * PARAMETERS * SECONDS
/** How many entries go to Redis in one step. */
const PIECE = 500
const OVER_MS = 20_000

/** What the archive takes in from a full stream, and what gathering readings costs the worker. */
export async function measureArchiveIn(): Promise<Figure[]> {
  return [
    await drained('each value different', (n) => 20 + n / 1_000),
    await drained('values that stay', () => 20),
    await drainedIntoPostgres(),
    await costToWorker(),
  ]
}

async function drainedIntoPostgres(): Promise<Figure> {
  const server = await PostgresServer.start()
  try {
    const place = await server.database()
    return await drained('each value different, into PostgreSQL beside it', (n) => 20 + n / 1_000, place)
  } finally {
    await server.remove()
  }
}

/**
 * @param value - of the reading at a second
 * @param place - of the archive, when it is a database of PostgreSQL
 */
async function drained(what: string, value: (second: number) => number, place?: string): Promise<Figure> {
  const emptyBytes = place === undefined ? 0 : (await examineArchiveServer(place)).sizeBytes
  const stand = await startStand({
    devices: [],
    workers: 0,
    webs: 0,
    settled: false,
    ...(place === undefined ? {} : { site: { archive: { place } } }),
  })
  try {
    const used = await fill(stand.redis.url, value)
    const bytesInRedis = Number(await stand.redis.call('memory', 'usage', '{golem:test}:samples'))
    const archiver = await stand.addArchiver()
    const began = performance.now()
    await eventually(async () => (await stand.redis.call('xlen', '{golem:test}:samples')) === '0', {
      what: 'everything is archived',
      timeoutMs: 300_000,
      everyMs: 20,
    })
    const seconds = (performance.now() - began) / 1_000
    const cpu = cpuSeconds(archiver.pid)
    const memory = pssMb(archiver.pid)
    await archiver.kill('SIGTERM')
    const bytes =
      place === undefined
        ? statSync(join(stand.dir, 'archive', 'test.sqlite')).size
        : (await examineArchiveServer(place)).sizeBytes - emptyBytes
    return {
      what: `archiver, ${READINGS / 1_000}k readings of ${INSTRUMENTS * PARAMETERS} series that wait, ${what}: readings/s; CPU for a million, memory (PSS); bytes for each in the archive, and while it waits in Redis`,
      value: `${Math.round(READINGS / seconds / 1_000)}k; ${((cpu / READINGS) * 1e6).toFixed(1)} s, ${Math.round(memory)} MB; ${(bytes / READINGS).toFixed(1)}, ${(bytesInRedis / used / PARAMETERS).toFixed(0)}`,
    }
  } finally {
    await stand.close()
  }
}

/** @returns how many entries were written */
async function fill(redisUrl: string, value: (second: number) => number): Promise<number> {
  const client = new WorkerClient({
    site: 'test',
    redisUrl,
    worker: 'filler',
    leaseMs: 10_000,
    onError: () => undefined,
    onControl: () => undefined,
    onLeaseLost: () => undefined,
    onReady: () => undefined,
  })
  const start = Date.now() - SECONDS * 1_000
  const entries: SampleEntry[] = []
  for (let second = 0; second < SECONDS; second += 1) {
    for (let instrument = 0; instrument < INSTRUMENTS; instrument += 1) {
      const names = Array.from({ length: PARAMETERS }, (_, n) => `parameter${n}`)
      entries.push({
        instrument: `board-${instrument}`,
        condition: 'ok',
        message: 'It answers.',
        staleAfterMs: 3_000,
        readings: Object.fromEntries(
          names.map((name) => [name, [start + second * 1_000, value(second)] as const]),
        ),
      })
    }
  }
  for (let from = 0; from < entries.length; from += PIECE) {
    const piece = entries.slice(from, from + PIECE)
    await client.publish(
      [],
      piece.map((entry, n) => ({ life: 'one', n: from + n + 1, entry })),
      10_000_000,
    )
  }
  client.close()
  return entries.length
}

async function costToWorker(): Promise<Figure> {
  const figures: { cpu: number; mb: number }[] = []
  for (const archive of [false, {}]) {
    const stand = await startStand({
      devices: relayBoards(200),
      pollEveryMs: 1_000,
      leaseMs: 10_000,
      site: { archive },
    })
    try {
      const pid = stand.workers[0]?.pid ?? NaN
      // The first seconds are starting up.
      await cpuPercent(pid, 5_000)
      figures.push({ cpu: await cpuPercent(pid, OVER_MS), mb: pssMb(pid) })
    } finally {
      await stand.close()
    }
  }
  const [without = { cpu: NaN, mb: NaN }, archived = { cpu: NaN, mb: NaN }] = figures
  return {
    what: 'one worker, 200 instruments at 1 Hz, whose readings are archived: share of a core, memory (PSS)',
    value: `${archived.cpu.toFixed(1)} %, ${Math.round(archived.mb)} MB`,
    compared: `${times(archived.cpu, without.cpu)} the time without an archive (${without.cpu.toFixed(1)} %, ${Math.round(without.mb)} MB)`,
    aim: 'below 25 %, 150 MB',
  }
}
