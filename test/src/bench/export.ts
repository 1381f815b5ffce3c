import { EMPTY_BATCH, openArchive, seriesFor, writeBatch } from '@golem/archive'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { startStand } from '../kit/stand.ts'
import { type Figure, inMs, perSecond, spreadOf, times } from './figures.ts'
import { cpuSeconds, pssMb } from './process-cost.ts'

const SERIES = 10
const READINGS = 1_000_000
const ROWS = SERIES * READINGS
const BATCH = 100_000
const BEGIN = Date.UTC(2026, 0, 1)
const FORMATS = ['csv', 'parquet', 'ndjson'] as const
/** How a laboratory would do it without golem. */
const BY_HAND = `
import csv, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("SELECT t, series, v, x FROM sample")
csv.writer(open("/dev/null", "w")).writerows(rows)
`

/** Ten million readings from an archive in SQLite through a web process, in each format, while its page is polled. */
export async function measureExport(): Promise<Figure[]> {
  const stand = await startStand({ workers: 0, devices: [] })
  try {
    const place = join(stand.dir, 'archive', 'test.sqlite')
    await fill(place)
    const web = stand.webs[0]?.pid ?? NaN
    const figures: Figure[] = []
    const byHand = await timed(() => promisify(execFile)('/usr/bin/python3', ['-c', BY_HAND, place]))
    for (const format of FORMATS) {
      const before = pssMb(web)
      const cpuBefore = cpuSeconds(web)
      const latencies: number[] = []
      let most = before
      let bytes = 0
      let done = false
      const watch = (async () => {
        while (!done) {
          const since = performance.now()
          await stand.api('/api/state')
          latencies.push(performance.now() - since)
          most = Math.max(most, pssMb(web))
          await sleep(100)
        }
      })()
      const seconds = await timed(async () => {
        const query = `series=*&from=2026-01-01T00:00:00Z&to=now&format=${format}`
        const { body, status } = await fetch(`${stand.url()}/api/export?${query}`)
        if (status !== 200 || body === null) throw new Error(`The export gave ${status}.`)
        for await (const piece of body as AsyncIterable<Uint8Array>) bytes += piece.length
      })
      done = true
      await watch
      const { p50, max } = spreadOf(latencies)
      const cpu = cpuSeconds(web) - cpuBefore
      figures.push({
        what: `export of ${ROWS / 1e6} million readings as ${format}: rows, and by processor time of the web process; size; memory of the web process (PSS) before / at most; a poll of the page meanwhile, p50 / max`,
        value: `${perSecond(ROWS, seconds)}, ${perSecond(ROWS, cpu)}; ${Math.round(bytes / 1e6)} MB; ${Math.round(before)} / ${Math.round(most)} MB; ${inMs(p50)} / ${inMs(max)}`,
        compared: `${times(seconds, byHand)} the time of Python's sqlite3 and csv for the bare columns (${perSecond(ROWS, byHand)})`,
        aim: 'bounded memory',
      })
    }
    return figures
  } finally {
    await stand.close()
  }
}

async function fill(place: string): Promise<void> {
  const archive = await openArchive(place)
  for (let n = 0; n < SERIES; n += 1) {
    const what = { type: 'number', label: `Sensor ${n}`, unit: 'V' }
    const series = await seriesFor(archive, 'bench', `sensor${n}`, what)
    for (let first = 0; first < READINGS; first += BATCH) {
      const samples = Array.from({ length: BATCH }, (_, index) => {
        const count = first + index
        // As a meter with six digits gives them, and each a few ms late.
        const value = Math.round(1e6 * (5 + Math.sin(count / 5_000) + ((count * 7919) % 1000) / 1e5)) / 1e6
        return { series: series.id, t: BEGIN + count * 1000 + ((count * 31) % 17), value }
      })
      const known = { ...series, firstAt: BEGIN, lastAt: BEGIN + READINGS * 1000 }
      await writeBatch(archive, { ...EMPTY_BATCH, samples, series: [known] })
    }
  }
  await archive.close()
}

/** How long it took, in s. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work()
  return (performance.now() - since) / 1000
}
