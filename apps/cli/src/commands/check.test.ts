import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { GOLEM_ROOT } from '../context.ts'
import { runForTest } from '../testing.ts'

function folderWith(t: TestContext, text: string): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'golem-check-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  writeFileSync(path.join(dir, 'site.yaml'), text)
  return dir
}

const FAULTY = `site: My Lab
instruments:
  - { id: lamp, model: pwm-lmap, address: "http://192.0.2.1" }
  - { id: lamp, model: pwm-lamp, address: "lamp.example" }
`

test('all faults are shown at once, each with file, line and column', async (t) => {
  const { code, out, err } = await runForTest(['check', 'site.yaml'], { cwd: folderWith(t, FAULTY) })
  assert.equal(code, 1)
  for (const line of [1, 3, 4]) assert.match(out, new RegExp(`^site.yaml:${line}:\\d+ `, 'm'))
  assert.match(err, /\d faults: golem would not start with this site file/)
})

test('with --json the faults are data', async (t) => {
  const { code, out } = await runForTest(['check', 'site.yaml', '--json'], { cwd: folderWith(t, FAULTY) })
  assert.equal(code, 1)
  const { ok, faults } = JSON.parse(out) as { ok: boolean; faults: { line: number; message: string }[] }
  assert.equal(ok, false)
  assert.ok(faults.length >= 3)
  assert.ok(faults.every(({ line, message }) => line > 0 && message.length > 10))
})

for (const name of ['demo.yaml', 'site.example.yaml']) {
  test(`instance/${name} has no fault`, async () => {
    const { code, out, err } = await runForTest(['check', path.join(GOLEM_ROOT, 'instance', name)])
    assert.equal(code, 0, err)
    assert.match(out, /no fault, \d+ instruments/)
  })
}

test('a file that is not there is named', async () => {
  const { code, err } = await runForTest(['check', '/no/such.yaml'])
  assert.equal(code, 1)
  assert.match(err, /There is no site file \/no\/such.yaml/)
})
