import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'
import { type UpgradeWall, startUpgradeWall } from '../kit/upgrade-wall.ts'
import { openPage, showsValue } from './page.ts'

const skip = whyNoBrowser() ?? false
let stand: Stand
let wall: UpgradeWall
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({ devices: [relayBoard('relays')] })
  wall = await startUpgradeWall(stand.url())
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await wall.close()
  await stand.close()
})

/** Switches a relay at the board itself, as a person at the stand does. */
async function switchAtBoard(on: boolean): Promise<void> {
  const { ok } = await fetch(`${stand.sim.device('relays').address}/relay`, {
    method: 'POST',
    body: JSON.stringify({ channel: 0, state: on ? 1 : 0 }),
  })
  assert.ok(ok)
}

async function comesBy(page: Page, way: 'push' | 'poll'): Promise<void> {
  await page.locator(`[data-connection="live"][data-via="${way}"]`).waitFor()
}

function polls(requests: readonly string[]): number {
  return requests.filter((request) => /\/api\/state(\?|$)/.test(request)).length
}

test(
  'the page is shown changes by the socket and asks no more; without the socket it polls by itself, and goes back',
  { skip },
  async (t) => {
    const { page, requests } = await openPage(t, browser, wall.url, { hash: '#Relays' })
    await comesBy(page, 'push')
    const polled = polls(requests)
    for (const on of [true, false]) {
      await switchAtBoard(on)
      await showsValue(page, 'relays', 'relay0', on)
    }
    assert.equal(polls(requests), polled)

    wall.block()
    await comesBy(page, 'poll')
    await page.locator('[data-connection]', { hasText: 'polled' }).waitFor()
    await switchAtBoard(true)
    await showsValue(page, 'relays', 'relay0', true)
    assert.ok(polls(requests) > polled)

    wall.allow()
    await comesBy(page, 'push')
    await switchAtBoard(false)
    await showsValue(page, 'relays', 'relay0', false)
  },
)

test('a page that nobody looks at gives its socket back, and takes one again', { skip }, async (t) => {
  const { page, requests } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await comesBy(page, 'push')
  const see = (hidden: boolean): Promise<unknown> =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} })
       document.dispatchEvent(new Event('visibilitychange'))`,
    )
  await see(true)
  await comesBy(page, 'poll')
  const figures = async (): Promise<string> => (await stand.api<string>('/metrics')).body
  await eventually(async () => /golem_push_clients\{kind="socket"\} 0/.test(await figures()), {
    what: 'the server has no socket',
  })
  const polled = polls(requests)
  await eventually(() => polls(requests) > polled, { what: 'it polls all the same', timeoutMs: 30_000 })
  await see(false)
  await comesBy(page, 'push')
})

test(
  'a web process that freezes is noticed although its socket stays open, and the page goes back to it',
  { skip },
  async (t) => {
    const { page } = await openPage(t, browser, wall.url, { hash: '#Relays' })
    await comesBy(page, 'push')
    stand.webs[0]?.stop()
    // Silence is no news: what is frozen is asked, and given up after some seconds.
    await page.locator('[data-connection="lost"]').waitFor()
    stand.webs[0]?.cont()
    await comesBy(page, 'push')
    await switchAtBoard(true)
    await showsValue(page, 'relays', 'relay0', true)
  },
)
