import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { type Stand, startStand } from '../kit/stand.ts'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { control, openPage, parameter, PHONE, showsValue } from './page.ts'

const skip = whyNoBrowser() ?? false
const PATH = '/api/instruments/relays/reservation'
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  // Two web processes, so that the two people do not even ask the same one.
  stand = await startStand({ webs: 2 })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})
afterEach(async () => {
  if (skip) return
  for (const name of ['Ann', 'Боб']) {
    const headers = { 'x-golem-user': encodeURIComponent(name) }
    await stand.api(`${PATH}?waiting=true`, { method: 'DELETE', headers })
    await stand.api(`${PATH}?reason=next`, { method: 'DELETE', headers })
  }
})

async function signAs(page: Page, name: string): Promise<void> {
  await page.locator('[data-role="who"] button').click()
  await page.locator('dialog input').fill(name)
  await page.locator('dialog [data-role="confirm"]').click()
  await page.locator('[data-role="who"]', { hasText: name }).waitFor()
}

/** The line that says who has the relays. @param more - what else has to be so */
const line = (page: Page, more = ''): Locator =>
  page.locator(`section[data-instrument="relays"] [data-part="reservation"]${more}`)
const button = (page: Page, role: string): Locator => line(page).locator(`[data-role="${role}"]`)
const confirm = (page: Page): Promise<void> => page.locator('dialog [data-role="confirm"]').click()

/** Nothing lies beyond the right edge of the window. */
async function fits(page: Page): Promise<void> {
  const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  assert.ok(beyond <= 0, `the page is ${beyond} px too wide`)
}

test('what one reserves the other sees taken, waits for, and gets, on a phone too', { skip }, async (t) => {
  const ann = await openPage(t, browser, stand.url(0), { hash: '#Relays' })
  const bob = await openPage(t, browser, stand.url(1), { hash: '#Relays', size: PHONE })
  await signAs(ann.page, 'Ann')
  await signAs(bob.page, 'Боб')
  await control(bob.page, 'relays', 'relay0', ':enabled').waitFor()

  await button(ann.page, 'reserve').click()
  await ann.page.locator('dialog [data-field="note"]').fill('<b>growth</b> & more')
  await ann.page.locator('dialog [data-field="for"]').selectOption(String(2 * 3_600_000))
  await confirm(ann.page)
  await line(ann.page, '[data-mine]').waitFor()
  const seen = line(bob.page, '[data-holder="Ann (local)"]')
  await seen.waitFor()
  assert.match(await seen.innerText(), /Reserved by Ann \(local\) until .* \(.*(2 h|1 h \d+ min) left\)/)
  assert.match(await seen.innerText(), /<b>growth<\/b> & more/)
  await control(bob.page, 'relays', 'relay0', ':disabled').waitFor()
  await bob.page.locator('[data-part="blocked"]', { hasText: 'only they can command it' }).waitFor()
  await bob.page.locator('.top [data-role="stop"]:enabled').waitFor()
  await fits(bob.page)
  await control(ann.page, 'relays', 'relay0', ':enabled').click()
  await showsValue(bob.page, 'relays', 'relay0', true)

  await button(bob.page, 'wait').click()
  await button(bob.page, 'leave-line').waitFor()
  await line(ann.page).locator('text=in line: Боб (local)').waitFor()
  await fits(bob.page)
  await button(ann.page, 'give-back').click()
  await line(bob.page, '[data-mine]').waitFor()
  await bob.page.locator('[data-outcome="news"]', { hasText: 'is reserved for you now' }).waitFor()
  await control(bob.page, 'relays', 'relay0', ':enabled').click()
  await showsValue(ann.page, 'relays', 'relay0', false)
  await control(ann.page, 'relays', 'relay0', ':disabled').waitFor()
  assert.deepEqual([...ann.faults, ...bob.faults], [])
})

