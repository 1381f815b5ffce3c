import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBrowser, whyNoBrowser } from '../kit/browser.ts'

test('errors of a page are noticed', { skip: whyNoBrowser() ?? false }, async () => {
  const browser = await startBrowser()
  try {
    const { page, faults } = await browser.open(
      'data:text/html,<title>hello</title><script>broken()</script>',
    )
    assert.equal(await page.title(), 'hello')
    assert.match(faults.join(), /broken is not defined/)
  } finally {
    await browser.close()
  }
})
