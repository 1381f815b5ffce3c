import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CalibrationDraft } from '@golem/core'
import { type TestBrowser, startBrowser, whyNoBrowser } from '../kit/browser.ts'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { PHONE, openPage, parameter } from './page.ts'

const skip = whyNoBrowser() ?? false
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  stand = await startStand({
    schedulers: 1,
    devices: [{ name: 'lamp', kind: 'pwm-lamp' }],
    instruments: (address) => [
      {
        id: 'lamp',
        label: 'Lamp',
        model: 'pwm-lamp',
        address: address('lamp'),
        group: 'Bench',
        parameters: { flux: { label: 'PPFD of white', unit: 'µmol/m²/s', decimals: 0 } },
        calibrations: { flux: { from: ['white'], use: 'white-flux', writable: true } },
      },
    ],
  })
  await stand.until('lamp', ({ condition }) => condition === 'ok', 'the lamp answers')
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

const duties = (): number[] => stand.sim.device('lamp').state()['duties'] as number[]
const drafts = async (): Promise<CalibrationDraft[]> =>
  (await stand.api<{ drafts: CalibrationDraft[] }>('/api/calibrations')).body.drafts

test(
  'a lamp is calibrated: sweep, readings of the meter, a break, the fit, and the lamp goes by it',
  { skip },
  async (t) => {
    const { page, faults } = await openPage(t, browser, stand.url(), { hash: '#Bench' })
    const line = parameter(page, 'lamp', 'flux').locator('[data-part="calibration"]')
    assert.match(await line.innerText(), /Not calibrated yet \(white-flux\)/)
    const begin = async (): Promise<void> => {
      await line.locator('[data-role="calibrate"]').click()
      await page.locator('[data-field="white-step"]').fill('50')
      await page.locator('[data-field="settle"]').fill('0.2')
    }
    /** Waits for a set point and says what the meter shows there. */
    const enter = async (white: number, reading: string): Promise<void> => {
      await page.locator('[data-part="point"][data-phase="ready"]', { hasText: `${white} %` }).waitFor()
      assert.deepEqual(duties().slice(0, 2), [white, white])
      await page.locator('[data-field="reading"]').fill(reading)
      await page.keyboard.press('Enter')
    }
    await begin()
    // Somebody else takes the lamp meanwhile: nothing is set, and the same point is tried again.
    const reservation = '/api/instruments/lamp/reservation'
    const eve = { 'x-golem-user': 'eve' }
    assert.equal(
      (await stand.api(reservation, { method: 'PUT', body: { forMs: 60_000 }, headers: eve })).status,
      200,
    )
    await page.locator('[data-role="confirm"]').click()
    await page.locator('[data-part="point"][data-phase="failed"]').waitFor()
    assert.match(await page.locator('[data-part="refusal"]').innerText(), /eve/)
    assert.equal((await stand.api(reservation, { method: 'DELETE', headers: eve })).status, 200)
    await page.locator('[data-role="confirm"]').click()
    await enter(0, 'much')
    await page.locator('[data-part="refusal"]', { hasText: 'Write a number' }).waitFor()
    await enter(0, '6')
    await page.locator('[data-point="0"]').waitFor()
    const reserved = (await stand.state()).instruments['lamp']?.reservation?.current
    assert.deepEqual([reserved?.holder.name, reserved?.note], ['local', 'white-flux'])

    // A break: the dialog is closed, the lamp is switched off and given back, the point is kept.
    await page.locator('[data-part="point"][data-phase="ready"]', { hasText: '50 %' }).waitFor()
    await page.keyboard.press('Escape')
    await eventually(async () => (await stand.state()).instruments['lamp']?.reservation?.current === null, {
      what: 'the lamp is given back',
    })
    assert.deepEqual(duties().slice(0, 2), [0, 0])
    assert.deepEqual(
      (await drafts())[0]?.points.map(({ inputs, value }) => [...inputs, value]),
      [[0, 6]],
    )

    await page.reload()
    await begin()
    await page.locator('[data-part="draft"]', { hasText: '1 points' }).waitFor()
    await page.locator('[data-role="confirm"]').click()
    await enter(50, '281')
    await enter(100, '556,5')
    await page.locator('[data-part="fit"]').waitFor()
    const rSquared = Number(await page.locator('[data-part="fit"]').getAttribute('data-r-squared'))
    assert.ok(rSquared > 0.9999 && rSquared < 1, String(rSquared))
    await page.locator('[data-field="note"]').fill('At the plants.')
    await page.locator('[data-role="confirm"]').click()
    await page.locator('dialog').waitFor({ state: 'detached' })

    const { parameters } = await eventually(
      async () => {
        const { body } = await stand.api<{
          parameters: Record<string, { calibration?: { version?: string } }>
        }>('/api/instruments/lamp')
        return body.parameters['flux']?.calibration?.version === undefined ? null : body
      },
      { what: 'the lamp goes by the new calibration' },
    )
    await parameter(page, 'lamp', 'flux', ' ')
      .locator(`[data-version="${parameters['flux']?.calibration?.version}"]`)
      .waitFor()
    await eventually(() => duties()[0] === 0, { what: 'the lamp is off again' })
    const { body } = await stand.command('lamp', { parameter: 'flux', value: 281 })
    assert.equal(body.outcome, 'done', JSON.stringify(body))
    assert.deepEqual(duties().slice(0, 2), [50, 50])
    // The lamp was somebody else's once.
    assert.deepEqual(
      faults.filter((fault) => !fault.includes('409 (Conflict)')),
      [],
    )
  },
)

test('on a phone the dialog is not too wide', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Bench', size: PHONE })
  await page.locator('[data-role="calibrate"]').click()
  const tooWide = await page.evaluate<number>(
    'document.querySelector("dialog").scrollWidth - document.querySelector("dialog").clientWidth',
  )
  assert.ok(tooWide <= 0, `${tooWide} px too wide`)
})
