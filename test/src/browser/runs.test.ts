import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { Runs } from '../kit/runs.ts'
import { startStand, type Stand } from '../kit/stand.ts'
import { openPage, PHONE } from './page.ts'

const RECIPES: Readonly<Record<string, string>> = {
  watch: `
label: <b>Watch</b>
note: Switches a relay on, waits and switches it off.
parameters:
  pause: { type: duration, label: Pause, min: 1 s, max: 2 h, default: 90 min }
  mode: { type: choice, label: Mode, choices: [calm, quick], default: calm }
  level: { type: integer, label: Level, unit: '%', min: 0, max: 100, default: 20 }
instruments:
  board: { default: relays, label: Board }
stages:
  - name: first
    steps:
      - set: { board.relay0: true }
  - name: second
    steps:
      - { name: long wait, wait: $pause }
  - name: third
    steps:
      - set: { board.relay0: false }
      - { name: last wait, wait: $pause }
finally:
  - set: { board.relay3: true }
`,
  careful: `
label: Careful
onRestart: ask
stages:
  - name: wait
    steps:
      - set: { relays.relay1: true }
      - { name: long wait, wait: 1 h }
`,
  sweep: `
label: Sweep
stages:
  - name: sweep
    steps:
      - forEach:
          name: red
          in: { from: 0, to: 50, step: 10 }
          steps:
            - set: { lamp.red: $red }
            - measure: { readings: [relays.externalTemperature] }
`,
  both: `
label: Both
stages:
  - name: both
    steps:
      - parallel:
          - steps: [{ wait: 1 h }]
          - steps: [{ wait: 2 h }]
`,
  faulty: `
label: Faulty
stages:
  - name: one
    steps:
      - set: { relays.relay9: true }
`,
}

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
let runs: Runs
before(async () => {
  if (skip) return
  // Two web processes, so that the two people do not even ask the same one.
  stand = await startStand({ webs: 2, schedulers: 1 })
  writeRecipes(stand, RECIPES)
  runs = new Runs(stand)
  for (const id of ['watch', 'careful', 'sweep', 'both']) await runs.recipe(id)
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})
afterEach(async () => {
  if (skip) return
  for (const { id, state } of (await stand.state()).runs) {
    if (state === 'ended') continue
    await runs.ask(id, 'abort')
    await runs.ended(id)
  }
})

const card = (page: Page, id: string, more = ''): Locator => page.locator(`article[data-run="${id}"]${more}`)
const ended = (page: Page, id: string, more = ''): Locator => page.locator(`li[data-run="${id}"]${more}`)
const button = (page: Page, id: string, request: string): Locator =>
  card(page, id).locator(`[data-request="${request}"]`)
const recipe = (page: Page, id: string): Locator => page.locator(`[data-recipe="${id}"]`)
const confirm = (page: Page): Promise<void> => page.locator('dialog [data-role="confirm"]').click()

async function fits(page: Page): Promise<void> {
  const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  assert.ok(beyond <= 0, `the page is ${beyond} px too wide`)
}

async function more(page: Page, id: string): Promise<void> {
  await card(page, id).locator('summary').click()
}

const relay = (name: string, value: boolean): Promise<unknown> =>
  stand.until('relays', ({ readings }) => readings[name]?.value === value, `${name} is ${String(value)}`)

