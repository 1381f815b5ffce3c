import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const FORMS = ['object-id', 'both', 'name'] as const

let stand: Stand
before(async () => {
  stand = await startStand({
    devices: FORMS.map((urlForm) => ({
      name: urlForm,
      kind: 'esphome',
      urlForm,
      switches: [{ name: 'Relay 1' }, { name: 'Big Relay 1' }],
      numbers: [{ name: 'Fan', unit: '%', min: 0, max: 100, step: 1, initial: 5 }],
    })),
    instruments: (address) =>
      FORMS.map((id) => ({
        id,
        model: 'esphome',
        address: address(id),
        options: {
          entities: [
            { parameter: 'relay', domain: 'switch', name: 'Relay 1' },
            { parameter: 'fan', domain: 'number', name: 'Fan', min: 0, max: 100, step: 1 },
            { parameter: 'uptime', domain: 'sensor', name: 'Uptime' },
          ],
        },
      })),
  })
})
after(() => stand.close())

const counted = (board: string, what: RegExp): number =>
  Object.entries(stand.sim.device(board).counters())
    .filter(([request]) => what.test(request))
    .reduce((sum, [, count]) => sum + count, 0)
const isListening = (board: string): Promise<unknown> =>
  eventually(() => counted(board, /^GET \/events/) > 0, { what: `${board} has a listener` })

for (const board of FORMS) {
  test(`ids as "${board}": changes are shown without polling, commands go by REST, on one connection`, async () => {
    await isListening(board)
    await sleep(300)
    stand.sim.device(board).resetCounters()
    const { body } = await stand.command(board, { parameter: 'relay', value: true })
    assert.equal(body.outcome, 'done', JSON.stringify(body))
    await stand.until(board, ({ readings }) => readings['relay']?.value === true, 'the relay is shown')
    // Another person's button: nobody asked golem, and an entity whose name ends alike is another one.
    const at = stand.sim.device(board).address
    const path = board === 'object-id' ? 'big_relay_1' : 'Big%20Relay%201'
    const own = board === 'object-id' ? 'relay_1' : 'Relay%201'
    await fetch(`${at}/switch/${path}/turn_on`, { method: 'POST' })
    await fetch(`${at}/switch/${own}/turn_off`, { method: 'POST' })
    await stand.until(board, ({ readings }) => readings['relay']?.value === false, 'the button is shown')
    await sleep(2000)
    const { readings } = await stand.until(board, ({ condition }) => condition === 'ok', 'it is well')
    assert.equal(readings['relay']?.value, false)
    // 10 polls of 3 entities would be 30; the reads after the command are a few.
    assert.ok(
      counted(board, /^GET \/(switch|number|sensor)/) <= 6,
      JSON.stringify(stand.sim.device(board).counters()),
    )
    assert.equal(counted(board, /^GET \/events/), 0, 'the connection stays')
    assert.equal(counted(board, /^POST/), 3)
  })
}

test('while the stream is away REST takes over; a board that is gone is lost, and comes back with its events', async () => {
  const device = stand.sim.device('both')
  await device.unplug()
  await stand.until('both', ({ condition }) => condition === 'lost', 'it is lost', 30_000)
  device.resetCounters()
  await device.replug()
  await stand.until('both', ({ condition }) => condition === 'ok', 'it is back', 30_000)
  await eventually(() => counted('both', /^GET \/events/) > 0, {
    what: 'it is listened to again',
    timeoutMs: 40_000,
  })
  await eventually(
    async () => {
      device.resetCounters()
      await sleep(1000)
      return counted('both', /^GET \/(switch|number|sensor)/) === 0
    },
    { what: 'it is no longer polled', timeoutMs: 15_000 },
  )
})

test('a board that falls silent is asked by REST and then lost, although its connection stays open', async () => {
  await stand.sim.device('name').setFault({ kind: 'silence' })
  await stand.until('name', ({ condition }) => condition === 'lost', 'it is lost', 60_000)
  await stand.sim.device('name').setFault(null)
  await stand.until('name', ({ condition }) => condition === 'ok', 'it is back', 30_000)
})

test('a command of unknown outcome is settled by asking, although the board tells by itself', async () => {
  const device = stand.sim.device('both')
  // Cut off before it acts: nothing changes, so no event ever tells.
  await device.setFault({ kind: 'cut', times: 1, act: false, match: { method: 'POST' } })
  const unknown = await stand.command('both', { parameter: 'fan', value: 78 })
  assert.equal(unknown.body.outcome, 'unknown', JSON.stringify(unknown.body))
  const settled = await eventually(async () => (await stand.record(unknown.body.id)).settled, {
    what: 'it is settled',
  })
  assert.equal(settled.effect, 'none', JSON.stringify(settled))
})
