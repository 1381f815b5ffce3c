import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { relayBoard, type Stand, startStand } from '../kit/stand.ts'

/** Some instruments that answer each line of a simple language and remember what they were told. */
class LineDevice {
  readonly received: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  heat = 20

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
      let rest = ''
      socket.setEncoding('latin1').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) socket.write(this.#answer(line))
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    assert.ok(typeof address === 'object' && address !== null)
    return `tcp://127.0.0.1:${address.port}`
  }

  /** Says something that nobody asked for. */
  say(line: string): void {
    for (const socket of this.#sockets) socket.write(`${line}\n`)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #answer(line: string): string {
    this.received.push(line)
    if (line === '*IDN?') return 'GOLEM,OVEN\n'
    if (line === 'HEAT?') return `${this.heat}\n`
    const set = /^HEAT (.+)$/.exec(line)
    if (set) this.heat = Number(set[1])
    return ''
  }
}

/** A driver file. @param misdeed - what happens in `readAll` before it reads; @param top - at the top of the file */
function oven(id: string, misdeed: string, top = ''): string {
  return `import { defineModel, type Readings } from '@golem/core'
${top}
let reads: number = 0
export default defineModel({
  id: '${id}', label: 'Oven', kind: 'oven', source: 'the test that has it', transport: 'line',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    transport: 'line',
    link: { sendTerminator: '\\n', receiveTerminator: '\\n', replyTimeoutMs: 2000, quietMs: 20 },
    parameters: {
      heat: {
        label: 'Heat', type: 'number', unit: '°C', min: 0, max: 200, safe: 0,
        write: async (io, value) => {
          if (value === 66) for (;;);
          await io.send('HEAT ' + value)
          if (value === 77) for (;;);
        },
      },
      door: { label: 'Door', type: 'number', unit: '%' },
    },
    actions: {},
    identify: async (io) => { await io.ask('*IDN?') },
    readAll: async (io): Promise<Readings> => {
      reads += 1
      ${misdeed}
      return { heat: Number(await io.ask('HEAT?', { accept: (line) => !line.startsWith('!') })) }
    },
    unsolicited: (line) => line.startsWith('!') ? { door: Number(line.slice(1)) } : undefined,
  }),
})
`
}

const AT_THIRD = (what: string): string => `if (reads >= 3) { ${what} }`

/** Instruments and how each goes wrong; what its condition then says. */
const MISDEEDS: Readonly<Record<string, { file: string; says: RegExp }>> = {
  'at-import': {
    file: oven('at-import', '', "throw new Error('no luck')"),
    says: /drivers\/at-import\.ts:2: .*no luck/,
  },
  'no-syntax': { file: 'export default {\n  id: = 5\n}\n', says: /drivers\/no-syntax\.ts:2: / },
  'in-create': {
    file: oven('in-create', '')
      .replace('create: () => ({', "create: () => { throw new Error('no oven'); return ({")
      .replace('  }),\n})', '  })},\n})'),
    says: /drivers\/in-create\.ts: create failed: no oven \(line \d+\)/,
  },
  'loop-in-create': {
    file: oven('loop-in-create', '')
      .replace('create: () => ({', 'create: () => { for (;;); return ({')
      .replace('  }),\n})', '  })},\n})'),
    says: /create did not come back within/,
  },
  'in-read-all': {
    file: oven('in-read-all', AT_THIRD("throw new RangeError('too hot')")),
    says: /drivers\/in-read-all\.ts: readAll failed: RangeError: too hot \(line \d+\)/,
  },
  'in-a-timer': {
    file: oven('in-a-timer', "setTimeout(() => { throw new Error('late') }, 20)"),
    says: /code that no call waits for failed: late \(line \d+\)/,
  },
  'not-awaited': {
    file: oven('not-awaited', "void Promise.reject(new Error('lost'))"),
    says: /a promise that nobody awaits failed: lost \(line \d+\)/,
  },
  'never-settles': {
    file: oven('never-settles', AT_THIRD('await new Promise(() => undefined)')),
    says: /readAll did not end within 30 s/,
  },
  loops: {
    file: oven('loops', AT_THIRD('for (;;);')),
    says: /readAll does not come back: an endless loop\?/,
  },
  exits: {
    file: oven('exits', AT_THIRD('process.exit(0)'), "import process from 'node:process'"),
    says: /called process\.exit\(0\) \(line \d+\)/,
  },
  'eats-memory': {
    file: oven('eats-memory', AT_THIRD('const a: object[] = []; for (;;) a.push({ x: Math.random() })')),
    says: /readAll used more than 64 MB/,
  },
  'floods-io': {
    file: oven(
      'floods-io',
      AT_THIRD("await Promise.all(Array.from({ length: 5_000 }, () => io.send('FLOOD')))"),
    ),
    says: /64 io calls under way/,
  },
  'prints-much': {
    file: oven(
      'prints-much',
      "for (let n = 0; n < 1000; n += 1) console.log('hello', n); throw new Error('said all')",
    ),
    says: /said all/,
  },
}

let stand: Stand
const devices = new Map<string, LineDevice>()

