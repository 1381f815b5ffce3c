import { runCli } from '@golem/cli'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ARCHIVED_RUN, HOSTILE, archiveRun } from '../kit/archived-run.ts'
import { type TestBrowser, startBrowser, whyNoBrowser } from '../kit/browser.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { DESK, PHONE } from './page.ts'

const skip = whyNoBrowser() ?? false

/** Runs in the page: whether the first plot has a curve, which is more coloured than axes and bands are. */
const HAS_A_CURVE = `(() => {
  const canvas = document.querySelector('#readings canvas')
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let count = 0
  for (let at = 0; at < data.length; at += 4) {
    const colours = [data[at], data[at + 1], data[at + 2]]
    if (data[at + 3] > 200 && Math.max(...colours) - Math.min(...colours) > 70) count += 1
  }
  return count > 200
})()`

let browser: TestBrowser
let stand: Stand

before(async () => {
  if (skip) return
  stand = await startStand({ workers: 0, devices: [] })
  await archiveRun(join(stand.dir, 'archive', 'test.sqlite'))
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

test(
  'the page of a bundle opens without golem and shows plots, stages, commands, gaps and hostile texts as texts',
  { skip },
  async () => {
    const errors: string[] = []
    const code = await runCli(['runs', 'export', ARCHIVED_RUN, '-o', 'bundle'], {
      env: { GOLEM_URL: stand.url() },
      cwd: stand.dir,
      out: () => undefined,
      err: (line) => void errors.push(line),
    })
    assert.equal(code, 0, errors.join('\n'))
    await stand.webs[0]?.kill('SIGKILL')

    const url = pathToFileURL(join(stand.dir, 'bundle', 'index.html')).href
    for (const size of [DESK, PHONE]) {
      const { page, faults } = await browser.open(url, size)
      page.setDefaultTimeout(60_000)
      await page.locator('#readings canvas').first().waitFor()
      assert.equal(await page.locator('#readings canvas').count(), 2)
      await page.waitForFunction(HAS_A_CURVE)
      assert.deepEqual(await page.locator('.stages span').allTextContents(), ['Heat', HOSTILE])
      assert.ok((await page.locator('#gaps td').allTextContents()).includes(HOSTILE))
      assert.match(await page.locator('#commands').innerText(), /power = 80/)
      assert.equal(await page.locator('#page img, #page script').count(), 0)
      assert.notEqual(await page.title(), 'harmed')
      // Nothing sticks out to the side.
      const width = await page.evaluate('document.documentElement.scrollWidth')
      assert.ok(Number(width) <= size.width, `${String(width)} px`)
      await page.getByRole('button', { name: 'Русский' }).click()
      await page.getByRole('heading', { name: 'Показания' }).waitFor()
      assert.equal(await page.locator('#readings canvas').count(), 2)
      assert.deepEqual(faults, [])
      await page.context().close()
    }
  },
)
