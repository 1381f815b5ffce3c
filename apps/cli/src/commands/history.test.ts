import type { HistoryDocument } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runForTest, StandInServer } from '../testing.ts'

const T0 = Date.UTC(2026, 4, 1)
const AT = new Date(T0).toISOString()
const common = { level: 'raw', until: T0, completeness: 0.99999 } as const
const ANSWER: HistoryDocument = {
  from: AT,
  to: AT,
  at: AT,
  series: [
    {
      ...common,
      series: 'oven.temperature',
      label: 'T\u001B[31m',
      unit: '°C',
      type: 'number',
      bucketMs: 60_000,
      times: [T0, T0 + 60_000],
      min: [20, 21],
      max: [22, 90],
      mean: [21, 30.123_456_789],
      count: [60, 60],
      gaps: [{ from: AT, to: null, reason: 'link', message: 'cut' }],
    },
    {
      ...common,
      series: 'oven.mode',
      label: 'Mode',
      type: 'choice',
      bucketMs: 0,
      times: [T0],
      min: [],
      max: [],
      mean: [],
      texts: ['calm'],
      count: [1],
      gaps: [],
    },
  ],
}

test('history is told in lines, with gaps and completeness that is not rounded up', async (t) => {
  const server = await new StandInServer({ 'GET /api/history': ANSWER }).listen()
  t.after(() => server.close())
  const golem = (...argv: string[]) => runForTest(['history', ...argv, '--url', server.url], { env: {} })
  const { out } = await golem('oven.temperature', 'oven.mode', '--from', '-7d')
  assert.match(out, /^oven\.temperature: T.*\(°C\), 99\.9 % complete$/m)
  assert.match(out, /2026-05-01T00:01:00\.000Z\W+21\W+30\.1235\W+90\b/)
  assert.match(out, /no readings:\n {2}2026-05-01T00:00:00\.000Z to now: cut/)
  assert.match(out, /oven\.mode: Mode, 99\.9 % complete\n[\s\S]*calm/)
  assert.ok(!out.includes('\u001B[31m'))
  assert.deepEqual(JSON.parse((await golem('oven.temperature', '--json')).out), ANSWER)
  assert.match((await golem('oven.temperature', '--points', '1')).err, /4 to 20000/)
})
