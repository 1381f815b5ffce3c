import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

/** As a model with a timed write looks: the box switches off by itself when the seconds are over. */
const MODEL = `model: timed-relays
label: Relays with a dead-man switch
kind: relay board
source: invented for this test
transport: line
link: { send: "\\n", receive: "\\n" }
parameters:
${['quick', 'slow']
  .map(
    (name) => `  ${name}:
    label: ${name}
    type: boolean
    map: { on: 1, off: 0 }
    safe: false
    read: '${name}?'
    write: { send: '${name} {value}', expect: '^ok$' }
    timed: { send: '${name} {value},{seconds}', expect: '^ok$', min: 1 s, max: 1 h }
`,
  )
  .join('')}`
const QUICK_MS = 6_000
/** So long that a busy machine has started another worker before. */
const SLOW_MS = 90_000

interface Box {
  port: number
  /** What it was told, and what it did by itself (`quick timeout`), with the time of the monotonic clock. */
  log: { at: number; what: string }[]
  isOn: (relay: string) => boolean
  close: () => Promise<void>
}

/** The judge: a box that counts. */
async function startBox(): Promise<Box> {
  const log: Box['log'] = []
  const timers = new Map<string, NodeJS.Timeout | undefined>()
  const sockets = new Set<Socket>()
  const note = (what: string): void => void log.push({ at: performance.now(), what })
  const answer = (line: string): string => {
    const asked = /^(\w+)\?$/.exec(line)?.[1]
    if (asked !== undefined) return timers.has(asked) ? '1' : '0'
    const [, relay = '', value, seconds] = /^(\w+) ([01])(?:,([\d.]+))?$/.exec(line) ?? []
    note(line)
    clearTimeout(timers.get(relay))
    timers.delete(relay)
    if (value === '1') {
      const off = (): void => {
        timers.delete(relay)
        note(`${relay} timeout`)
      }
      timers.set(relay, seconds === undefined ? undefined : setTimeout(off, Number(seconds) * 1000))
    }
    return 'ok'
  }
  const server = createServer((socket) => {
    let rest = ''
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) socket.write(`${answer(line)}\n`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    log,
    isOn: (relay) => timers.has(relay),
    close: async () => {
      for (const timer of timers.values()) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

let box: Box
let stand: Stand
before(async () => {
  box = await startBox()
  const parameters = { quick: { rearm: `${QUICK_MS} ms` }, slow: { rearm: `${SLOW_MS} ms` } }
  stand = await startStand({
    workers: 0,
    settled: false,
    devices: [],
    instruments: () => [
      { id: 'box', model: 'timed-relays', address: `tcp://127.0.0.1:${box.port}`, parameters },
    ],
  })
  mkdirSync(join(stand.dir, 'models'))
  writeFileSync(join(stand.dir, 'models', 'timed-relays.yaml'), MODEL)
  await stand.addWorker()
  await ready()
})
after(async () => {
  await stand.close()
  await box.close()
})

const ready = (): Promise<unknown> =>
  stand.until('box', ({ condition }) => condition === 'ok', 'it answers', 30_000)
const told = (what: string, since = 0): number =>
  box.log.filter((one) => one.at > since && one.what === what).length

async function set(parameter: string, value: boolean): Promise<void> {
  const { body } = await stand.command('box', { parameter, value })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
}

test('kept on while its worker lives; off by itself when that is killed, and not switched on again by the next', async () => {
  await set('quick', true)
  await set('slow', true)
  const begun = performance.now()
  // Half of its time each, and not more often than that.
  await eventually(() => told('quick 1,6') >= 4, { what: 'it is re-armed', timeoutMs: 30_000 })
  assert.ok(performance.now() - begun > 1.5 * QUICK_MS - 500)
  assert.ok(told('quick 1,6') <= 2 + (performance.now() - begun) / 2_800)
  assert.equal(told('quick timeout'), 0, JSON.stringify(box.log))
  const { body: commands } = await stand.api<unknown[]>('/api/commands?instrument=box')
  assert.equal(commands.length, 2, 'nothing of it is in the ledger')

  await stand.workers[0]?.kill('SIGKILL')
  const killed = performance.now()
  await eventually(() => !box.isOn('quick'), { what: 'it goes off by itself', timeoutMs: 20_000 })
  assert.ok(performance.now() - killed < QUICK_MS + 1_000, 'within its time')
  assert.equal(told('quick 1,6', killed), 0)

  await stand.addWorker()
  await ready()
  await eventually(() => told('slow 1,90', killed) > 0, { what: 'the next goes on', timeoutMs: 60_000 })
  await stand.until('box', ({ outputs }) => outputs?.['quick']?.on === false, 'it shows as off')
  assert.deepEqual([told('slow timeout'), told('quick 1,6', killed)], [0, 0])
  assert.match(stand.log(), /rearm: quick is off, and golem has not switched it off/)
})

test('what is switched off, by a command or by the emergency stop, is not re-armed', async () => {
  await set('quick', true)
  await set('quick', false)
  await set('slow', true)
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'test' } })
  await eventually(() => !box.isOn('slow'), { what: 'the stop switches it off' })
  const stopped = performance.now()
  await sleep(QUICK_MS)
  assert.deepEqual([told('quick 1,6', stopped), told('slow 1,90', stopped)], [0, 0])
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
})

test('while Redis is away it is kept on within the lease, and goes off by itself after that', async () => {
  await eventually(() => set('quick', true).then(() => true), {
    what: 'it can be switched on again',
    timeoutMs: 20_000,
  })
  const frozen = performance.now()
  stand.redis.freeze()
  try {
    await eventually(() => !box.isOn('quick'), { what: 'it goes off', timeoutMs: 30_000 })
    assert.ok(performance.now() - frozen < 2_000 + QUICK_MS + 1_000)
    assert.equal(told('quick timeout', frozen), 1)
  } finally {
    stand.redis.resume()
  }
})
