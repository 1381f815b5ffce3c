import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { startBrowser, type TestBrowser, whyNoBrowser } from '../kit/browser.ts'
import type { InstrumentEntry } from '../kit/site.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { DESK, openPage, openTab, parameter, PHONE } from './page.ts'

/** Would be a picture and run a script, if it were taken for HTML. */
const HTML = '<img src=x onerror=alert(1)>'
/** A word without a place to break it. */
const LONG = 'W'.repeat(200)

/** Answers by the question, in turn; what is not named here is not answered. */
type Answers = Readonly<Record<string, readonly string[]>>

const NO_ERROR = '+0,"No error"'

const METER: Answers = {
  '*IDN?': [`Keysight Technologies,34461A,${HTML},1.0`],
  'READ?': ['+1.00000000E+00'],
  'SENS:VOLT:DC:NPLC?': ['+1.00000000E+01'],
}
const INSTRUMENTS: Readonly<Record<string, Answers>> = {
  // An error queue that has HTML in it, but not as it is being connected.
  odd: {
    ...METER,
    'SYST:ERR?': [NO_ERROR, NO_ERROR, NO_ERROR, `-113,"${HTML} ${LONG}"`, NO_ERROR],
    'FUNC?': ['"VOLT"'],
  },
  // A function that nobody knows.
  unclear: { ...METER, 'SYST:ERR?': [NO_ERROR], 'FUNC?': [`"${HTML}"`] },
  // Another instrument than the one the site names.
  other: { '*IDN?': [`${HTML},${LONG}`] },
}

const skip = whyNoBrowser() ?? false
const ends: End[] = []
let stand: Stand
let browser: TestBrowser
before(async () => {
  if (skip) return
  const instruments: InstrumentEntry[] = []
  for (const [id, answers] of Object.entries(INSTRUMENTS)) {
    const end = await startEnd(answers)
    ends.push(end)
    instruments.push({ id, model: 'keysight-34461a', address: `tcp://127.0.0.1:${end.port}`, group: 'Bench' })
  }
  stand = await startStand({ devices: [], instruments: () => instruments, settled: false })
  browser = await startBrowser()
})
after(async () => {
  if (skip) return
  await browser.close()
  await stand.close()
  for (const end of ends) end.close()
})

interface End {
  port: number
  close(): void
}

async function startEnd(answers: Answers): Promise<End> {
  const sockets = new Set<Socket>()
  const asked = new Map<string, number>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    createInterface({ input: socket }).on('line', (line) => {
      const count = asked.get(line) ?? 0
      asked.set(line, count + 1)
      const all = answers[line] ?? []
      if (all.length > 0) socket.write(`${all[count % all.length]}\n`)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

for (const [where, size] of [
  ['at a desk', DESK],
  ['on a phone', PHONE],
] as const) {
  test(`what an instrument answers is text, be it HTML or long, ${where}`, { skip }, async (t) => {
    const { page, requests, faults } = await openPage(t, browser, stand.url(), {
      hash: '#Bench',
      size,
    })
    const dialogs: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    const queue = parameter(page, 'odd', 'lastError').locator('[data-part="value"]', { hasText: HTML })
    await queue.waitFor()
    await page.locator('section[data-instrument="other"] .sentence', { hasText: HTML }).waitFor()
    await parameter(page, 'unclear', 'function').filter({ hasText: HTML }).waitFor()
    for (const tab of ['Bench', 'Devices', 'Log']) {
      await openTab(page, tab)
      await page.locator('main', { hasText: HTML }).waitFor()
      assert.equal(await page.locator('img').count(), 0, tab)
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      assert.ok(width <= size.width, `${tab} is ${width} pixels wide`)
    }
    assert.deepEqual(
      requests.filter((request) => request.endsWith('/x')),
      [],
    )
    assert.deepEqual(dialogs, [])
    assert.deepEqual(faults, [])
  })
}
