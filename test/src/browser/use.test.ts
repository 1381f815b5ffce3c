import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { relayBoard, type Stand, startStand } from '../kit/stand.ts'
import { control, openPage, openTab, parameter, PHONE, posts, showsValue } from './page.ts'

/** A label that would be a picture and run a script, if it were taken for HTML. */
const HOSTILE = '<img src=x onerror=alert(1)>'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({
    devices: [
      relayBoard('relays'),
      { name: 'lamp', kind: 'pwm-lamp' },
      { name: 'co2', kind: 'sba5', warmUpSeconds: 0.1 },
      relayBoard('hostile'),
    ],
    instruments: (address) => [
      { id: 'relays', model: 'esp32-relay', address: address('relays') },
      { id: 'lamp', model: 'pwm-lamp', address: address('lamp'), parameters: { red: { max: 60 } } },
      { id: 'co2', model: 'sba5', address: address('co2') },
      {
        id: 'hostile',
        label: HOSTILE,
        model: 'esp32-relay',
        address: address('hostile'),
        parameters: { relay0: { label: HOSTILE } },
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

/** Bodies of the commands that a device has received. */
function received(device: string): string[] {
  return stand.sim
    .device(device)
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => body)
}

/** Switches a relay at the board itself, past golem. */
async function switchAtBoard(channel: number, state: 0 | 1): Promise<void> {
  const response = await fetch(`${stand.sim.device('relays').address}/relay`, {
    method: 'POST',
    body: JSON.stringify({ channel, state }),
  })
  assert.equal(response.status, 200)
}

test('values change on the page by themselves', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await showsValue(page, 'relays', 'relay3', false)
  await switchAtBoard(3, 1)
  await showsValue(page, 'relays', 'relay3', true)
  assert.equal(await parameter(page, 'relays', 'relay3').locator('[data-part=value]').innerText(), 'on')
  await switchAtBoard(3, 0)
  await showsValue(page, 'relays', 'relay3', false)
  assert.deepEqual(faults, [])
})

test('pressing a switch moves the relay once, and effect and outcome are seen', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await showsValue(page, 'relays', 'relay0', false)
  stand.sim.device('relays').resetCounters()
  await control(page, 'relays', 'relay0').click()
  const toast = page.locator('[data-outcome="done"]')
  await toast.waitFor()
  assert.match(await toast.innerText(), /relays: Relay 0 = on/)
  await showsValue(page, 'relays', 'relay0', true)
  assert.deepEqual(
    received('relays').map((body) => JSON.parse(body) as unknown),
    [{ channel: 0, state: 1 }],
  )
  await parameter(page, 'relays', 'relay0', ':not([data-pending])').waitFor()
  await control(page, 'relays', 'relay0').click()
  await showsValue(page, 'relays', 'relay0', false)
  assert.equal(received('relays').length, 2)
  assert.deepEqual(faults, [])
})

test('a switch pressed twice in a hurry sends one command', { skip }, async (t) => {
  const { page, requests } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await showsValue(page, 'relays', 'relay3', false)
  await control(page, 'relays', 'relay3').dblclick()
  await showsValue(page, 'relays', 'relay3', true)
  await parameter(page, 'relays', 'relay3', ':not([data-pending])').waitFor()
  assert.equal(posts(requests).length, 1)
  await control(page, 'relays', 'relay3').click()
  await showsValue(page, 'relays', 'relay3', false)
})

test("a command's effect is fetched when it has been read, not with the next poll", { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url())
  await page.clock.install()
  await page.goto(`${stand.url()}/?clock#Relays`)
  await showsValue(page, 'relays', 'relay1', false)
  // From here on time stands still for the page: a poll that is due in a second never comes.
  await page.clock.pauseAt(Date.now() + 60_000)
  await control(page, 'relays', 'relay1').click()
  await page.locator('[data-outcome="done"]').waitFor()
  await stand.until('relays', ({ readings }) => readings['relay1']?.value === true, 'the relay is read as on')
  await page.clock.runFor(150)
  await showsValue(page, 'relays', 'relay1', true)
})

test('a number beyond its limits is refused with a message before anything is sent', { skip }, async (t) => {
  const { page, requests, faults } = await openPage(t, browser, stand.url(), { hash: '#Lamps' })
  await showsValue(page, 'lamp', 'red', 0)
  stand.sim.device('lamp').resetCounters()
  const card = parameter(page, 'lamp', 'red')
  const field = card.locator('input[type="text"]')
  for (const [text, sentence] of [
    ['61', 'Allowed: 0 to 60 %.'],
    ['-1', 'Allowed: 0 to 60 %.'],
    ['12.5', 'Write a whole number.'],
    ['much', 'Write a number.'],
  ] as const) {
    await field.fill(text)
    await field.press('Enter')
    await card.locator('[role="alert"]', { hasText: sentence }).waitFor()
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
  }
  assert.deepEqual(posts(requests), [])
  await field.fill('60')
  await field.press('Enter')
  await showsValue(page, 'lamp', 'red', 60)
  assert.equal(await card.locator('[role="alert"]').count(), 0)
  assert.equal(posts(requests).length, 1)
  const duties = received('lamp').map((body) => (JSON.parse(body) as { duty: number }).duty)
  assert.deepEqual(duties, [60, 60])
  assert.deepEqual(faults, [])
})

