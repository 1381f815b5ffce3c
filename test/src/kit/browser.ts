import { existsSync } from 'node:fs'
import { type Browser, type Page, chromium } from 'playwright-core'

/** Debian's package, and where other systems put it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** A real Chromium without a window. */
export interface TestBrowser {
  /**
   * Opens a page in a profile of its own, as another person's browser. What goes wrong in it (errors of its scripts, files
   * that are not found) is kept in `faults`.
   *
   * @param size - of the window, in pixels (default 1280 x 800)
   */
  open(url: string, size?: { width: number; height: number }): Promise<{ page: Page; faults: string[] }>
  close(): Promise<void>
}

/** Why there is no browser here, as a sentence; undefined when there is one. */
export function whyNoBrowser(): string | undefined {
  return browserProgram() === undefined ? 'there is no Chromium here (apt-get install chromium)' : undefined
}

/** Starts it. @throws Error when there is none: ask `whyNoBrowser` before */
export async function startBrowser(): Promise<TestBrowser> {
  const executablePath = browserProgram()
  if (executablePath === undefined) throw new Error(whyNoBrowser())
  const browser: Browser = await chromium.launch({
    executablePath,
    // Chromium's own sandbox refuses to run as root, and there is no /dev/shm of use in small containers.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
  })
  return {
    async open(url, size = { width: 1280, height: 800 }) {
      const context = await browser.newContext({ viewport: size })
      const page = await context.newPage()
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(`console: ${message.text()}`)
      })
      await page.goto(url)
      return { page, faults }
    },
    close: () => browser.close(),
  }
}

function browserProgram(): string | undefined {
  return PLACES.find((place) => existsSync(place))
}
