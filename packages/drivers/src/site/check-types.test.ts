import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { checkDriverTypes } from './check-types.ts'

function instance(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'golem-check-types-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'drivers'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'drivers', name), text)
  return folder
}

const HEAD = `import { readFileSync } from 'node:fs'
import { defineModel, fault } from '@golem/core'
export default defineModel({
  id: 'oven', label: 'Oven', kind: 'oven', source: String(readFileSync), transport: 'line',
  optionsSchema: {},
  create: () => ({
    transport: 'line', link: { sendTerminator: '', receiveTerminator: '', replyTimeoutMs: 1, quietMs: 1 },
    parameters: {}, actions: {},
`

test('a driver is checked against the types of core, outside the project too', async (t) => {
  const folder = instance(t, {
    'right.ts': `${HEAD}    identify: async (io) => { await io.ask('?') },\n    readAll: async () => ({ a: fault('none') }),\n  }),\n})\n`,
    'wrong.ts': `${HEAD}    identify: async (io) => { await io.aks('?') },\n    readAll: async () => ({ a: null }),\n  }),\n})\n`,
    'bare.ts': 'export default { id: 5 }\n',
    'free.mjs': 'export default { id: 5 }\n',
  })
  const { faults, skipped } = await checkDriverTypes(folder)
  assert.equal(skipped, undefined)
  const of = (name: string): string[] =>
    faults.filter(({ file }) => basename(file) === name).map(({ line, message }) => `${line}: ${message}`)
  assert.deepEqual(of('right.ts'), [])
  assert.match(of('wrong.ts').join('\n'), /^9: Property 'aks' does not exist on type 'LineIo'/m)
  assert.deepEqual(of('free.mjs'), [])
  assert.match(of('bare.ts').join('\n'), /^1: .*id: number/)
})

test('a site without drivers needs no TypeScript', async (t) => {
  assert.deepEqual(await checkDriverTypes(instance(t, {})), { faults: [] })
})
