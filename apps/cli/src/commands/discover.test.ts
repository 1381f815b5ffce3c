import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runForTest } from '../testing.ts'

test('discover refuses a network that is not private, and says what may be looked through', async () => {
  const { code, err } = await runForTest(['discover', '--network', '8.8.8.0/24', '--no-mdns'])
  assert.notEqual(code, 0)
  assert.match(err, /not private/)
})

test('discover leaves out what the site has already, and proposes lines that YAML takes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'golem-discover-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const site = join(folder, 'site.yaml')
  const all = await runForTest(['discover', '--no-mdns', '--json', '--site', site])
  assert.equal(all.code, 0, all.err)
  const { devices } = JSON.parse(all.out) as { devices: { address: string; kind: string }[] }
  const instruments = devices
    .filter(({ kind }) => kind === 'serial')
    .map(({ address }, index) => `  - { id: d-${index}, model: sba5, address: ${JSON.stringify(address)} }`)
  writeFileSync(
    site,
    ['site: lab', `instruments: ${instruments.length === 0 ? '[]' : ''}`, ...instruments].join('\n'),
  )
  const left = await runForTest(['discover', '--no-mdns', '--json', '--site', site])
  assert.equal(left.code, 0, left.err)
  const remaining = (JSON.parse(left.out) as { devices: { kind: string }[] }).devices
  assert.deepEqual(
    remaining.filter(({ kind }) => kind === 'serial'),
    [],
  )
  const told = await runForTest(['discover', '--no-mdns', '--site', join(folder, 'none.yaml')])
  const [, lines] = told.out.split('where none is known):\n')
  if (lines !== undefined)
    assert.equal(
      lines.match(/^  - id: \S+ # .*\n    model: .*\n    address: ".*"$/gm)?.length,
      devices.length,
    )
})
