import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digests, configurationChange, configurationDigests } from './configuration.ts'
import { loadText } from './testing.ts'

const instrument = (id: string, more = ''): string =>
  `  - { id: ${id}, model: heater, address: sim:oven-1${more} }\n`

test('what has changed of a configuration is told by name, and nothing when nothing has', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'golem-configuration-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'recipes'))
  writeFileSync(join(folder, 'recipes', 'dry.yaml'), 'label: Dry')
  const digests = (instruments: string): Digests =>
    configurationDigests({ ...loadText(`site: lab\ninstruments:\n${instruments}`), instanceDir: folder })
  const before = digests(instrument('a') + instrument('b'))
  assert.equal(configurationChange(before, digests(instrument('a') + instrument('b'))), null)

  writeFileSync(join(folder, 'recipes', 'dry.yaml'), 'label: Dry it')
  const after = digests(instrument('a', ', pollEvery: 3 s') + instrument('c'))
  const change = configurationChange(before, after)
  assert.equal(
    change?.words,
    'added: instrument c; removed: instrument b; changed: instrument a, recipes/dry.yaml',
  )
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`models/${n}`, 'x']))
  assert.match(configurationChange({}, many)?.words ?? '', /^added: models\/0, .* and 2 more$/)
})
