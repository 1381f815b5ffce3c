import type { TestContext } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import type { TestBrowser } from '../kit/browser.ts'

/** How long anything on the page is waited for: other programs may have the machine for a while, in ms. */
const PATIENCE_MS = 60_000

export const DESK = { width: 1280, height: 900 }
export const PHONE = { width: 390, height: 844 }

/** golem's page, opened by one person in a browser of their own. */
export interface OpenPage {
  page: Page
  /** Errors of scripts and of the console. */
  faults: string[]
  /** All requests, as `GET http://…`. */
  requests: string[]
}

/**
 * Opens the page and waits until it follows the site (or asks for the token). It is closed with the test.
 *
 * @param hash - the tab, e.g. `#Sensors`
 */
export async function openPage(
  t: TestContext,
  browser: TestBrowser,
  url: string,
  { size = DESK, hash = '' }: { size?: typeof DESK; hash?: string } = {},
): Promise<OpenPage> {
  const { page, faults } = await browser.open('about:blank', size)
  t.after(() => page.context().close())
  page.setDefaultTimeout(PATIENCE_MS)
  const requests: string[] = []
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`))
  await page.goto(`${url}/${hash}`)
  await page.locator('[data-connection="live"], [data-role="token"]').first().waitFor()
  return { page, faults, requests }
}

/** Whatever shows a parameter: its card, or its row under Devices. @param more - what else has to be so */
export function parameter(page: Page, instrument: string, name: string, more = ''): Locator {
  return page.locator(`[data-instrument="${instrument}"][data-parameter="${name}"]${more}`)
}

/** The switch, field or button by which a parameter is set. */
export function control(page: Page, instrument: string, name: string, more = ''): Locator {
  return parameter(page, instrument, name).locator(`[data-part="set"]${more}`)
}

/** Waits until the page shows that a parameter has this value. */
export async function showsValue(
  page: Page,
  instrument: string,
  name: string,
  value: unknown,
): Promise<void> {
  await parameter(page, instrument, name, `[data-value="${String(value)}"]`).waitFor()
}

export async function openTab(page: Page, tab: string): Promise<void> {
  await page.locator(`[data-tab="${tab}"]`).click()
  await page.locator(`[data-panel="${tab}"]`).waitFor()
}

/** The commands and stops among requests; a ticket for the socket commands nothing. */
export function posts(requests: readonly string[]): string[] {
  return requests.filter((request) => request.startsWith('POST ') && !request.endsWith('/api/session/ticket'))
}
