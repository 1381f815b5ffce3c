import { EMPTY_BATCH, type Series, openArchive, seriesFor, writeBatch } from '@golem/archive'
import { loadSite } from '@golem/config'
import type { HistoryDocument, RunRecord, SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { Runs } from '../kit/runs.ts'
import { startStand, type Stand } from '../kit/stand.ts'
import { openPage, parameter, PHONE } from './page.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TEMPERATURE = 'relays.externalTemperature'
const RELAY = 'relays.relay0'
const MODE = 'oven.mode'
const RECIPE = `
label: Short
stages:
  - name: on
    steps: [{ set: { relays.relay1: true } }]
  - name: rest
    steps: [{ wait: 1 s }, { set: { relays.relay1: false } }]
`

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
let runs: RunRecord[]
/** End of what is archived. */
let end: number

before(async () => {
  if (skip) return
  stand = await startStand({ schedulers: 1 })
  mkdirSync(join(stand.dir, 'recipes'), { recursive: true })
  writeFileSync(join(stand.dir, 'recipes', 'short.yaml'), RECIPE)
  const all = new Runs(stand)
  await all.recipe('short')
  const one = async (): Promise<RunRecord> => all.ended(await all.start('short'))
  runs = [await one(), await one()]
  end = Date.now()
  await fillArchive()
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

/** Three hours of readings: a wave with a spike of one second, a gap, a switch, and texts of an instrument that is gone. */
async function fillArchive(): Promise<void> {
  const { archive: config } = loadSite(stand.siteFile)
  assert.ok(config)
  const archive = await openArchive(config.place)
  const begin = end - 3 * HOUR
  const times = { firstAt: begin, lastAt: end }
  const of = async (name: string, what: Pick<Series, 'type' | 'label' | 'unit'>): Promise<Series> => {
    const [instrument = '', one = ''] = name.split('.')
    return { ...(await seriesFor(archive, instrument, one, what)), ...times }
  }
  const temperature = await of(TEMPERATURE, { type: 'number', label: 'External temperature', unit: '°C' })
  const relay = await of(RELAY, { type: 'boolean', label: 'Relay 0', unit: null })
  const mode = await of(MODE, { type: 'choice', label: 'Mode', unit: null })
  const gap = { from: end - 40 * MINUTE, until: end - 30 * MINUTE }
  const isMissing = (t: number): boolean => t > gap.from && t < gap.until
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: [
      ...Array.from({ length: 3 * 3600 }, (_, n) => begin + n * 1000)
        .filter((t) => !isMissing(t))
        .map((t) => ({
          series: temperature.id,
          t,
          value: t === begin + 60 * MINUTE ? 90 : 20 + 3 * Math.sin(t / (10 * MINUTE)),
        })),
      ...Array.from({ length: 18 }, (_, n) => ({
        series: relay.id,
        t: begin + n * 10 * MINUTE,
        value: n % 2,
      })),
      ...Array.from({ length: 6 }, (_, n) => ({
        series: mode.id,
        t: begin + n * 30 * MINUTE,
        value: ['calm', 'quick'][n % 2] ?? '',
      })),
    ],
    gaps: [{ ...gap, series: temperature.id, reason: 'link', message: 'The board did not answer.' }],
    series: [temperature, relay, mode],
  })
  await archive.close()
}

const iso = (ms: number): string => new Date(ms).toISOString()
const plot = (page: Page, more = ''): Locator => page.locator(`[data-part="plot"]${more}`)
const line = (page: Page, series: string, more = ''): Locator =>
  plot(page).locator(`[data-series="${series}"]${more}`)

/** Opens plots and waits until they are drawn. */
async function openPlot(
  t: Parameters<typeof openPage>[0],
  hash: string,
  size?: typeof PHONE,
): Promise<{ page: Page; faults: string[] }> {
  const opened = await openPage(t, browser, stand.url(), { hash, ...(size ? { size } : {}) })
  await opened.page.locator('.u-over').waitFor()
  await plot(opened.page, ':not([data-loading])').waitFor()
  return opened
}

/** Begin and end of what is seen, read at once: it may move on. */
async function spanOf(page: Page): Promise<{ from: number; to: number }> {
  const [from, to] = await page.evaluate<[string, string]>(
    "(({ from, to }) => [from, to])(document.querySelector('[data-part=plot]').dataset)",
  )
  return { from: Number(from), to: Number(to) }
}

/** The place of a share of the plot's width, in pixels of the page. */
async function placeOf(page: Page, share: number): Promise<{ x: number; y: number }> {
  const box = await eventually(() => page.locator('.u-over').boundingBox(), { what: 'the plot has a place' })
  return { x: box.x + share * box.width, y: box.y + box.height / 2 }
}

/** Draws across the plot. */
async function drag(page: Page, from: number, to: number): Promise<void> {
  const [a, b] = [await placeOf(page, from), await placeOf(page, to)]
  await page.mouse.move(a.x, a.y)
  await page.mouse.down()
  await page.mouse.move((a.x + b.x) / 2, b.y)
  await page.mouse.move(b.x, b.y)
  await page.mouse.up()
}

test('a reading leads to its plot, which follows what happens', { skip }, async (t) => {
  const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Sensors' })
  await parameter(page, 'relays', 'externalTemperature').locator('[data-role="plot"]').click()
  await plot(page, '[data-lines="1"]').waitFor()
  await page.locator('.u-over').waitFor()
  const { from, to } = await spanOf(page)
  assert.equal(to - from, HOUR)
  await eventually(async () => (await spanOf(page)).to > to, { what: 'the plot moves on' })
  // What the archive does not have yet comes from the state of the site.
  await line(page, TEMPERATURE, '[data-found="value"]').waitFor()
  assert.deepEqual(faults, [])
})

test('zooming loads finer points; back, and the address shows the same to others', { skip }, async (t) => {
  const names = `${TEMPERATURE},${RELAY},${MODE}`
  const hash = `#Plots?series=${names}&from=${iso(end - 3 * HOUR)}&to=${iso(end)}`
  const { page, faults } = await openPlot(t, hash)
  await plot(page, '[data-lines="3"]').waitFor()
  const before = await spanOf(page)
  assert.match(await line(page, TEMPERATURE).innerText(), /gathered by \d+(\.\d)? s/)
  await drag(page, 0.4, 0.5)
  await line(page, TEMPERATURE).getByText('single readings').waitFor()
  const zoomed = await spanOf(page)
  assert.ok(Math.abs(zoomed.to - zoomed.from - 0.3 * HOUR) < MINUTE, `${zoomed.to - zoomed.from} ms`)

  const other = await openPlot(t, new URL(page.url()).hash)
  await plot(other.page, '[data-lines="3"]').waitFor()
  assert.deepEqual(await spanOf(other.page), zoomed)

  await page.locator('[data-role="plot-back"]').click()
  await plot(page, `[data-from="${before.from}"]`).waitFor()
  await page.goBack()
  await plot(page, `[data-from="${zoomed.from}"]`).waitFor()

  const { x, y } = await placeOf(page, 0.5)
  await page.mouse.move(x, y)
  await page.mouse.wheel(0, 300)
  await eventually(async () => (await spanOf(page)).from < zoomed.from - MINUTE, {
    what: 'the wheel shows more',
  })
  assert.deepEqual([...faults, ...other.faults], [])
})

test('a spike is drawn, a gap is seen with its reason', { skip }, async (t) => {
  const hash = `#Plots?series=${TEMPERATURE}&from=${iso(end - 3 * HOUR)}&to=${iso(end)}`
  const { page, faults } = await openPlot(t, hash)
  await plot(page, '[data-gaps="1"]').waitFor()
  assert.match(await line(page, TEMPERATURE).innerText(), /94\.4 % complete/)
  const gap = await placeOf(page, 1 - 35 / 180)
  await page.mouse.move(gap.x, gap.y)
  await line(page, TEMPERATURE, '[data-found="gap"]').waitFor()
  assert.match(await line(page, TEMPERATURE).innerText(), /no readings: The board did not answer\./)
  const spike = await placeOf(page, 60 / 180)
  await page.mouse.move(spike.x, spike.y)
  await line(page, TEMPERATURE, '[data-found="value"]').getByText('90.0').waitFor()
  assert.deepEqual(faults, [])
})

test('runs and their stages are marked', { skip }, async (t) => {
  const [first] = runs
  const begin = Date.parse(first?.startedAt ?? '')
  const { page } = await openPlot(
    t,
    `#Plots?series=${TEMPERATURE}&from=${iso(begin - 500)}&to=${iso(begin + 2500)}`,
  )
  await plot(page, '[data-bands]:not([data-bands="0"])').waitFor()
  const { body } = await stand.api<SiteEvent[]>('/api/events?kind=run&limit=100')
  const stage = body.find(({ message }) => message === `run ${first?.id}: Stage 1 of 2: on.`)
  const place = await placeOf(page, (Date.parse(stage?.at ?? '') - begin + 500) / 3000)
  await page.mouse.move(place.x, place.y)
  await page.locator('[data-part="marks"]').getByText('Stage 1 of 2: on').waitFor()
  await page.locator('[data-role="toggle-marks"]').click()
  await plot(page, '[data-bands="0"]').waitFor()
})

test('the picture is a PNG of the plot', { skip }, async (t) => {
  const { page } = await openPlot(t, `#Plots?series=${TEMPERATURE}&span=1h`)
  await plot(page, '[data-lines="1"]').waitFor()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('[data-role="save-png"]').click(),
  ])
  assert.match(download.suggestedFilename(), /^plot-\d{4}-\d\d-\d\dT\d{6}\.png$/)
  const file = readFileSync(await download.path())
  assert.equal(file.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n')
  assert.ok(file.readUInt32BE(16) > 1000 && file.readUInt32BE(20) > 300, 'as large as on the screen')
})

