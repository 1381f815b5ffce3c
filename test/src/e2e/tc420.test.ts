import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Tc420Device } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { makeTempDir } from '../kit/temp.ts'
import { pretendUsb } from '../kit/usb.ts'

const CHANNELS = 0x16
let stand: Stand
let lamp: Tc420Device
const dir = makeTempDir('golem-hid')

before(async () => {
  pretendUsb()
  lamp = await Tc420Device.start({ path: join(dir.path, 'hidraw0'), playMs: 2000 })
  stand = await startStand({
    devices: [],
    leaseMs: 10_000,
    instruments: () => [{ id: 'lamp', model: 'tc420', address: lamp.address }],
  })
})
after(async () => {
  await stand?.close()
  await lamp?.close()
  dir.remove()
})
beforeEach(async () => {
  lamp.setFault(null)
  await lamp.replug()
  await stand.until('lamp', ({ condition }) => condition === 'ok', 'it answers', 30_000)
})

const set = (parameter: string, value: number): ReturnType<Stand['command']> =>
  stand.command('lamp', { parameter, value })
const act = (action: string, args = {}): ReturnType<Stand['command']> =>
  stand.command('lamp', { action, arguments: args })
const shown = (name: string, value: number | boolean): Promise<unknown> =>
  stand.until('lamp', ({ readings }) => readings[name]?.value === value, `${name} is shown as ${value}`)

test('before anything is written nothing is claimed to be known of the channels', async () => {
  const { readings } = await stand.until('lamp', () => true, 'it is there')
  assert.deepEqual([readings['channel1']?.value, readings['channel1']?.quality], [null, 'stale'])
  assert.equal(readings['held']?.value, false)
})

test('channels that were set stay set as long as it is polled, longer than the controller remembers', async () => {
  const { body } = await set('channel1', 60)
  assert.deepEqual([body.outcome, body.effect], ['done', 'done'], JSON.stringify(body))
  await shown('channel1', 60)
  const until = performance.now() + 4000
  while (performance.now() < until) {
    assert.deepEqual(lamp.light, [60, 0, 0, 0, 0])
    await sleep(50)
  }
  assert.equal((await act('endSession')).body.outcome, 'done')
  assert.equal(lamp.light, null)
  await shown('held', false)
})

test('a program is stored, and what the form does not allow is refused before anything is sent', async () => {
  const good = { bank: 0, name: 'Sunrise', steps: '06:30 100 50j 0 0 10; 20:00 0 0 0 0 0' }
  assert.equal((await act('uploadProgram', good)).body.outcome, 'done')
  assert.deepEqual([lamp.programs.get(0)?.name, lamp.programs.get(0)?.steps.length], ['Sunrise', 2])
  const packets = lamp.count(0x12)
  const bad = await act('uploadProgram', { ...good, steps: '25:00 0 0 0 0 0; 1:00 0 0 0 0 0' })
  assert.deepEqual([bad.body.outcome, bad.body.code], ['refused', 'OUT_OF_RANGE'], JSON.stringify(bad.body))
  assert.equal(lamp.count(0x12), packets)
  assert.equal((await act('setClock')).body.outcome, 'done')
  assert.match(lamp.clock ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
})

test('a command that the controller refuses has failed, and the next poll holds what it took before', async () => {
  await set('channel2', 20)
  lamp.setFault({ kind: 'refuse', times: 1, command: CHANNELS })
  // A poll may be the one that is refused.
  await eventually(
    async () => {
      const { body } = await set('channel2', 30)
      if (body.outcome === 'failed') return body.code === 'INSTRUMENT_REFUSED'
      await set('channel2', 20)
      lamp.setFault({ kind: 'refuse', times: 1, command: CHANNELS })
      return false
    },
    { what: 'a command is refused' },
  )
  lamp.setFault(null)
  await shown('channel2', 20)
  assert.equal(lamp.light?.[1], 20)
})

test('the emergency stop makes all channels dark and keeps them so', async () => {
  await set('channel1', 80)
  await set('channel4', 90)
  const { status } = await stand.api('/api/stop', { method: 'POST', body: {} })
  assert.ok(status < 300, String(status))
  await eventually(() => lamp.light?.every((duty) => duty === 0), { what: 'it is dark' })
  assert.equal((await set('channel1', 5)).body.code, 'STOPPED')
  await shown('channel4', 0)
  assert.equal((await stand.api('/api/stop/release', { method: 'POST', body: {} })).status, 200)
  assert.deepEqual(lamp.light, [0, 0, 0, 0, 0])
})

test('pulled out it is lost; plugged in again the channels are as they were held', async () => {
  await stand.until('lamp', ({ condition }) => condition === 'ok', 'it answers')
  assert.equal((await set('channel3', 33)).body.outcome, 'done')
  await lamp.unplug()
  await stand.until('lamp', ({ condition }) => condition === 'lost', 'it is lost', 30_000)
  assert.deepEqual((await set('channel3', 99)).body.code, 'LINK_DOWN')
  await lamp.replug()
  await eventually(() => lamp.light?.[2] === 33, { what: 'it is held again', timeoutMs: 30_000 })
})
