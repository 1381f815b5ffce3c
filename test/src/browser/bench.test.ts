import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { demoDevices } from '@golem/simulator'
import type { Locator, Page } from 'playwright-core'
import { parse } from 'yaml'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'
import type { InstrumentEntry } from '../kit/site.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { control, openPage, openTab, parameter, PHONE, showsValue } from './page.ts'

const BENCH = 'Bench'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  const bench = demoBench()
  stand = await startStand({
    webs: 2,
    devices: demoDevices().filter(({ name }) => bench.some(({ address }) => address === `sim:${name}`)),
    instruments: (addressOf) =>
      bench.map((entry) => ({ ...entry, address: addressOf(entry.address.replace('sim:', '')) })),
    // The stage is not all well before it has gone home.
    settled: false,
  })
  await stand.until('stage', ({ condition }) => condition === 'degraded', 'the stage answers', 30_000)
  const { body } = await stand.command('stage', { action: 'home', arguments: {} })
  assert.equal(body.outcome, 'done')
  for (const { id } of bench) {
    await stand.until(id, ({ condition }) => condition === 'ok', `${id} is well`, 30_000)
  }
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

/** The bench of the demo stand, as its site file has it. */
function demoBench(): InstrumentEntry[] {
  const file = readFileSync(join(ROOT, 'instance', 'demo.yaml'), 'utf8')
  const { instruments } = parse(file) as { instruments: InstrumentEntry[] }
  return instruments.filter(({ group }) => group === BENCH)
}

function section(page: Page, instrument: string, heading = ''): Locator {
  const whole = page.locator(`section[data-instrument="${instrument}"]`)
  return heading === '' ? whole : whole.locator(`[data-section="${heading}"]`)
}

/** Presses an action, fills in what its dialog asks for, and confirms. */
async function act(
  page: Page,
  instrument: string,
  action: string,
  given: Record<string, string>,
): Promise<void> {
  await page.locator(`button[data-instrument="${instrument}"][data-action="${action}"]`).click()
  for (const [name, text] of Object.entries(given)) {
    const argument = page.locator(`dialog [data-argument="${name}"]`)
    const choices = argument.locator('select')
    if ((await choices.count()) > 0) await choices.selectOption(text)
    else await argument.locator('input').fill(text)
  }
  await page.locator('dialog [data-role="confirm"]').click()
}

/** Writes a number into the field of a parameter. */
async function set(page: Page, instrument: string, name: string, text: string): Promise<void> {
  const field = parameter(page, instrument, name).locator('input[type="text"]')
  await field.fill(text)
  await field.press('Enter')
}

async function numberOf(shown: Locator): Promise<number> {
  return Number(await shown.getAttribute('data-value'))
}

test(
  'the three channels of the supply stand under their headings, each thing with a name of its own',
  { skip },
  async (t) => {
    const { page, faults } = await openPage(t, browser, stand.url(), { hash: `#${BENCH}` })
    for (const channel of [1, 2, 3]) {
      const of = page
        .getByRole('region', { name: 'Supply (DP832)' })
        .getByRole('group', { name: `Channel ${channel}`, exact: true })
      await of.getByRole('article', { name: `Measured power ${channel}` }).waitFor()
      await of.getByRole('switch', { name: `Output ${channel}` }).waitFor()
      await of.getByRole('slider', { name: `Voltage ${channel}, slider` }).waitFor()
      await of.getByRole('textbox', { name: `New value of Current limit ${channel}` }).waitFor()
      assert.equal(await of.getByRole('article').count(), 6)
    }
    await page
      .getByRole('region', { name: 'Stage' })
      .getByRole('button', { name: 'Stop Stage at once' })
      .waitFor()
    assert.deepEqual(faults, [])
  },
)

