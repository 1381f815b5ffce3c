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

test('a recipe in code is checked against the types of core', async (t) => {
  const folder = instance(t, {})
  mkdirSync(join(folder, 'recipes'))
  const text = (more: string, body: string): string =>
    `import { recipe } from '@golem/core'\nexport default recipe({ label: 'A'${more} }, async (lab) => {\n  ${body}\n})\n`
  const files = {
    'right.ts': text(`, commands: ['lamp'], onRestart: 'safe'`, `await lab.set({ 'lamp.white': 5 })`),
    'wrong.ts': text('', `await lab.wiat('5 s')`),
    'unknown.ts': text(`, comands: ['lamp']`, `await lab.wait('5 s')`),
    'bare.ts': 'export default async () => {}\n',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, 'recipes', name), content)
  const { faults } = await checkDriverTypes(folder)
  const of = (name: string): string =>
    faults
      .flatMap(({ file, line, message }) => (basename(file) === name ? [`${line}: ${message}`] : []))
      .join('\n')
  assert.equal(of('right.ts'), '')
  assert.match(of('wrong.ts'), /^3: Property 'wiat' does not exist on type 'Lab'/)
  assert.match(of('unknown.ts'), /^2: .*comands/)
  assert.match(of('bare.ts'), /^1: .*CodeRecipe/)
})

test('a site without drivers needs no TypeScript', async (t) => {
  assert.deepEqual(await checkDriverTypes(instance(t, {})), { faults: [] })
})
