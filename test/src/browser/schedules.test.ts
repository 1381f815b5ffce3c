import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { PlannedStart, ScheduleState } from '@golem/core'
import type { Locator, Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { LONG, PULSE, writeRecipes } from '../kit/recipes.ts'
import { startStand, type Stand } from '../kit/stand.ts'
import { openPage, PHONE } from './page.ts'

const SCHEDULES = [
  { id: 'pulse', label: '<b>Pulse</b>', recipe: 'pulse', when: { every: '3 s' } },
  // Its run never ends, so all starts but the first are skipped.
  { id: 'long', label: 'Long', recipe: 'long', when: { every: '5 s' } },
  { id: 'daily', label: 'Daily', recipe: 'pulse', when: { at: '06:00', zone: 'UTC' }, missed: 'once' },
]

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({ webs: 2, site: { clock: 'any', schedules: SCHEDULES } })
  writeRecipes(stand, { pulse: PULSE, long: LONG })
  await stand.addScheduler()
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

const schedule = (page: Page, id: string, more = ''): Locator =>
  page.locator(`[data-schedule="${id}"]${more}`)

/** Waits until the ledger of starts has one like this. */
function became(wanted: (start: PlannedStart) => boolean, what: string): Promise<unknown> {
  return eventually(
    async () => (await stand.api<PlannedStart[]>('/api/schedules/starts?limit=1000')).body.some(wanted),
    { what, timeoutMs: 30_000 },
  )
}

test(
  'what was started, what was skipped and why, and what is to come, to two people',
  { skip },
  async (t) => {
    await became(({ schedule: id, end }) => id === 'pulse' && end === 'completed', 'a pulse is completed')
    await became(({ schedule: id, skipped }) => id === 'long' && skipped !== undefined, 'a start is skipped')
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Schedules' })
    const bob = await openPage(t, browser, stand.url(1), { hash: '#Schedules', size: PHONE })
    await bob.page.locator('[data-language="ru"]').click()

    assert.match(await schedule(ann.page, 'daily').innerText(), /daily at 06:00.*one is made up for/s)
    assert.match(await schedule(ann.page, 'daily').locator('[data-part="next"]').innerText(), /next: .*\(in /)
    await ann.page.getByRole('img', { name: /^Daily: .* 1 to come$/ }).waitFor()
    assert.match(await schedule(ann.page, 'pulse').innerText(), /<b>Pulse<\/b>/)

    await schedule(ann.page, 'pulse').locator('summary').click()
    await schedule(ann.page, 'pulse').locator('[data-kind="done"]').first().waitFor()
    await schedule(bob.page, 'long').locator('summary').click()
    const skipped = schedule(bob.page, 'long').locator('[data-kind="skipped"]').first()
    await skipped.waitFor()
    assert.match(await skipped.innerText(), /пропущено/)
    const label = /Long: начато 1, из них с опозданием \d+, пропущено \d+, впереди \d+/
    await bob.page.getByRole('img', { name: label }).waitFor()
    const beyond = await bob.page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    assert.ok(beyond <= 0, `the page is ${beyond} px too wide`)

    await ann.page.locator('[data-span="168"]').click()
    await ann.page.locator('[data-span="168"][aria-pressed="true"]').waitFor()
    await ann.page.getByRole('img', { name: /^Daily: .* 7 to come$/ }).waitFor()
    assert.deepEqual([...ann.faults, ...bob.faults], [])
  },
)

test(
  'one switches a schedule off and on; the other sees it, and its recipe says what is planned',
  { skip },
  async (t) => {
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Schedules' })
    const bob = await openPage(t, browser, stand.url(1), { hash: '#Schedules', size: PHONE })
    const enable = schedule(ann.page, 'daily').locator('[data-role="enable"]')
    await enable.focus()
    await ann.page.keyboard.press('Space')
    await schedule(bob.page, 'daily', '[data-enabled="false"]').waitFor()
    await schedule(bob.page, 'daily').locator('[data-part="message"]', { hasText: 'switched off' }).waitFor()
    await bob.page.getByRole('img', { name: /^Daily: .* 0 to come$/ }).waitFor()
    const { body } = await stand.api<ScheduleState[]>('/api/schedules')
    assert.equal(body.find(({ id }) => id === 'daily')?.enabled, false)
    await schedule(ann.page, 'daily', '[data-enabled="false"]').waitFor()
    await enable.and(ann.page.locator('[aria-busy="false"]')).click()
    await schedule(bob.page, 'daily', '[data-enabled="true"]').waitFor()

    await ann.page.locator('[data-tab="Runs"]').click()
    await ann.page
      .locator('[data-recipe="pulse"] [data-part="next"]', { hasText: 'Next planned start' })
      .waitFor()
    assert.deepEqual([...ann.faults, ...bob.faults], [])
  },
)