test("what is set at the supply's first output is what the meter shows", { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: `#${BENCH}` })
  const reading = parameter(page, 'meter', 'reading', '[data-quality="good"]')
  await reading.waitFor()
  const follows = (volts: number): Promise<unknown> =>
    eventually(async () => Math.abs((await numberOf(reading)) - volts) < 0.01, {
      what: `the meter shows ${volts} V`,
      timeoutMs: 60_000,
    })
  await showsValue(page, 'supply', 'output1', false)
  await set(page, 'supply', 'voltage1', '12,5')
  await showsValue(page, 'supply', 'voltage1', 12.5)
  await follows(0)
  await control(page, 'supply', 'output1').click()
  await showsValue(page, 'supply', 'output1', true)
  await follows(12.5)
  await showsValue(page, 'supply', 'measuredVoltage1', 12.5)
  assert.match(await reading.locator('[data-part="value"]').innerText(), /^12\.(49|50)\d{3} V$/)
  await set(page, 'supply', 'voltage1', '24.01')
  await parameter(page, 'supply', 'voltage1').locator('[role="alert"]', { hasText: '0 to 24 V' }).waitFor()
  await parameter(page, 'supply', 'output1', ':not([data-pending])').waitFor()
  await control(page, 'supply', 'output1').click()
  await follows(0)
  assert.deepEqual(faults, [])
})

test(
  'a waveform stands beside its action as a plot with its length, and is saved as CSV',
  { skip },
  async (t) => {
    const { page, faults } = await openPage(t, browser, stand.url(), { hash: `#${BENCH}` })
    await act(page, 'scope', 'waveform', { channel: 'CHAN2' })
    const answer = section(page, 'scope').locator('[data-part="answer"]')
    await answer.waitFor()
    assert.match(await answer.innerText(), /Waveform on the screen \(Channel: CHAN2\)/)
    assert.match(await answer.locator('[data-part="result"]').innerText(), /1200 numbers, -2 … 2/)
    const line = await answer.locator('[data-part="plot"] path').getAttribute('d')
    assert.ok((line ?? '').split('L').length > 500, line ?? 'there is no line')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      answer.getByRole('button', { name: 'Save as CSV' }).click(),
    ])
    assert.match(download.suggestedFilename(), /^scope-[\w-]+\.csv$/)
    const lines = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\n')
      .map(Number)
    assert.equal(lines.length, 1200)
    assert.ok(Math.max(...lines) === 2 && Math.min(...lines) === -2)
    // It is still there after a look elsewhere, and goes when it is put away.
    await openTab(page, 'Log')
    await page.locator('[data-command] [data-part="plot"]').first().waitFor()
    await openTab(page, BENCH)
    await answer.getByRole('button', { name: 'Put the answer away' }).click()
    await answer.waitFor({ state: 'detached' })
    assert.deepEqual(faults, [])
  },
)

test(
  'a stage that moves is halted by its stop, and its position is then not taken for granted',
  { skip },
  async (t) => {
    const { page, faults } = await openPage(t, browser, stand.url(), { hash: `#${BENCH}` })
    const x = parameter(page, 'stage', 'x')
    await parameter(page, 'stage', 'x', '[data-quality="good"]').waitFor()
    const begin = await numberOf(x)
    await page.locator('button[data-instrument="stage"][data-action="move"]').click()
    // The fields begin with where it stands.
    assert.equal(Number(await page.locator('dialog [data-argument="x"] input').inputValue()), begin)
    await page.locator('dialog [data-role="cancel"]').click()
    await act(page, 'stage', 'move', { x: begin < 100 ? '190' : '10', feed: '300', wait: 'true' })
    await eventually(async () => Math.abs((await numberOf(x)) - begin) > 1, {
      what: 'the stage is seen to move',
      timeoutMs: 60_000,
    })
    await section(page, 'stage').locator('[data-role="stop"]').click()
    const banner = page.locator('[data-banner="instrument-stopped"]')
    await banner.waitFor()
    await parameter(page, 'stage', 'x', '[data-quality="bad"]').waitFor()
    await section(page, 'stage', 'Position')
      .locator('[data-part="shared-error"]', { hasText: 'emergency stop' })
      .waitFor()
    const stands = JSON.stringify(stand.sim.device('stage').state()['position'])
    assert.ok(stands !== undefined)
    const home = page.locator('button[data-instrument="stage"][data-action="home"]')
    assert.equal(await home.isDisabled(), true)
    await banner.locator('[data-role="release"]').click()
    await page.locator('dialog [data-role="confirm"]').click()
    await banner.waitFor({ state: 'detached' })
    assert.equal(JSON.stringify(stand.sim.device('stage').state()['position']), stands)
    await act(page, 'stage', 'unlock', {})
    await page.locator('[data-outcome="done"]', { hasText: 'Unlock' }).waitFor()
    await act(page, 'stage', 'home', {})
    await parameter(page, 'stage', 'x', '[data-quality="good"]').waitFor()
    await section(page, 'stage').locator('[data-part="shared-error"]').waitFor({ state: 'detached' })
    assert.deepEqual(faults, [])
  },
)