test(
  'one starts a run from its form, both follow and steer it, on a phone too, until it has ended',
  { skip },
  async (t) => {
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Runs' })
    const bob = await openPage(t, browser, stand.url(1), { hash: '#Runs', size: PHONE })
    await bob.page.locator('[data-language="ru"]').click()

    await recipe(ann.page, 'watch').locator('[data-role="start"]').click()
    const field = (name: string): Locator => ann.page.locator(`dialog [data-field="${name}"]`)
    assert.match(await field('pause').innerText(), /1 s to 2 h/)
    assert.equal(await field('pause').locator('input').inputValue(), '90')
    assert.equal(await field('pause').locator('select').inputValue(), 'min')
    await field('level').locator('input').fill('101')
    await confirm(ann.page)
    assert.match(await field('level').locator('[role="alert"]').innerText(), /0 to 100 %/)
    await field('level').locator('input').fill('30')
    await field('pause').locator('input').fill('1,5')
    await field('pause').locator('select').selectOption('h')
    await field('mode').locator('select').selectOption('quick')
    await ann.page.locator('dialog input[data-field="note"]').fill('<i>why</i>')
    await confirm(ann.page)
    await ann.page.locator('dialog').waitFor({ state: 'detached' })

    const id = (await bob.page.locator('article[data-run]').getAttribute('data-run')) ?? ''
    const run = await runs.get(id)
    assert.deepEqual(run.parameters, { pause: 5_400_000, mode: 'quick', level: 30 })
    await card(bob.page, id, '[data-state="running"]').waitFor()
    await card(bob.page, id).locator('[data-part="stage"]', { hasText: 'Этап 2 из 3: second' }).waitFor()
    await card(ann.page, id).locator('[aria-current="step"]', { hasText: 'second' }).waitFor()
    const words = await card(ann.page, id).innerText()
    assert.match(words, /<b>Watch<\/b>/)
    assert.match(words, /started by local.*<i>why<\/i>/)
    assert.match(words, /step \d of \d+/)
    assert.match(words, /ends .*\(in (3 h|2 h 59 min)/)
    assert.match(words, /Now: long wait: wait/)
    assert.equal(await card(ann.page, id).locator('progress').getAttribute('max'), '100')
    await ann.page.locator('[data-tab="Runs"]', { hasText: '1' }).waitFor()
    await fits(bob.page)
    // Also where the tab with their number is beyond the edge.
    await bob.page.locator('[data-tab]').first().click()
    await bob.page.evaluate('document.querySelector("[role=tablist]").scrollLeft = 0')
    await fits(bob.page)
    await bob.page.locator('[data-tab="Runs"]').click()

    await button(bob.page, id, 'pause').click()
    await card(ann.page, id, '[data-state="paused"]').waitFor()
    await card(bob.page, id).locator('[data-request="skip"]:disabled').waitFor()
    await button(ann.page, id, 'resume').click()
    await card(bob.page, id, '[data-state="running"]').waitFor()

    await card(bob.page, id).locator('[data-role="change-parameters"]').click()
    const level = bob.page.locator('dialog [data-field="level"]')
    await level.locator('input').fill('-3')
    await confirm(bob.page)
    await level.locator('[role="alert"]').waitFor()
    await level.locator('input').fill('77')
    await fits(bob.page)
    await confirm(bob.page)
    await bob.page.locator('dialog').waitFor({ state: 'detached' })
    await card(ann.page, id).locator('[data-given="level"]', { hasText: '77 %' }).waitFor()

    await button(ann.page, id, 'skip').click()
    await ann.page.locator('dialog', { hasText: 'long wait: wait' }).waitFor()
    await confirm(ann.page)
    await card(bob.page, id).locator('[data-part="stage"]', { hasText: 'Этап 3 из 3: third' }).waitFor()
    await relay('relay0', false)
    await button(bob.page, id, 'stop').click()
    await bob.page.locator('dialog [data-role="cancel"]').click()
    assert.equal((await runs.get(id)).state, 'running')
    await button(bob.page, id, 'stop').click()
    await confirm(bob.page)
    await ended(ann.page, id, '[data-end="stopped"]').waitFor()
    await ended(bob.page, id).locator('text=остановлен').first().waitFor()
    await relay('relay3', true)
    assert.deepEqual([...ann.faults, ...bob.faults], [])
  },
)

test(
  'abort goes safe, kill leaves as it is: both ask first and say so; reset and ping',
  { skip },
  async (t) => {
    const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Runs' })
    const first = await runs.start('watch')
    await relay('relay0', true)
    await card(page, first, '[data-state="running"]').waitFor()
    await more(page, first)
    await button(page, first, 'ping').click()
    await page.locator('[data-outcome="done"]', { hasText: 'long wait: wait' }).waitFor()
    await button(page, first, 'reset').click()
    await confirm(page)
    await card(page, first, '[data-state="paused"]').waitFor()
    assert.match(await card(page, first).innerText(), /resume it to begin with the first step/)
    await button(page, first, 'abort').click()
    assert.match(await page.locator('dialog').innerText(), /safe state/)
    await confirm(page)
    await ended(page, first, '[data-end="aborted"]').waitFor()
    await relay('relay0', false)

    const second = await runs.start('watch')
    await relay('relay0', true)
    await card(page, second, '[data-state="running"]').waitFor()
    await more(page, second)
    await button(page, second, 'kill').click()
    assert.match(await page.locator('dialog').innerText(), /outputs stay as they are/)
    await confirm(page)
    await ended(page, second, '[data-end="killed"]').waitFor()
    await relay('relay0', true)
    await stand.command('relays', { parameter: 'relay0', value: false })
    assert.deepEqual(faults, [])
  },
)

test('what a run has measured is drawn, stands in a table and can be saved', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Runs', size: PHONE })
  const id = await runs.start('sweep')
  await runs.ended(id)
  await ended(page, id, '[data-end="completed"]').locator('summary').click()
  await ended(page, id).locator('[data-role="show-rows"]').click()
  await ended(page, id).locator('tbody tr').nth(5).waitFor()
  assert.match(await ended(page, id).locator('thead').innerText(), /red.*External temperature \(°C\)/)
  assert.equal(await ended(page, id).locator('[data-part="plot"] path.dot').count(), 6)
  const download = page.waitForEvent('download')
  await ended(page, id).locator('[data-role="save-rows"]').click()
  const file = await (await download).path()
  const lines = readFileSync(file, 'utf8').trim().split('\r\n')
  assert.match(lines[0] ?? '', /^at,table,samples,red,relays.externalTemperature$/)
  assert.equal(lines.length, 7)
  await fits(page)
  assert.deepEqual(faults, [])
})

