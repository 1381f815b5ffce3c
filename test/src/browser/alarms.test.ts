import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { type TestBrowser, startBrowser, whyNoBrowser } from '../kit/browser.ts'
import { type Webhook, startWebhook } from '../kit/notified.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { openPage, PHONE } from './page.ts'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
let hook: Webhook
before(async () => {
  if (skip) return
  hook = await startWebhook()
  const high = { at: 50, severity: 'critical', guidance: 'Turn it <b>down</b>.' }
  stand = await startStand({
    webs: 2,
    schedulers: 1,
    devices: [{ name: 'lamp', kind: 'pwm-lamp' }],
    instruments: (address) => [
      {
        id: 'lamp',
        label: 'Lamp & lens',
        model: 'pwm-lamp',
        address: address('lamp'),
        parameters: { channel0: { alarms: { high } }, channel1: { alarms: { high: { at: 50 } } } },
      },
    ],
    // No archiver runs here, which would be an alarm after a minute.
    site: { archive: false, notify: [{ name: 'hook', kind: 'webhook', url: hook.url }] },
  })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
  await hook.close()
})

async function signAs(page: Page, name: string): Promise<void> {
  await page.locator('[data-role="who"] button').click()
  await page.locator('dialog input').fill(name)
  await page.locator('dialog [data-role="confirm"]').click()
  await page.locator('[data-role="who"]', { hasText: name }).waitFor()
}

const row = (page: Page, channel: number, more = ''): Locator =>
  page.locator(`[data-alarm="lamp.channel${channel}.high"]${more}`)
const level = (channel: number, value: number) =>
  stand.command('lamp', { parameter: `channel${channel}`, value })

async function fits(page: Page): Promise<void> {
  const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  assert.ok(beyond <= 0, `the page is ${beyond} px too wide`)
}

test(
  'both see an alarm; one acknowledges it with a note, the other sees who and why; history and title follow',
  { skip },
  async (t) => {
    const ann = await openPage(t, browser, stand.url(0), { hash: '#Lamps' })
    const bob = await openPage(t, browser, stand.url(1), { size: PHONE })
    await signAs(ann.page, 'Ann')
    await signAs(bob.page, 'Боб')
    assert.equal(await ann.page.locator('[data-alarms]').count(), 0)
    await level(0, 70)
    await level(1, 60)
    for (const { page } of [ann, bob]) {
      await page.locator('[data-alarms="2"]').waitFor()
      await page.locator('[data-banner="alarm"]', { hasText: 'is 70 %, above 50 %' }).waitFor()
      assert.match(await page.title(), /^\(2\) /)
      await page.locator('[data-alarms]').click()
      await page.locator('[data-panel="Alarms"]').waitFor()
    }
    // What calls most urgently stands first; what people write is shown as they wrote it.
    const text = await row(ann.page, 0, '[data-severity="critical"][data-condition="active"]').innerText()
    assert.match(text, /Turn it <b>down<\/b>\./)
    assert.match(text, /Lamp & lens/)
    assert.equal(
      await ann.page.locator('[data-alarm]').first().getAttribute('data-alarm'),
      'lamp.channel0.high',
    )
    await fits(bob.page)

    await row(bob.page, 0).locator('[data-role="acknowledge"]').click()
    await bob.page.locator('dialog [data-field="note"]').fill('on my <i>way</i>')
    await fits(bob.page)
    await bob.page.locator('dialog [data-role="confirm"]').click()
    for (const { page } of [ann, bob]) {
      await row(page, 0, '[data-acknowledged]').waitFor()
      assert.match(await row(page, 0).innerText(), /Acknowledged by Боб \(local\).*on my <i>way<\/i>/)
      await page.locator('[data-alarms="1"]').waitFor()
      assert.equal(await page.locator('[data-banner="alarm"]').count(), 0)
    }
    assert.equal(await row(ann.page, 0).locator('[data-role="acknowledge"]').count(), 0)

    // Seen and over, it is gone by itself; the other one stays until somebody has seen it.
    await level(0, 0)
    await level(1, 0)
    await row(ann.page, 0).waitFor({ state: 'detached' })
    await row(ann.page, 1, '[data-condition="returned"]').locator('[data-role="acknowledge"]').click()
    await ann.page.locator('dialog [data-role="confirm"]').click()
    for (const { page } of [ann, bob]) {
      await page.locator('[data-alarm]').first().waitFor({ state: 'detached' })
      await page.locator('[data-alarms]').waitFor({ state: 'detached' })
      assert.doesNotMatch(await page.title(), /^\(/)
      const history = page.locator('.alarm-history tr[data-event]')
      await history
        .filter({ hasText: 'lamp.channel0.high acknowledged by Боб (local): on my <i>way</i>' })
        .waitFor()
      await history.filter({ hasText: 'lamp.channel1.high acknowledged by Ann (local)' }).waitFor()
      await history.filter({ hasText: 'hook was told' }).first().waitFor()
    }
    await fits(bob.page)
    assert.deepEqual([...ann.faults, ...bob.faults], [])
  },
)

test('an admin sends a test from the page, and sees in the history what came of it', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(0), { hash: '#Alarms' })
  await page.locator('[data-notifier="hook"] [data-role="test-notifier"]').click()
  await page
    .locator('.alarm-history tr', { hasText: 'hook was tested, and has taken the message.' })
    .waitFor()
  assert.equal(hook.calls.filter(({ text }) => text.includes('test of hook')).length, 1)
  await page.locator('[data-language="ru"]').click()
  await page.locator('[data-tab="Alarms"]', { hasText: 'Тревоги' }).waitFor()
  assert.deepEqual(faults, [])
})