test("the site's limit of a set-point also holds for the action that sets it", { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: `#${BENCH}` })
  await act(page, 'oven', 'start', { setpoint: '200' })
  const argument = page.locator('dialog [data-argument="setpoint"]')
  await argument.locator('[role="alert"]', { hasText: '0 to 120 °C' }).waitFor()
  const { status } = await stand.command('oven', { action: 'start', arguments: { setpoint: 200, ramp: 0 } })
  assert.equal(status, 422)
  await argument.locator('input').fill('80')
  await page.locator('dialog [data-role="confirm"]').click()
  await showsValue(page, 'oven', 'setpoint', 80)
  await showsValue(page, 'oven', 'mode', 'run')
})

test('two browsers at once see the same, and each its own answers', { skip }, async (t) => {
  const ann = await openPage(t, browser, stand.url(0), { hash: `#${BENCH}` })
  const bob = await openPage(t, browser, stand.url(1), { hash: `#${BENCH}`, size: PHONE })
  await set(ann.page, 'supply', 'voltage2', '7.25')
  await set(bob.page, 'oven', 'setpoint', '60')
  for (const { page } of [ann, bob]) {
    await showsValue(page, 'supply', 'voltage2', 7.25)
    await showsValue(page, 'oven', 'setpoint', 60)
  }
  await act(bob.page, 'scope', 'waveform', {})
  await section(bob.page, 'scope').locator('[data-part="answer"]').waitFor()
  assert.equal(await section(ann.page, 'scope').locator('[data-part="answer"]').count(), 0)
  await openTab(ann.page, 'Log')
  await ann.page
    .locator('[data-command][data-result="done"]', { hasText: 'CHAN1' })
    .locator('[data-part="plot"]')
    .first()
    .waitFor()
  assert.deepEqual([...ann.faults, ...bob.faults], [])
})

test(
  'on a phone the bench is not wider than the screen, also with an answer and a dialog',
  { skip },
  async (t) => {
    const { page } = await openPage(t, browser, stand.url(), { hash: `#${BENCH}`, size: PHONE })
    const fits = async (what: string): Promise<void> => {
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      assert.ok(width <= PHONE.width, `with ${what} it is ${width} pixels wide`)
      const beyond = await page.evaluate<string[]>(
        `[...document.querySelectorAll('main :is(p, h3, h4, button, input, select), dialog *')]
        .filter((element) => !element.closest('.hidden, .tabs') && element.getBoundingClientRect().right > innerWidth + 1)
        .map((element) => element.outerHTML.slice(0, 120))`,
      )
      assert.deepEqual(beyond, [], what)
    }
    await parameter(page, 'weather', 'humidity', '[data-quality="good"]').waitFor()
    await fits('all instruments')
    await act(page, 'scope', 'waveform', {})
    await section(page, 'scope').locator('[data-part="plot"]').waitFor()
    await fits('a waveform')
    await page.locator('button[data-instrument="stage"][data-action="move"]').click()
    await page.locator('dialog [data-argument="feed"]').waitFor()
    await fits('a dialog')
    await page.locator('dialog [data-role="cancel"]').click()
    for (const tab of ['Devices', 'Log']) {
      await openTab(page, tab)
      if (tab === 'Log') await page.locator('[data-part="plot"]').first().waitFor()
      await fits(tab)
    }
  },
)
