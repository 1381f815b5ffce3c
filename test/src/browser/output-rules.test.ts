import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestBrowser, startBrowser, whyNoBrowser } from '../kit/browser.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'
import { PHONE, control, openPage, parameter, showsValue } from './page.ts'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({
    devices: [relayBoard('relays'), { name: 'lamp', kind: 'pwm-lamp' }],
    instruments: (address) => [
      {
        id: 'relays',
        model: 'esp32-relay',
        address: address('relays'),
        group: 'Bench',
        parameters: {
          relay0: { label: 'Pump', maxOn: '10 min' },
          relay1: { label: 'Compressor', minOff: '10 min' },
          relay2: { label: 'Valve', count: { cycles: { limit: 1 }, atLimit: 'refuse' } },
        },
      },
      {
        id: 'lamp',
        model: 'pwm-lamp',
        address: address('lamp'),
        group: 'Bench',
        parameters: { red: { slew: { perSecond: 2, step: 10 } } },
      },
    ],
  })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

test(
  'a card says how its output stands under the rules of the site, and what they are',
  { skip },
  async (t) => {
    const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Bench' })
    const part = (name: string, which: string): ReturnType<typeof parameter> =>
      parameter(page, 'relays', name).locator(`[data-part="${which}"]`)
    await control(page, 'relays', 'relay0').click()
    await showsValue(page, 'relays', 'relay0', true)
    await part('relay0', 'off-by').waitFor()
    assert.match(await part('relay0', 'off-by').innerText(), /^off in (10|9) min/)
    await part('relay0', 'rules').locator('summary').click()
    assert.match(
      await part('relay0', 'rules').innerText(),
      /On for 10 min at most.*\n.*while its worker is dead/,
    )

    assert.match(await part('relay1', 'held').innerText(), /^stays off for another/)

    await control(page, 'relays', 'relay2').click()
    await part('relay2', 'limit').waitFor()
    assert.match(await part('relay2', 'count').innerText(), /cycles: 1 of 1/)
    assert.match(await part('relay2', 'limit').innerText(), /not switched on until an admin resets/)
    assert.deepEqual(faults, [])
  },
)

test('on a phone the rules stand below the control and nothing is too wide', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Bench', size: PHONE })
  await parameter(page, 'lamp', 'red').locator('summary').click()
  const tooWide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  assert.ok(tooWide <= 0, `${tooWide} px too wide`)
})
