import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { DESK, openPage, PHONE } from './page.ts'

/** Would be a picture and run a script, if it were taken for HTML. */
const HTML = '<img src=x onerror=alert(1)>'
const LONG = 'W'.repeat(300)
const TRACEBACK = `Traceback (most recent call last):\n  File "/lab/${HTML}.py", line 5, in main\n    ${LONG}\nValueError: ${HTML}`

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({ workers: 0, devices: [], settled: false })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

for (const [name, size] of [
  ['desk', DESK],
  ['phone', PHONE],
] as const) {
  test(
    `what programs log is text on a ${name}, whatever is in it; its exception opens`,
    { skip },
    async (t) => {
      const { status } = await stand.api('/api/log', {
        method: 'POST',
        body: {
          message: `${name} ${HTML} ${LONG}`,
          level: 'error',
          logger: `lab.${HTML}`,
          exc_info: TRACEBACK,
          pathname: `/lab/${HTML}.py`,
          [HTML]: HTML,
          slope: -0.3,
        },
      })
      assert.equal(status, 204)
      const { page, faults, requests } = await openPage(t, browser, stand.url(), { size, hash: '#Log' })
      const entry = page.locator('[data-event]', { hasText: `${name} ${HTML}` })
      await entry.waitFor()
      assert.equal(await entry.locator('[data-level="error"]').count(), 1)
      assert.equal(await entry.locator('.logger').textContent(), `lab.${HTML}`)
      assert.equal(await entry.locator('pre').isVisible(), false)
      await entry.locator('summary').click()
      assert.equal(await entry.locator('pre').textContent(), TRACEBACK)
      assert.ok((await entry.locator('dl').textContent())?.includes(`${HTML}${HTML}`))
      // It stays open while the list is read anew.
      await page.waitForRequest(/api\/timeline/)
      await page.waitForResponse(/api\/timeline/)
      assert.equal(await entry.locator('pre').isVisible(), true)
      assert.equal(await page.locator('img[src="x"]').count(), 0)
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'too wide')
      assert.deepEqual(faults, [])
      assert.ok(requests.every((request) => !request.endsWith('/x')))
    },
  )
}
