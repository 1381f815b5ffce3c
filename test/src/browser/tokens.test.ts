import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { hashToken, newToken } from '@golem/config'
import type { RunRecord } from '@golem/core'
import type { Page } from 'playwright-core'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { control, openPage, parameter, posts, showsValue } from './page.ts'

const skip = whyNoBrowser() ?? false
const TOKENS = { viewer: newToken(), operator: newToken(), admin: newToken() }
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  const tokens = Object.entries(TOKENS).map(([role, token]) => ({
    name: `${role}-of-the-lab`,
    role,
    hash: hashToken(token),
  }))
  // Whoever asks for the state needs a token, so the stand cannot see for itself whether it has settled.
  stand = await startStand({ schedulers: 1, site: { auth: { tokens } }, settled: false })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
})

async function signIn(page: Page, token: string): Promise<void> {
  await page.locator('[data-role="token"] input').fill(token)
  await page.locator('[data-role="token"] button').click()
}

test('a site with tokens asks for one, and a wrong one shows nothing', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url())
  await page.locator('[data-role="token"]').waitFor()
  assert.equal(await page.locator('[data-instrument][data-parameter]').count(), 0)
  await signIn(page, newToken())
  await page.locator('[data-role="token"] [role="alert"]', { hasText: 'not accepted' }).waitFor()
  assert.equal(await page.locator('[data-instrument][data-parameter]').count(), 0)
})

test('a viewer sees everything and can command nothing', { skip }, async (t) => {
  const { page, requests } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await signIn(page, TOKENS.viewer)
  await showsValue(page, 'relays', 'relay0', false)
  await page.locator('[data-role="who"]', { hasText: 'viewer-of-the-lab' }).waitFor()
  await page.locator('[data-via="push"]').waitFor()
  await control(page, 'relays', 'relay0', ':disabled').waitFor()
  await page.locator('[data-part="blocked"]', { hasText: 'role: viewer' }).waitFor()
  assert.deepEqual(posts(requests), [])
  // The page is not what stops a viewer: the server is.
  const { status } = await stand.api('/api/instruments/relays/commands', {
    method: 'POST',
    body: { parameter: 'relay0', value: true },
    headers: { authorization: `Bearer ${TOKENS.viewer}` },
  })
  assert.equal(status, 403)
  assert.equal(stand.sim.device('relays').counters()['POST /relay'] ?? 0, 0)
})

test(
  'a viewer sees recipes, runs and their parameters, and has nothing to ask of them',
  { skip },
  async (t) => {
    const { page, requests } = await openPage(t, browser, stand.url(), { hash: '#Runs' })
    await signIn(page, TOKENS.viewer)
    const recipe = page.locator('[data-recipe="relay-test"]')
    await recipe.waitFor()
    const headers = { authorization: `Bearer ${TOKENS.operator}` }
    const body = { recipe: 'relay-test', parameters: { rest: '1 h' }, instruments: { board: 'relays' } }
    const { body: run } = await stand.api<RunRecord>('/api/runs', { method: 'POST', body, headers })
    const card = page.locator(`article[data-run="${run.id}"][data-state="running"]`)
    await card.locator('[data-given="rest"]', { hasText: '1 h' }).waitFor()
    assert.match(await card.innerText(), /started by operator-of-the-lab/)
    assert.equal(await card.locator('button').count(), 0)
    assert.equal(await recipe.locator('button').count(), 0)
    assert.deepEqual(posts(requests), [])
    await stand.api(`/api/runs/${run.id}/abort`, { method: 'POST', body: {}, headers })
    await page.locator(`li[data-run="${run.id}"][data-end="aborted"]`).waitFor()
  },
)

test('an operator commands under their name, and after signing out the page forgets', { skip }, async (t) => {
  const { page } = await openPage(t, browser, stand.url(), { hash: '#Relays' })
  await signIn(page, TOKENS.operator)
  await showsValue(page, 'relays', 'relay2', false)
  await control(page, 'relays', 'relay2', ':enabled').click()
  await showsValue(page, 'relays', 'relay2', true)
  await page.locator('[data-tab="Log"]').click()
  await page.locator('[data-command][data-result="done"]', { hasText: 'operator-of-the-lab' }).waitFor()
  await page.reload()
  await page.locator('[data-role="who"]', { hasText: 'operator-of-the-lab' }).waitFor()
  await page.locator('footer button', { hasText: 'Sign out' }).click()
  await page.locator('[data-role="token"]').waitFor()
  assert.equal(await parameter(page, 'relays', 'relay2').count(), 0)
  await page.reload()
  await page.locator('[data-role="token"]').waitFor()
})

test('an operator stops everything, and only an admin is offered the release', { skip }, async (t) => {
  const operator = await openPage(t, browser, stand.url())
  const admin = await openPage(t, browser, stand.url())
  await signIn(operator.page, TOKENS.operator)
  await signIn(admin.page, TOKENS.admin)
  await showsValue(operator.page, 'relays', 'relay3', false)
  await operator.page.locator('.top [data-role="stop"]').click()
  const release = '[data-banner="stopped"] [data-role="release"]'
  await operator.page.locator(`${release}:disabled[title*="admin"]`).waitFor()
  await admin.page.locator(`${release}:enabled`).click()
  await admin.page.locator('dialog [data-role="confirm"]').click()
  await operator.page.locator('[data-banner="stopped"]').waitFor({ state: 'detached' })
})
