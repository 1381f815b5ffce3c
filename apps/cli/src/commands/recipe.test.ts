import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { GOLEM_ROOT } from '../context.ts'
import { runForTest, StandInServer } from '../testing.ts'

const SITE = `site: lab
instruments:
  - { id: lamp, model: pwm-lamp, address: "http://192.0.2.1", parameters: { white: { max: 80 } } }
`

const GOOD = `label: Light
parameters: { power: { type: integer, label: Power, unit: '%', min: 0, max: 80, default: 40 } }
stages:
  - name: on
    steps:
      - set: { lamp.white: $power }
`

/** A folder with a site and recipes of its own. */
function siteWith(t: TestContext, recipes: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'golem-recipe-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(path.join(dir, 'recipes'))
  writeFileSync(path.join(dir, 'site.yaml'), SITE)
  for (const [name, text] of Object.entries(recipes)) writeFileSync(path.join(dir, 'recipes', name), text)
  return dir
}

test('every recipe that ships fits the demo, and clay_golem’s stand', async () => {
  for (const site of ['demo.yaml', 'clay-golem.yaml']) {
    const { code, out, err } = await runForTest([
      'recipe',
      'check',
      '--site',
      path.join(GOLEM_ROOT, 'instance', site),
    ])
    assert.equal(code, 0, out + err)
    assert.match(out, /No fault in \d+ recipes\.$/)
    assert.equal(/this site has no/.test(out), site === 'clay-golem.yaml', out)
  }
})

test('all faults of a recipe are shown, each with its line, and against the limits of the site', async (t) => {
  const bad = GOOD.replace('max: 80, ', '').replace('lamp.white: $power', 'lamp.white: $pwer, lamp.red: 101')
  const cwd = siteWith(t, { 'light.yaml': GOOD, 'bad.yaml': bad })
  const { code, out, err } = await runForTest(
    ['recipe', 'check', 'recipes/bad.yaml', '--site', 'site.yaml'],
    {
      cwd,
    },
  )
  assert.equal(code, 1)
  assert.match(out, /^recipes\/bad\.yaml:6:\d+ .*"pwer".*Did you mean "power"\?/m)
  assert.match(err, /bad can't be started/)
  const limits = await runForTest(['recipe', 'check', 'x.yaml', '--site', 'site.yaml', '--json'], {
    cwd: siteWith(t, { '../x.yaml': GOOD.replaceAll('80', '90') }),
  })
  const { ok, faults } = JSON.parse(limits.out) as {
    ok: boolean
    faults: { line: number; message: string }[]
  }
  assert.deepEqual([ok, faults.map(({ line }) => line)], [false, [6]])
  assert.match(faults[0]?.message ?? '', /may be 90, but lamp\.white takes at most 80/)
  const good = await runForTest(['recipe', 'check', 'light', '--site', 'site.yaml'], { cwd })
  assert.deepEqual([good.code, good.out], [0, 'No fault in one recipe.'], good.err)
})

test('golem check names the faults of the site’s own recipes', async (t) => {
  const cwd = siteWith(t, { 'light.yaml': GOOD, 'bad.yaml': GOOD.replace('white', 'wite') })
  const { code, out, err } = await runForTest(['check', 'site.yaml'], { cwd })
  assert.equal(code, 1)
  assert.match(out, /^recipes\/bad\.yaml:6:\d+ .*no parameter "wite"\. Did you mean "white"\?/m)
  assert.match(err, /One fault: golem would start, but not these recipes or schedules/)
  const fine = await runForTest(['check', 'site.yaml'], { cwd: siteWith(t, { 'light.yaml': GOOD }) })
  assert.match(fine.out, /no fault, 1 instruments, 1 recipes of its own/)
})

test('what is not there is named, and without a site file recipes are checked by themselves', async (t) => {
  const cwd = siteWith(t, {})
  for (const name of ['lihgt', 'no.yaml']) {
    const { code, err } = await runForTest(['recipe', 'check', name, '--site', 'site.yaml'], { cwd })
    assert.equal(code, 1)
    assert.match(err, new RegExp(`There is no .*${name}`))
  }
  writeFileSync(path.join(cwd, 'site.yaml'), 'site: [')
  writeFileSync(path.join(cwd, 'one.yaml'), GOOD)
  const { code, err } = await runForTest(['recipe', 'check', 'one.yaml', '--site', 'site.yaml'], { cwd })
  assert.equal(code, 0)
  assert.match(err, /site\.yaml has faults.*recipes are checked without instruments/)
})

test('golem recipe list shows what recipes take, and why one can not be started', async (t) => {
  const recipe = {
    id: 'air',
    label: 'Air',
    parameters: {
      for: { type: 'duration', label: 'T', default: 240_000 },
      n: { type: 'integer', label: 'N' },
    },
    roles: { board: { label: 'Board', default: null } },
    faults: ['air.yaml:3:1 no such \u001B[31mstep'],
  }
  const server = await new StandInServer({ 'GET /api/recipes': [recipe] }).listen()
  t.after(() => server.close())
  const { code, out } = await runForTest(['recipe', 'list', '--url', server.url])
  assert.equal(code, 0)
  assert.match(out, /^air +Air +board=\? +for=4 min n +can't be started: air\.yaml:3:1 no such \uFFFD/m)
  const json = await runForTest(['recipe', 'list', '--json', '--url', server.url])
  assert.deepEqual(JSON.parse(json.out), [recipe])
})

const CODE = `import { recipe } from '@golem/core'
export default recipe(
  { label: 'Blink', commands: ['lamp'], reads: ['lamp'], parameters: { n: { type: 'integer', label: 'N', default: 3 } } },
  async (lab) => {
    await lab.set({ 'lamp.white': Number(lab.parameters['n']) })
  },
)
`

test('recipes in code are asked what they are and checked with their types; they can not be planned ahead', async (t) => {
  const cwd = siteWith(t, {
    'blink.ts': CODE,
    'other.ts': CODE.replace("reads: ['lamp']", "reads: ['lmap']").replace('default: 3', 'default: 3.5'),
    'broken.ts': `${CODE}const x: = 1\n`,
  })
  const check = (...names: string[]) =>
    runForTest(['recipe', 'check', ...names, '--site', 'site.yaml'], { cwd })
  const good = await check('blink')
  assert.deepEqual([good.code, good.out], [0, 'No fault in one recipe.'], good.err)
  const { code, out, err } = await check('recipes/other.ts', 'broken')
  assert.equal(code, 1)
  assert.match(out, /^recipes\/other\.ts:1:1 .*default.*3\.5/m)
  assert.match(out, /^recipes\/broken\.ts:8:/m)
  assert.match(err, /2 faults: other, broken can't be started/)
  const all = await check()
  assert.equal(all.code, 1)
  assert.match(all.err, /broken, other can't be started/)
  const missing = siteWith(t, {
    'blink.ts': CODE.replace("reads: ['lamp']", "reads: ['lmap']"),
    'typed.ts': CODE.replace('Number(lab', 'Nmber(lab'),
  })
  const unknown = await runForTest(['recipe', 'check', '--site', 'site.yaml'], { cwd: missing })
  assert.match(unknown.out, /^recipes\/typed\.ts:5:\d+ .*Nmber/m)
  assert.match(unknown.out, /^recipes\/blink\.ts:1:1 It declares "lmap", which is neither/m)
  const plan = await runForTest(['recipe', 'plan', 'blink', '--site', 'site.yaml'], { cwd })
  assert.equal(plan.code, 1)
  assert.match(plan.err, /blink is in code: .* can't be planned ahead\. It commands lamp and looks at lamp/)
})
