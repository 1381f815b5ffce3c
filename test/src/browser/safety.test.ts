import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { relayBoard, type Stand, startStand } from '../kit/stand.ts'
import { openPage, PHONE } from './page.ts'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({
    devices: [relayBoard('door'), relayBoard('oven')],
    instruments: (address) => [
      { id: 'door', model: 'esp32-relay', address: address('door') },
      { id: 'oven', model: 'esp32-relay', address: address('oven'), onPowerReturn: 'ask' },
    ],
    site: {
      interlocks: [
        {
          name: 'door',
          watch: { reading: 'door.relay0', equals: true },
          trip: { 'oven.relay1': false },
          guidance: 'Shut the door.',
        },
      ],
    },
  })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

const set = (board: string, parameter: string, value: boolean) => stand.command(board, { parameter, value })

test(
  'an interlock that has tripped is seen by everybody, and reset by a person on a phone',
  { skip },
  async (t) => {
    const desk = await openPage(t, browser, stand.url(), { hash: '#Devices' })
    const phone = await openPage(t, browser, stand.url(), { size: PHONE })
    await set('oven', 'relay1', true)
    await set('door', 'relay0', true)
    const banner = '[data-banner="interlock"][data-interlock="door"]'
    await phone.page.locator(banner, { hasText: 'Shut the door.' }).waitFor()
    await desk.page.locator('[data-part="interlocks"] [data-condition="holds"]').first().waitFor()
    // Also where the output is commanded, not only under Devices.
    const relays = await openPage(t, browser, stand.url(), { hash: '#Relays' })
    await relays.page
      .locator('[data-instrument="oven"] [data-part="interlocks"] [data-interlock="door"]')
      .waitFor()
    await set('door', 'relay0', false)
    await desk.page.locator('[data-part="interlocks"] [data-condition="latched"]').first().waitFor()
    await phone.page.locator('[data-role="reset-interlock"]').click()
    await phone.page.locator('dialog input[name="note"]').fill('hinge replaced')
    await phone.page.locator('dialog [data-role="confirm"]').click()
    await desk.page.locator(banner).waitFor({ state: 'detached' })
    await desk.page.locator('[data-part="interlocks"]').waitFor({ state: 'detached' })
    await desk.page.locator('details.worst-cases summary').first().click()
    await desk.page.locator('details.worst-cases dd', { hasText: 'Redis' }).first().waitFor()
    assert.deepEqual([...desk.faults, ...phone.faults, ...relays.faults], [])
  },
)

test('after a power cut the page asks which values win', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Devices' })
  await set('oven', 'relay2', true)
  await stand.until(
    'oven',
    ({ readings }) => Number(readings['uptime']?.value) >= 8,
    'it has been up for 8 s',
  )
  await stand.sim.device('oven').unplug()
  await stand.until('oven', ({ condition }) => condition === 'lost', 'it is lost')
  await stand.sim.device('oven').replug()
  await page.locator('[data-part="power-return"] [data-keep="golem"]').click()
  await page.locator('[data-part="power-return"]').waitFor({ state: 'detached' })
  await eventually(() => (stand.sim.device('oven').state()['relays'] as number[])[2] === 1, {
    what: 'it is on again',
  })
  assert.deepEqual(faults, [])
})
