import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOOPBACK } from './access-list.ts'
import { faultsOf, loadText } from './testing.ts'

const site = (syslog: string): string => `site: lab\ninstruments: []\n${syslog}`

test('no syslog is listened for unless the site says so, and then for this machine only', () => {
  assert.equal(loadText(site('')).syslog, null)
  assert.deepEqual(loadText(site('syslog: {}')).syslog, { listen: '127.0.0.1', port: 5514, allow: LOOPBACK })
  const wide = loadText(site('syslog: { listen: 0.0.0.0, port: 514, allow: [10.0.0.0/24] }')).syslog
  assert.deepEqual(wide, { listen: '0.0.0.0', port: 514, allow: ['10.0.0.0/24'] })
})

test('who may write is to be said where others can reach it', () => {
  const faults = (syslog: string): string[] =>
    faultsOf(site(syslog)).map(({ path, message }) => `${path} ${message}`)
  assert.match(
    faults('syslog: { listen: 0.0.0.0 }').join(),
    /^syslog\.listen Listening on 0\.0\.0\.0 lets everybody/,
  )
  assert.match(faults('syslog: { allow: [lab] }').join(), /^syslog\.allow\[0\] "lab" is no address/)
  assert.match(faults('syslog: { port: 0 }').join(), /^syslog\.port /)
})
