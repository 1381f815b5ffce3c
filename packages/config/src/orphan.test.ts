import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, loadText, models } from './testing.ts'

const site = (onOrphaned: string, lease = '10 s'): string =>
  `site: test\nlease: ${lease}\ninstruments:\n  - { id: oven, model: heater, address: http://oven, onOrphaned: ${onOrphaned} }\n`
const faults = (text: string): string[] =>
  faultsOf(text, { models }).map(({ line, message }) => `${line}: ${message}`)

test('outputs hold, or go safe after a time that the lease leaves', () => {
  assert.equal(loadText(site('hold')).instruments[0]?.orphanSafeAfterMs, undefined)
  assert.equal(loadText(site('{ safeAfter: 7 s }')).instruments[0]?.orphanSafeAfterMs, 7_000)
  assert.equal(loadText(site('{ safeAfter: 30 s }', '45 s')).instruments[0]?.orphanSafeAfterMs, 30_000)
})

test('what the worker could not keep is refused, with what it can', () => {
  assert.match(
    faults(site('{ safeAfter: 30 s }')).join(),
    /^4: With a lease of 10 s .* 9 s .* 3 s to 7 s can be kept/,
  )
  assert.match(faults(site('{ safeAfter: 1 s }')).join(), /3 s to 7 s can be kept/)
  assert.match(faults(site('safe')).join(), /hold, or a table with safeAfter/)
  assert.match(faults(site('{}')).join(), /"safeAfter" is missing/)
})