test(
  'a run that asks after an interruption shows its choices; what nobody answers is said to wait',
  { skip },
  async (t) => {
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Runs' })
    const bob = await openPage(t, browser, stand.url(1), { hash: '#Relays', size: PHONE })
    const id = await runs.start('careful')
    await runs.until(id, ({ progress }) => progress.doing.includes('long wait'), 'it waits')
    await card(ann.page, id, '[data-state="running"]').waitFor()
    await stand.schedulers.at(-1)?.kill('SIGKILL')
    await more(ann.page, id)
    await button(ann.page, id, 'ping').click()
    await ann.page.locator('[data-outcome="news"]', { hasText: 'no scheduler has answered' }).waitFor()
    await stand.addScheduler()
    await card(ann.page, id, '[data-state="asking"]').waitFor()
    await bob.page.locator('[data-tab="Runs"] .wants').waitFor()
    await bob.page.locator('[data-tab="Runs"]').click()
    await card(bob.page, id).locator('[data-part="interruptions"]', { hasText: '1 ×' }).waitFor()
    await fits(bob.page)
    await card(bob.page, id).locator('[data-part="asks"] [data-request="resume"]').click()
    await card(ann.page, id, '[data-state="running"]').waitFor()
  },
)

test(
  'a recipe with a fault says where and can not be started; a refusal stays in the form',
  { skip },
  async (t) => {
    const { page } = await openPage(t, browser, stand.url(), { hash: '#Runs' })
    await recipe(page, 'faulty').locator('[data-part="faults"]', { hasText: 'faulty.yaml:6' }).waitFor()
    await recipe(page, 'faulty').locator('[data-role="start"]:disabled').waitFor()
    // The scan wants a supply and a meter; this site has none.
    await recipe(page, 'scan').locator('[data-role="start"]').click()
    await confirm(page)
    assert.equal(await page.locator('dialog [data-role-of] [role="alert"]').count(), 2)
    await page.locator('dialog [data-role-of="source"] select:focus').waitFor()
    for (const role of ['source', 'meter']) {
      await page.locator(`dialog [data-role-of="${role}"] select`).selectOption('lamp')
    }
    await confirm(page)
    // Whatever the site says against it, the form is still there with what was written.
    const refusal = page.locator('dialog [data-part="refusal"]')
    const failed = page.locator('li[data-end="failed"]')
    await refusal.or(failed).first().waitFor()
  },
)

test(
  'an answer that is lost starts no second run; when none comes, the form says what is not known',
  { skip },
  async (t) => {
    const { page } = await openPage(t, browser, stand.url(), { hash: '#Runs' })
    const before = (await stand.state()).runs.length
    const keys: (string | undefined)[] = []
    let lose = 1
    // The server gets each of them; its answer is lost on the way back.
    await page.route('**/api/runs', async (route) => {
      keys.push(route.request().headers()['idempotency-key'])
      const response = await route.fetch()
      lose -= 1
      if (lose >= 0) await route.abort()
      else await route.fulfill({ response })
    })
    await recipe(page, 'careful').locator('[data-role="start"]').click()
    await page.keyboard.press('Tab')
    await confirm(page)
    await page.locator('dialog').waitFor({ state: 'detached' })
    assert.equal(keys.length, 2)
    assert.equal(keys[0], keys[1])
    assert.equal((await stand.state()).runs.length, before + 1)
    lose = 4
    await recipe(page, 'careful').locator('[data-role="start"]').click()
    await confirm(page)
    await page.locator('dialog [data-part="refusal"]', { hasText: 'it is not known' }).waitFor()
    // Pressed once more it is still the same wish.
    await confirm(page)
    await page.locator('dialog').waitFor({ state: 'detached' })
    assert.equal(new Set(keys.slice(2)).size, 1)
    assert.equal((await stand.state()).runs.length, before + 2)
  },
)

test('what the scheduler refuses is told with its reason; the keyboard suffices', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Runs' })
  const id = await runs.start('both')
  await runs.until(id, ({ progress }) => progress.doing.includes('; '), 'both parts wait')
  await button(page, id, 'skip').focus()
  await page.keyboard.press('Enter')
  await page.locator('dialog').waitFor()
  await page.locator('dialog [data-role="confirm"]').focus()
  await page.keyboard.press('Enter')
  await page.locator('[data-outcome="refused"]', { hasText: 'Several steps wait' }).waitFor()
  await button(page, id, 'skip').and(page.locator('[aria-busy="false"]')).waitFor()
  assert.equal((await runs.get(id)).state, 'running')
})

test('under an emergency stop nothing is started, but a run can be ended', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Runs' })
  const id = await runs.start('careful')
  await runs.until(id, ({ progress }) => progress.doing.includes('long wait'), 'it waits')
  await card(page, id, '[data-state="running"]').waitFor()
  try {
    await page.locator('.top [data-role="stop"]').click()
    await recipe(page, 'watch').locator('[data-role="start"]:disabled').waitFor()
    await button(page, id, 'abort').click()
    await confirm(page)
    await ended(page, id, '[data-end="aborted"]').waitFor()
  } finally {
    await stand.api('/api/stop/release', { method: 'POST', body: {} })
  }
  await recipe(page, 'watch').locator('[data-role="start"]:enabled').waitFor()
  assert.deepEqual(faults, [])
})