test(
  'one shares, extends and hands over; an admin ends it with a reason, and its holder is told',
  { skip },
  async (t) => {
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Relays' })
    const bob = await openPage(t, browser, stand.url(1), { hash: '#Relays' })
    await signAs(ann.page, 'Ann')
    await signAs(bob.page, 'Боб')
    await button(ann.page, 'reserve').click()
    await ann.page.locator('dialog [data-field="share"]').fill('Боб')
    await confirm(ann.page)
    await line(bob.page, '[data-holder="Ann (local)"]').locator('text=shared with you').waitFor()
    await control(bob.page, 'relays', 'relay2', ':enabled').click()
    await showsValue(ann.page, 'relays', 'relay2', true)

    await button(ann.page, 'change-reservation').click()
    await ann.page.locator('dialog [data-field="for"]').selectOption(String(8 * 3_600_000))
    await ann.page.locator('dialog [data-field="quiet"]').selectOption(String(4 * 3_600_000))
    await ann.page.locator('dialog [data-field="share"]').fill('')
    await confirm(ann.page)
    await line(bob.page).locator('text=/quiet until/').waitFor()
    await control(bob.page, 'relays', 'relay2', ':disabled').waitFor()
    assert.match(await line(bob.page).innerText(), /8 h|7 h \d+ min/)

    await button(ann.page, 'change-reservation').click()
    await ann.page.locator('dialog [data-field="to"]').fill('Боб')
    await confirm(ann.page)
    await line(bob.page, '[data-mine]').waitFor()
    await control(ann.page, 'relays', 'relay2', ':disabled').waitFor()

    await button(ann.page, 'end-reservation').click()
    await confirm(ann.page)
    // Without a reason the question stays.
    await ann.page.locator('dialog [data-field="reason"]').fill('smells burnt')
    await confirm(ann.page)
    const told = bob.page.locator('[data-outcome="news"]', { hasText: 'smells burnt' })
    await told.waitFor()
    assert.match(await told.innerText(), /ended by Ann \(local\)/)
    await button(bob.page, 'reserve').waitFor()
    await control(ann.page, 'relays', 'relay2', ':enabled').waitFor()
  },
)

test(
  'one books ahead while the other has it, a clash is refused with a sentence, and a booking can be cancelled',
  { skip },
  async (t) => {
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Relays' })
    const bob = await openPage(t, browser, stand.url(1), { hash: '#Relays', size: PHONE })
    await signAs(ann.page, 'Ann')
    await signAs(bob.page, 'Боб')
    await bob.page.locator('[data-language="ru"]').click()
    await button(ann.page, 'reserve').click()
    await confirm(ann.page)
    await line(bob.page, '[data-holder="Ann (local)"]').waitFor()

    const tomorrow = await bob.page.evaluate(() => {
      const at = new Date(Date.now() + 24 * 3_600_000)
      const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
      return local.toISOString().slice(0, 16)
    })
    await button(bob.page, 'book').click()
    await bob.page.locator('dialog [data-field="from"]').fill('2020-01-01T10:00')
    await confirm(bob.page)
    await bob.page.locator('dialog [role="alert"]').waitFor()
    await bob.page.locator('dialog [data-field="from"]').fill(tomorrow)
    await fits(bob.page)
    await confirm(bob.page)
    await line(ann.page).locator('[data-booking]', { hasText: 'Booked by Боб (local)' }).waitFor()
    await line(bob.page).locator('[data-booking]', { hasText: 'Бронь: Боб (local)' }).waitFor()

    await button(ann.page, 'change-reservation').click()
    await ann.page.locator('dialog [data-field="for"]').selectOption(String(3 * 24 * 3_600_000))
    await confirm(ann.page)
    await ann.page.locator('[data-outcome="failed"]', { hasText: 'booked by Боб (local) from' }).waitFor()
    await line(bob.page).locator('[data-role="cancel-booking"]').click()
    await line(ann.page).locator('[data-booking]').waitFor({ state: 'detached' })
    await parameter(ann.page, 'relays', 'relay0', '[data-quality="good"]').waitFor()
  },
)
