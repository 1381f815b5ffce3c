import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { type Answerer, createAnswerer, readModelFile, SHIPPED_MODELS } from '@golem/drivers'
import { UsbtmcInstrument } from '@golem/simulator'
import { type Stand, startStand } from '../kit/stand.ts'
import { makeTempDir } from '../kit/temp.ts'
import { pretendUsb } from '../kit/usb.ts'

/** A bench supply by its shipped model, played by the model's own simulation behind a USB cable. */
let stand: Stand
let supply: UsbtmcInstrument
let inside: Answerer
const dir = makeTempDir('golem-usb')

before(async () => {
  pretendUsb()
  const { raw } = readModelFile(join(SHIPPED_MODELS, 'rigol-dp800.yaml'))
  inside = createAnswerer(raw!)!
  supply = await UsbtmcInstrument.start({
    path: join(dir.path, 'usbtmc0'),
    answer: (message) => inside.answer(message),
    terminator: '',
  })
  stand = await startStand({
    devices: [],
    leaseMs: 10_000,
    instruments: () => [{ id: 'supply', model: 'rigol-dp800', address: supply.address }],
  })
})
after(async () => {
  await stand?.close()
  await supply?.close()
  dir.remove()
})
beforeEach(async () => {
  supply.setFault(null)
  await supply.replug()
  await stand.until('supply', ({ condition }) => condition === 'ok', 'it answers', 30_000)
  supply.messages.length = 0
})

const sent = (message: RegExp): number => supply.messages.filter((each) => message.test(each)).length
const set = (parameter: string, value: unknown): ReturnType<Stand['command']> =>
  stand.command('supply', { parameter, value })

test('a supply on USB is read and set; each command is sent once and its answers are its own', async () => {
  for (const value of [1.5, 2.25, 3]) {
    const { body } = await set('voltage1', value)
    assert.deepEqual([body.outcome, body.effect], ['done', 'done'], JSON.stringify(body))
    await stand.until('supply', ({ readings }) => readings['voltage1']?.value === value, 'it is shown')
  }
  assert.equal(supply.counters.interrupted, 0)
})

test('the emergency stop switches it off, also while an answer is waited for', async () => {
  assert.equal((await set('output1', true)).body.outcome, 'done')
  await stand.until('supply', ({ readings }) => readings['output1']?.value === true, 'it is on')
  supply.setFault({ kind: 'silence', times: 1 })
  const { status } = await stand.api('/api/stop', { method: 'POST', body: {} })
  assert.ok(status < 300, String(status))
  await stand.until('supply', ({ readings }) => readings['output1']?.value === false, 'it is off', 20_000)
  assert.equal((await set('output1', true)).body.code, 'STOPPED')
  assert.equal((await stand.api('/api/stop/release', { method: 'POST', body: {} })).status, 200)
  await stand.until('supply', ({ condition }) => condition === 'ok', 'it answers')
})

test('an answer that comes too late is not the next one, and the command was sent once', async () => {
  supply.setFault({ kind: 'late', ms: 2300, times: 1, match: /SYST:ERR/ })
  const { body } = await set('voltage1', 4.5)
  assert.ok(body.outcome === 'unknown' || body.outcome === 'done', JSON.stringify(body))
  await stand.until('supply', ({ readings }) => readings['voltage1']?.value === 4.5, 'it is shown', 20_000)
  const next = await set('voltage1', 5)
  assert.equal(next.body.outcome, 'done', JSON.stringify(next.body))
  assert.equal(sent(/4\.5/), 1)
})

test('pulled out it is lost with a sentence and commands are refused; plugged in again it is back', async () => {
  await supply.unplug()
  const lost = await stand.until('supply', ({ condition }) => condition === 'lost', 'it is lost', 30_000)
  assert.match(lost.message, /plugged in|unplugged/)
  const { body } = await set('voltage1', 7)
  assert.deepEqual([body.outcome, body.effect, body.code], ['refused', 'none', 'LINK_DOWN'])
  await supply.replug()
  await stand.until('supply', ({ condition }) => condition === 'ok', 'it is back', 30_000)
  assert.equal(sent(/\b7\b/), 0)
})

test('a worker that is killed leaves the instrument to the next one at once', async () => {
  const worker = await stand.addWorker()
  const first = stand.workers.find((each) => each !== worker && each.alive)!
  await first.kill('SIGKILL')
  const began = Date.now()
  await stand.until(
    'supply',
    ({ condition, readings }) =>
      condition === 'ok' && Date.parse(readings['voltage1']?.at ?? '') > began + 100,
    'another worker reads it',
    40_000,
  )
  assert.equal(supply.hosts, 1)
})
