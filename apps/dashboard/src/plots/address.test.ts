import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseAddress, type PlotAddress, plotOf } from './address.ts'

test('an address is read as it was written', () => {
  const addresses: PlotAddress[] = [
    { series: ['oven.temperature', 'a b.x+y'], span: { kind: 'live', ms: 86_400_000 }, runs: [] },
    { series: ['oven.temperature'], span: { kind: 'live', ms: 90_500 }, runs: [] },
    { series: ['oven.p'], span: { kind: 'fixed', from: -5, to: 1_777_593_600_123 }, runs: ['r1', 'r2'] },
  ]
  for (const address of addresses) assert.deepEqual(parseAddress(formatAddress(address)), address)
  assert.equal(plotOf('oven', 'temperature'), '#Plots?series=oven.temperature&span=1h')
})

test('what nobody can plot is left out', () => {
  const hour = { kind: 'live', ms: 3_600_000 }
  assert.deepEqual(parseAddress('#Plots'), { series: [], span: hour, runs: [] })
  for (const query of [
    'span=0s',
    'span=99999w',
    'span=x',
    'from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z',
  ]) {
    assert.deepEqual(parseAddress(`#Plots?${query}`).span, hour, query)
  }
  const many = Array.from({ length: 20 }, (_, n) => `a.p${n}`)
  assert.equal(parseAddress(`#Plots?series=${many.join()},,nodot,a.p0`).series.length, 8)
  assert.deepEqual(parseAddress('#Plots?runs=one').runs, [])
})
