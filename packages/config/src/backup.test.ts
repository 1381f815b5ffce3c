import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, loadText } from './testing.ts'

const site = (backup: string): string => `site: test\nbackup: ${backup}\ninstruments: []\n`
const faults = (text: string): string =>
  faultsOf(text)
    .map(({ line, message }) => `${line}: ${message}`)
    .join('\n')

test('a site that says nothing has no backups; one that says when has all the rest by itself', () => {
  assert.equal(loadText('site: test\ninstruments: []\n').backup, null)
  const { backup, instanceDir } = loadText(site('{ at: "03:30" }'))
  assert.deepEqual(backup, {
    atMinutes: 210,
    folder: `${instanceDir}/backups`,
    keep: { last: 3, daily: 7, weekly: 4, monthly: 6 },
    passphraseFile: null,
    afterwards: null,
  })
})

test('where to, how many, and what carries it on', () => {
  const { backup } = loadText(
    site(
      '{ at: "00:00", to: /mnt/nas, keep: { daily: 30, monthly: 0 }, afterwards: [rsync, "{file}", "nas:golem/"] }',
    ),
  )
  assert.equal(backup?.folder, '/mnt/nas')
  assert.deepEqual(backup?.keep, { last: 3, daily: 30, weekly: 4, monthly: 0 })
  assert.deepEqual(backup?.afterwards, ['rsync', '{file}', 'nas:golem/'])
})

test('what is wrong is told with its line', () => {
  assert.match(faults(site('{ at: "3 am" }')), /^2: /)
  assert.match(faults(site('{ to: here }')), /^2: .*at/)
  assert.match(faults(site('{ at: "03:00", passphraseFile: nowhere }')), /^2: There is no file/)
  assert.match(faults(`${site('{ at: "03:00" }')}archive: false\n`), /^2: .*made by the archiver/)
})
