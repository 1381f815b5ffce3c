import type { ArchivedSeries, HistoryDocument, HistorySeries } from '@golem/core'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const NAME = 'relays.externalTemperature'

let stand: Stand
before(async () => {
  stand = await startStand({ archivers: 1, webs: 2 })
})
after(() => stand.close())

async function historyOf(query: string, web = 0): Promise<HistorySeries> {
  const { status, body } = await stand.api<HistoryDocument>(`/api/history?series=${NAME}&${query}`, { web })
  assert.equal(status, 200, JSON.stringify(body))
  const [series] = body.series
  assert.ok(series)
  return series
}

test('what is read is history a moment later, for every web process; a worker that has gone is a gap', async () => {
  const first = await eventually(
    async () => {
      const series = await historyOf('from=-5min')
      return series.times.length > 0 && series.until !== null ? series : undefined
    },
    { what: 'a reading is archived', timeoutMs: 30_000 },
  )
  assert.deepEqual([first.type, first.unit], ['number', '°C'])
  for (const web of [0, 1]) {
    const later = await eventually(
      async () => {
        const series = await historyOf('from=-5min', web)
        return (series.until ?? 0) > (first.until ?? 0) ? series : undefined
      },
      { what: `web process ${web} sees newer readings`, timeoutMs: 30_000 },
    )
    assert.equal(later.level, 'raw')
  }
  await stand.workers[0]?.kill('SIGTERM')
  const ended = await eventually(async () => (await historyOf('from=-5min')).gaps[0], {
    what: 'the gap is told',
    timeoutMs: 30_000,
  })
  assert.deepEqual([ended.reason, ended.to], ['stopped', null])
  const { body } = await stand.api<ArchivedSeries[]>('/api/series?from=-1s')
  const one = body.find(({ series }) => series === NAME)
  assert.ok(one?.completeness !== undefined && (one.completeness ?? 0) < 1, JSON.stringify(one))
})
