import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { Runs } from '../kit/runs.ts'
import { startStand, type Stand } from '../kit/stand.ts'
import { DESK, openPage, PHONE } from './page.ts'

/** Would be a picture and run a script, if it were taken for HTML. */
const HTML = '<img src=x onerror=alert(1)>'

const RECIPES: Readonly<Record<string, string>> = {
  dry: `
label: Dry
stages:
  - name: open
    steps:
      - set: { relays.relay0: true }
  - name: close <b>it</b>
    steps:
      - set: { relays.relay0: false }
`,
}

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
let run = ''
before(async () => {
  if (skip) return
  stand = await startStand({ schedulers: 1, archivers: 1 })
  writeRecipes(stand, RECIPES)
  browser = await startBrowser()
  const runs = new Runs(stand)
  await runs.recipe('dry')
  run = await runs.start('dry')
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

/** Waits until there is exactly one of these. */
async function one(page: Page, selector: string): Promise<void> {
  await eventually(async () => (await page.locator(selector).count()) === 1, { what: `one ${selector}` })
}

for (const [name, size] of [
  ['desk', DESK],
  ['phone', PHONE],
] as const) {
  test(
    `the timeline tells on a ${name} why a valve closed, takes a note and leads to the plot`,
    { skip },
    async (t) => {
      const { page, faults } = await openPage(t, browser, stand.url(), { size, hash: '#Log' })
      const closed = page.locator('[data-kind="command"]', { hasText: 'Relay 0 = off' })
      await closed.first().waitFor()
      // Newest first: the last that was given closed it.
      assert.match(
        (await closed.first().textContent()) ?? '',
        new RegExp(`run ${run}, stage 2: close <b>it</b>`),
      )

      await page.locator('[data-role="add-note"]').click()
      await page.locator('[data-field="text"]').fill(`${name}: somebody ${HTML} opened the door`)
      await page.locator('[data-field="to"]').fill('2035-01-01T00:00')
      await page.locator('dialog [data-role="confirm"]').click()
      const note = page.locator('[data-kind="note"]', { hasText: `${name}: somebody ${HTML}` })
      await note.waitFor()

      await page.locator('[data-filter="notes"]').click()
      await page.locator('[data-kind="command"]').first().waitFor({ state: 'detached' })
      assert.match(page.url(), /#Log\?kinds=notes/)
      await page.locator('[data-filter="text"]').fill(`${name.toUpperCase()}: SOME`)
      await page.waitForURL(/text=/)
      await one(page, '[data-event]')
      await page.locator('[data-role="no-filter"]').click()

      await closed.first().locator('[data-role="to-run"]').click()
      await page.waitForURL(`**/#Log?run=${run}`)
      await note.waitFor({ state: 'detached' })
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'too wide')
      await closed.first().locator('[data-role="to-plot"]').click()
      await page.locator('[data-panel="Plots"] [data-series="relays.relay0"]').waitFor()
      assert.equal(await page.locator('img[src="x"]').count(), 0)
      assert.deepEqual(faults, [])
    },
  )
}