test(
  'the readings of the plot are saved as a file by the browser, each as it was stored',
  { skip },
  async (t) => {
    const span = `from=${iso(end - HOUR)}&to=${iso(end - MINUTE)}`
    const { page, faults } = await openPlot(t, `#Plots?series=${TEMPERATURE}&${span}`)
    await plot(page, '[data-lines="1"]').waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-role="save-csv"]').click(),
    ])
    assert.match(download.suggestedFilename(), /^golem-readings-.*\.csv$/)
    const text = readFileSync(await download.path(), 'utf8')
    assert.match(text, /\n# series: \{"name":"relays\.externalTemperature"/)
    const [, rows] = /\n# end, (\d+) rows\n$/.exec(text) ?? []
    assert.ok(Number(rows) > 2000, text.slice(-200))
    assert.deepEqual(faults, [])
  },
)

test('two runs of a recipe are compared from their starts on', { skip }, async (t) => {
  const { page, faults } = await openPlot(t, `#Plots?series=${TEMPERATURE}&span=1h`)
  await page.locator('[data-role="compare-runs"]').click()
  await plot(page, '[data-lines="2"][data-from="0"]').waitFor()
  const [newer, older] = [runs[1]?.id ?? '', runs[0]?.id ?? '']
  assert.equal(await page.locator('[data-role="run-a"]').inputValue(), newer)
  assert.equal(await page.locator('[data-role="run-b"]').inputValue(), older)
  const { to } = await spanOf(page)
  const longest = Math.max(
    ...runs.map(({ startedAt = '', endedAt = '' }) => Date.parse(endedAt) - Date.parse(startedAt)),
  )
  assert.ok(Math.abs(to - 1.02 * longest) < 10, `${to} ms for a run of ${longest} ms`)
  const place = await placeOf(page, 0.5)
  await page.mouse.move(place.x, place.y)
  for (const found of await line(page, TEMPERATURE).all()) {
    assert.equal(await found.getAttribute('data-found'), 'value')
  }
  const again = await openPlot(t, new URL(page.url()).hash)
  await plot(again.page, '[data-lines="2"][data-from="0"]').waitFor()
  assert.deepEqual([...faults, ...again.faults], [])
})

test('on a phone plots fit, in Russian', { skip }, async (t) => {
  const hash = `#Plots?series=${TEMPERATURE},${RELAY}&from=${iso(end - 3 * HOUR)}&to=${iso(end)}`
  const { page, faults } = await openPlot(t, hash, PHONE)
  await page.locator('[data-language="ru"]').click()
  await page.getByText('Сравнить запуски').waitFor()
  const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  assert.ok(beyond <= 0, `the page is ${beyond} px too wide`)
  await page.locator('[data-part="series-picker"] summary').click()
  await page.locator(`[data-choice="${MODE}"]`).check()
  await plot(page, '[data-lines="3"]').waitFor()
  const url = `/api/history?series=${TEMPERATURE}&from=${iso(end - 3 * HOUR)}&to=${iso(end)}&points=50`
  const { body } = await stand.api<HistoryDocument>(url)
  assert.equal(Math.max(...(body.series[0]?.max ?? [])), 90)
  assert.deepEqual(faults, [])
})
