import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { control, openPage, openTab, parameter, PHONE, posts, showsValue } from './page.ts'

const skip = whyNoBrowser() ?? false
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

/** Gives the page a name, as people do where nobody has to prove who they are. */
async function signAs(page: Page, name: string): Promise<void> {
  await page.locator('[data-role="who"] button').click()
  await page.locator('dialog input').fill(name)
  await page.locator('dialog [data-role="confirm"]').click()
  await page.locator('[data-role="who"]', { hasText: name }).waitFor()
}

test('two people see what the other one has running and waiting, and how it ended', { skip }, async (t) => {
  const ann = await openPage(t, browser, stand.url(0), { hash: '#Lamps' })
  const bob = await openPage(t, browser, stand.url(1), { hash: '#Lamps' })
  await signAs(ann.page, 'Ann')
  await signAs(bob.page, 'Боб')
  await showsValue(bob.page, 'lamp', 'white', 0)
  // Each of the two channels of a colour takes this long.
  await stand.sim.device('lamp').setFault({ kind: 'delay', ms: 4000, match: { method: 'POST' } })

  const red = parameter(ann.page, 'lamp', 'red').locator('input[type="text"]')
  await red.fill('30')
  await red.press('Enter')
  const running = parameter(bob.page, 'lamp', 'red').locator('[data-part="running"]')
  await running.waitFor()
  assert.match(await running.innerText(), /by Ann.*: Red light = 30 %, running/)
  const white = parameter(bob.page, 'lamp', 'white').locator('input[type="text"]')
  await white.fill('20')
  await white.press('Enter')
  await ann.page.locator('[data-part="queue"]', { hasText: '1 waiting' }).waitFor()

  await stand.sim.device('lamp').setFault(null)
  for (const { page } of [ann, bob]) {
    await showsValue(page, 'lamp', 'red', 30)
    await showsValue(page, 'lamp', 'white', 20)
    await openTab(page, 'Log')
    const row = (words: string) => page.locator('[data-command][data-result="done"]', { hasText: words })
    await row('Red light = 30 %').filter({ hasText: 'Ann' }).waitFor()
    await row('White light = 20 %').filter({ hasText: 'Боб' }).waitFor()
  }
})

test('one who cancels a waiting command of the other has it refused there', { skip }, async (t) => {
  const ann = await openPage(t, browser, stand.url(0), { hash: '#Lamps' })
  const bob = await openPage(t, browser, stand.url(1), { hash: '#Log' })
  await parameter(ann.page, 'lamp', 'red', '[data-quality="good"]').waitFor()
  await stand.sim.device('lamp').setFault({ kind: 'delay', ms: 4000, match: { method: 'POST' } })
  for (const [name, value] of [
    ['red', '11'],
    ['white', '12'],
  ] as const) {
    const field = parameter(ann.page, 'lamp', name).locator('input[type="text"]')
    await field.fill(value)
    await field.press('Enter')
    await parameter(ann.page, 'lamp', name, '[data-pending]').waitFor()
    await bob.page.locator('[data-command]', { hasText: `= ${value} %` }).waitFor()
  }
  await bob.page.locator('[data-command][data-result="queued"] button').click()
  const refused = ann.page.locator('[data-outcome="refused"][data-effect="none"]')
  await refused.waitFor()
  assert.match(await refused.innerText(), /White light = 12 %/)
  await stand.sim.device('lamp').setFault(null)
  await showsValue(ann.page, 'lamp', 'red', 11)
  const sent = stand.sim.device('lamp').requests()
  assert.ok(!sent.some(({ body }) => body.includes('"duty":12')))
})

test('a stop pressed in one browser holds everywhere, and release asks first', { skip }, async (t) => {
  const ann = await openPage(t, browser, stand.url(0), { hash: '#Relays' })
  const bob = await openPage(t, browser, stand.url(1), { hash: '#Relays', size: PHONE })
  await control(ann.page, 'relays', 'relay1', ':enabled').click()
  await showsValue(bob.page, 'relays', 'relay1', true)

  await bob.page.locator('.top [data-role="stop"]').click()
  for (const { page } of [ann, bob]) {
    await page.locator('[data-banner="stopped"]').waitFor()
    await showsValue(page, 'relays', 'relay1', false)
    await control(page, 'relays', 'relay1', ':disabled').waitFor()
    await page.locator('[data-part="blocked"]', { hasText: 'Everything is stopped' }).waitFor()
  }

  const release = ann.page.locator('[data-banner="stopped"] [data-role="release"]')
  await release.click()
  await ann.page.locator('dialog[open]', { hasText: 'Nothing is switched on by this' }).waitFor()
  await ann.page.keyboard.press('Escape')
  await ann.page.locator('dialog').waitFor({ state: 'detached' })
  assert.equal(posts(ann.requests).filter((request) => request.endsWith('/release')).length, 0)
  assert.notEqual((await stand.state()).stop.site, null)

  await release.click()
  await ann.page.locator('dialog [data-role="confirm"]').click()
  for (const { page } of [ann, bob]) {
    await page.locator('[data-banner="stopped"]').waitFor({ state: 'detached' })
    await control(page, 'relays', 'relay1', ':enabled').waitFor()
    assert.equal(await parameter(page, 'relays', 'relay1').getAttribute('data-value'), 'false')
  }
})

test('a stop of one instrument leaves the others free', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await page.locator('section[data-instrument="relays"] [data-role="stop"]').click()
  await page.locator('[data-banner="instrument-stopped"]', { hasText: 'relays' }).waitFor()
  await control(page, 'relays', 'relay1', ':disabled').waitFor()
  await openTab(page, 'Lamps')
  const field = parameter(page, 'lamp', 'red').locator('input[type="text"]')
  await field.fill('7')
  await field.press('Enter')
  await showsValue(page, 'lamp', 'red', 7)
  await page.locator('[data-role="release"][data-instrument="relays"]').click()
  await page.locator('dialog [data-role="confirm"]').click()
  await page.locator('[data-banner="instrument-stopped"]').waitFor({ state: 'detached' })
})
