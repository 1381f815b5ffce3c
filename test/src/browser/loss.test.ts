import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { type NodeProcess, spawnNode } from '../kit/process.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { control, openPage, parameter, posts, showsValue } from './page.ts'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand()
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

/** Waits until the age beside a value has become another one, twice. */
async function ageGoesOn(page: Page): Promise<void> {
  const age = parameter(page, 'relays', 'relay0').locator('[data-part="age"]')
  let seen = await age.innerText()
  for (let changes = 0; changes < 2; changes++) {
    seen = await eventually(
      async () => {
        const text = await age.innerText()
        return text === seen ? '' : text
      },
      { what: `the age is no longer "${seen}"`, timeoutMs: 60_000 },
    )
  }
}

/** Presses a switch and sees it move. */
async function pressesAndSees(page: Page, value: boolean): Promise<void> {
  await control(page, 'relays', 'relay0', ':enabled').click()
  await showsValue(page, 'relays', 'relay0', value)
}

test('a lost device is seen with the age of its values, and so is its return', { skip }, async (t) => {
  const { page, requests, faults } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await parameter(page, 'relays', 'relay0', '[data-quality="good"]').waitFor()
  await stand.sim.device('relays').setFault({ kind: 'refuse' })
  const section = page.locator('section[data-instrument="relays"]')
  await page.locator('section[data-instrument="relays"][data-condition="lost"]').waitFor()
  await parameter(page, 'relays', 'relay0', '[data-quality="stale"]').waitFor()
  await ageGoesOn(page)
  await control(page, 'relays', 'relay0', ':disabled').waitFor()
  assert.match(await section.locator('[data-part="blocked"]').innerText(), /does not answer/)
  // The others go on.
  await page.locator('[data-tab="Lamps"]').click()
  await parameter(page, 'lamp', 'red', '[data-quality="good"]').waitFor()
  await page.locator('[data-tab="Relays"]').click()

  await stand.sim.device('relays').setFault(null)
  await page.locator('section[data-instrument="relays"][data-condition="ok"]').waitFor()
  await parameter(page, 'relays', 'relay0', '[data-quality="good"]').waitFor()
  assert.deepEqual(posts(requests), [])
  await pressesAndSees(page, true)
  await parameter(page, 'relays', 'relay0', ':not([data-pending])').waitFor()
  await pressesAndSees(page, false)
  assert.deepEqual(faults, [])
})

test(
  'a frozen Redis is said on the page, no command can be given, and it ends by itself',
  { skip },
  async (t) => {
    const { page, requests } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
    await showsValue(page, 'relays', 'relay0', false)
    stand.redis.freeze()
    const banner = page.locator('[data-banner="bus-lost"]')
    try {
      await banner.waitFor()
      assert.match(await banner.innerText(), /Redis.*commands are refused/s)
      await control(page, 'relays', 'relay0', ':disabled').waitFor()
      await page.locator('[data-part="blocked"]', { hasText: 'Redis is away' }).waitFor()
      await parameter(page, 'relays', 'relay0', '[data-quality="stale"]').waitFor()
      await ageGoesOn(page)
      assert.equal(await page.locator('[data-connection="live"]').count(), 1)
    } finally {
      stand.redis.resume()
    }
    await banner.waitFor({ state: 'detached' })
    await parameter(page, 'relays', 'relay0', '[data-quality="good"]').waitFor()
    assert.deepEqual(posts(requests), [])
    await pressesAndSees(page, true)
    await parameter(page, 'relays', 'relay0', ':not([data-pending])').waitFor()
    await pressesAndSees(page, false)
  },
)

test('a Redis that was killed and comes back needs no reload of the page', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await showsValue(page, 'relays', 'relay0', false)
  await stand.redis.kill()
  await page.locator('[data-banner="bus-lost"]').waitFor()
  await stand.redis.start()
  await page.locator('[data-banner="bus-lost"]').waitFor({ state: 'detached' })
  await page.locator('section[data-instrument="relays"][data-condition="ok"]').waitFor()
  await pressesAndSees(page, true)
  await parameter(page, 'relays', 'relay0', ':not([data-pending])').waitFor()
  await pressesAndSees(page, false)
})

test(
  'a killed server is said on the page, ages go on, and it ends when the server is back',
  { skip },
  async (t) => {
    const { page } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
    await showsValue(page, 'relays', 'relay0', false)
    const { port } = new URL(stand.url())
    await stand.webs[0]?.kill('SIGKILL')
    const banner = page.locator('[data-banner="server-lost"]')
    await banner.waitFor()
    assert.match(await banner.innerText(), /No connection to the server since \d/)
    await page.locator('[data-connection="lost"]').waitFor()
    await control(page, 'relays', 'relay0', ':disabled').waitFor()
    await ageGoesOn(page)
    assert.equal(await parameter(page, 'relays', 'relay0').getAttribute('data-value'), 'false')

    const web = await startWebAt(port)
    t.after(() => web.kill())
    await banner.waitFor({ state: 'detached' })
    await page.locator('[data-connection="live"]').waitFor()
    await pressesAndSees(page, true)
  },
)

test(
  'an emergency stop that nobody confirms is called that, and is sent until it is',
  { skip },
  async (t) => {
    const server = await startWebAt('0')
    t.after(() => server.kill())
    const { url = '' } = await server.ready
    const { page } = await openPage(t, browser, url, { hash: '#Relays' })
    server.stop()
    await page.locator('.top [data-role="stop"]').click()
    const banner = page.locator('[data-banner="stop-unconfirmed"]')
    await banner.waitFor()
    assert.match(await banner.innerText(), /NOT confirmed/)
    server.cont()
    await page.locator('[data-banner="stopped"]').waitFor()
    await banner.waitFor({ state: 'detached' })
    assert.deepEqual(stand.sim.device('relays').state()['relays'], [0, 0, 0, 0])
  },
)

/** A web process on this port; another program may have the port for a moment. */
function startWebAt(port: string): Promise<NodeProcess> {
  return eventually(
    async () => {
      const args = ['--site', stand.siteFile, '--port', port]
      const web = spawnNode(join(ROOT, 'apps', 'web', 'dist', 'main.js'), args, { name: 'web' })
      await web.ready
      return web
    },
    { what: `a web process starts on port ${port}`, everyMs: 200, timeoutMs: 30_000 },
  )
}