before(async () => {
  const addresses: Record<string, string> = {}
  for (const id of [...Object.keys(MISDEEDS), 'sound']) {
    const device = new LineDevice()
    devices.set(id, device)
    addresses[id] = await device.listen()
  }
  stand = await startStand({
    workers: 0,
    settled: false,
    devices: [relayBoard('relays')],
    instruments: (address) => [
      { id: 'relays', model: 'esp32-relay', address: address('relays'), pollEvery: '100 ms' },
      ...Object.entries(addresses).map(([id, at]) => ({ id, model: id, address: at, pollEvery: '200 ms' })),
    ],
  })
  const folder = join(stand.dir, 'drivers')
  mkdirSync(folder)
  for (const [id, { file }] of Object.entries(MISDEEDS)) writeFileSync(join(folder, `${id}.ts`), file)
  writeFileSync(join(folder, 'sound.ts'), oven('sound', ''))
  await stand.addWorker()
  await stand.until('relays', ({ condition }) => condition === 'ok', 'the relay board answers', 30_000)
})

after(async () => {
  await stand?.close()
  for (const device of devices.values()) device.close()
})

/** Waits until the sound driver has been started again and has asked its instrument who it is. */
async function identifiedAgain(): Promise<void> {
  const { received } = devices.get('sound')!
  const from = received.length
  const poll = (): number => received.indexOf('HEAT?', received.indexOf('*IDN?', from) + 1)
  await eventually(() => received.indexOf('*IDN?', from) >= 0 && poll() >= 0, {
    what: 'the sound instrument is identified again',
    timeoutMs: 20_000,
  })
}

/** The longest time between two polls of the healthy instrument since then, in ms. */
function longestGap(since: number): number {
  const times = stand.sim
    .device('relays')
    .requests()
    .map(({ at }) => Date.parse(at))
    .filter((at) => at >= since)
  return Math.max(...times.slice(1).map((at, n) => at - (times[n] ?? at)))
}

test(
  'thirteen drivers that go wrong, each in its own way: each says so, and the healthy instruments are polled as always',
  { timeout: 120_000 },
  async () => {
    const since = Date.now()
    await Promise.all(
      Object.entries(MISDEEDS).map(([id, { says }]) =>
        stand.until(id, ({ message }) => says.test(message), `${id} says ${says}`, 60_000),
      ),
    )
    const { body } = await stand.command('relays', { parameter: 'relay0', value: true })
    assert.equal(body.outcome, 'done', JSON.stringify(body))
    await stand.until('sound', ({ condition }) => condition === 'ok', 'the sound driver answers')
    assert.equal(stand.workers[0]!.alive, true)
    const gap = longestGap(since)
    assert.ok(gap < 1000, `the healthy instrument was not polled for ${gap} ms`)
    const printed = stand
      .log()
      .split('\n')
      .filter((line) => line.startsWith('drivers/prints-much.ts: hello')).length
    assert.ok(printed > 0 && printed < 2000, `${printed} lines of one driver`)
  },
)

test('a driver of the site does what a built-in one does: command, limits, stop, and lines that come by themselves', async () => {
  const device = devices.get('sound')!
  const { body } = await stand.command('sound', { parameter: 'heat', value: 120 })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
  assert.equal(device.heat, 120)
  await stand.until('sound', ({ readings }) => readings['heat']?.value === 120, 'it reads 120')
  const refused = await stand.command('sound', { parameter: 'heat', value: 500 })
  assert.equal(refused.status, 422)

  device.say('!33.5')
  await stand.until(
    'sound',
    ({ readings }) => readings['door']?.value === 33.5,
    'the line that came by itself shows',
  )
})

test(
  'a driver that hangs in a command: before it sent, it is refused and never sent; after, it is sent once, and its outcome is unknown',
  { timeout: 60_000 },
  async () => {
    const device = devices.get('sound')!
    const before = await stand.command('sound', { parameter: 'heat', value: 66 }, { wait: 20 })
    assert.equal(before.body.outcome, 'refused', JSON.stringify(before.body))
    assert.match(JSON.stringify(before.body), /write of heat does not come back/)
    await identifiedAgain()
    const after = await stand.command('sound', { parameter: 'heat', value: 77 }, { wait: 20 })
    assert.equal(after.body.outcome, 'unknown', JSON.stringify(after.body))
    await identifiedAgain()
    await sleep(500)
    assert.deepEqual(
      device.received.filter((line) => line === 'HEAT 66' || line === 'HEAT 77'),
      ['HEAT 77'],
    )
    const record = await stand.record(after.body.id)
    assert.equal(record.settled?.effect, 'done', 'the thread that was started again has read it back')
  },
)

test(
  'the emergency stop reaches the instrument of a driver that hangs, once it has been started again',
  { timeout: 60_000 },
  async () => {
    const device = devices.get('sound')!
    device.heat = 150
    const hanging = stand.command('sound', { parameter: 'heat', value: 66 }, { wait: 20 })
    await sleep(300)
    const stopped = await stand.api('/api/instruments/sound/stop', { method: 'POST', body: {} })
    assert.ok(stopped.status < 300, JSON.stringify(stopped.body))
    await hanging
    await stand.until('sound', () => device.heat === 0, 'it is in its safe state', 20_000)
  },
)