test("the analyser's CO2 stands there with its unit, and changes", { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Sensors' })
  const co2 = parameter(page, 'co2', 'co2', '[data-quality="good"]')
  await co2.waitFor()
  assert.match(await co2.locator('[data-part="value"]').innerText(), /^\d{2,4}\.\d\d ppm$/)
  const first = await co2.getAttribute('data-value')
  await eventually(async () => (await co2.getAttribute('data-value')) !== first, {
    what: 'the CO2 on the page is another one',
    timeoutMs: 60_000,
  })
})

test('labels that are HTML stay text, also in outcomes and in the log', { skip }, async (t) => {
  const { page, requests, faults } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  await showsValue(page, 'hostile', 'relay0', false)
  const section = page.locator('section[data-instrument="hostile"]')
  assert.equal(await section.locator('h2').innerText(), HOSTILE)
  assert.equal(await parameter(page, 'hostile', 'relay0').locator('h3').innerText(), HOSTILE)
  await control(page, 'hostile', 'relay0').click()
  await page.locator('[data-outcome="done"]', { hasText: `${HOSTILE}: ${HOSTILE} = on` }).waitFor()
  await openTab(page, 'Devices')
  await page.locator('article[data-instrument="hostile"] h2', { hasText: HOSTILE }).waitFor()
  await openTab(page, 'Log')
  await page.locator('[data-command][data-result="done"]', { hasText: HOSTILE }).waitFor()
  await page.locator('[data-event]', { hasText: HOSTILE }).first().waitFor()
  assert.equal(await page.locator('img').count(), 0)
  assert.deepEqual(
    requests.filter((request) => request.endsWith('/x')),
    [],
  )
  assert.deepEqual(dialogs, [])
  assert.deepEqual(faults, [])
})

test('every tab does without other servers and without errors', { skip }, async (t) => {
  const { page, requests, faults } = await openPage(t, browser, stand.url())
  for (const tab of ['Relays', 'Sensors', 'Lamps', 'Runs', 'Schedules', 'Devices', 'Log'])
    await openTab(page, tab)
  await page.locator('[data-event]').first().waitFor()
  const origins = new Set(requests.map((request) => new URL(request.split(' ')[1] ?? '').origin))
  assert.deepEqual([...origins], [new URL(stand.url()).origin])
  assert.deepEqual(faults, [])
})

test('a switch is reached and pressed, and tabs are changed, by keyboard alone', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url())
  await showsValue(page, 'relays', 'relay2', false)
  const tabTo = async (selector: string): Promise<void> => {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab')
      if ((await page.locator(`${selector}:focus`).count()) === 1) return
    }
    assert.fail(`40 presses of Tab do not reach ${selector}.`)
  }
  await tabTo('[data-tab="Relays"]')
  await page.keyboard.press('ArrowRight')
  await page.locator('[data-panel="Sensors"]').waitFor()
  await page.keyboard.press('End')
  await page.locator('[data-panel="Log"]').waitFor()
  await page.keyboard.press('ArrowRight')
  await page.locator('[data-panel="Relays"]').waitFor()
  await page.locator('[data-tab="Relays"]:focus').waitFor()
  await tabTo('[data-parameter="relay2"] [role="switch"]')
  await page.keyboard.press('Space')
  await showsValue(page, 'relays', 'relay2', true)
  assert.ok(received('relays').includes('{"channel":2,"state":1}'))
  await parameter(page, 'relays', 'relay2', ':not([data-pending])').waitFor()
  await page.keyboard.press('Space')
  await showsValue(page, 'relays', 'relay2', false)
})

test('on a phone nothing is wider than the screen and the stop button is in view', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { size: PHONE })
  for (const tab of ['Relays', 'Sensors', 'Lamps', 'Runs', 'Schedules', 'Devices', 'Log']) {
    await openTab(page, tab)
    if (tab === 'Log') await page.locator('[data-event]').first().waitFor()
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(width <= PHONE.width, `${tab} is ${width} pixels wide`)
    await page.locator('footer').scrollIntoViewIfNeeded()
    const stop = await page.locator('.top [data-role="stop"]').boundingBox()
    assert.ok(stop !== null && stop.y >= 0 && stop.y + stop.height <= PHONE.height, `no stop under ${tab}`)
    assert.ok(stop.x >= 0 && stop.x + stop.width <= PHONE.width && stop.height >= 44)
  }
})

test('the page speaks Russian at the press of a button, and after loading it again', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Devices' })
  await page.locator('[data-language="ru"]').click()
  const tab = page.locator('[data-tab="Devices"]', { hasText: 'Приборы' })
  await tab.waitFor()
  await page.reload()
  await tab.waitFor()
  assert.equal(await page.locator('html').getAttribute('lang'), 'ru')
  await page.locator('[data-language="en"]').click()
  await page.locator('[data-tab="Devices"]', { hasText: 'Devices' }).waitFor()
})
