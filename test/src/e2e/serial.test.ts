import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstrumentState } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

let stand: Stand
before(async () => {
  const analyser = { kind: 'sba5', warmUpSeconds: 0.2, zeroSeconds: 1 } as const
  stand = await startStand({
    // Leases are not the matter here: on a busy machine the worker must not be missed for two seconds.
    leaseMs: 10_000,
    devices: [
      { ...analyser, name: 'analyser' },
      { ...analyser, name: 'streaming' },
    ],
    instruments: (address) => [
      { id: 'analyser', model: 'sba5', address: address('analyser') },
      { id: 'streaming', model: 'sba5', address: address('streaming'), options: { mode: 'streamed' } },
    ],
  })
})
after(() => stand.close())
beforeEach(async () => {
  for (const name of ['analyser', 'streaming']) {
    await stand.sim.device(name).setFault(null)
    await stand.sim.device(name).replug()
    await measures(name)
  }
  stand.sim.device('analyser').resetCounters()
})

const device = (): ReturnType<Stand['sim']['device']> => stand.sim.device('analyser')
const count = (body: string): number =>
  device()
    .requests()
    .filter((one) => one.body === body).length

/** It gives good measurements, one after the other, without anybody having restarted anything. */
async function measures(id: string): Promise<InstrumentState> {
  const good = ({ condition, readings }: InstrumentState): boolean =>
    condition === 'ok' && readings['state']?.value === 'measuring' && readings['co2']?.quality === 'good'
  const { readings } = await stand.until(id, good, `${id} measures`, 30_000)
  const first = readings['co2']?.at ?? ''
  return stand.until(
    id,
    (state) => good(state) && (state.readings['co2']?.at ?? '') > first,
    `${id} goes on measuring`,
    20_000,
  )
}

/** Watches the CO2 readings while something goes on: all that is good is near what the room has. */
async function plausible(during: () => Promise<void>): Promise<void> {
  const wrong: unknown[] = []
  let over = false
  const watch = (async () => {
    while (!over) {
      const co2 = (await stand.state()).instruments['analyser']?.readings['co2']
      await sleep(20)
      if (co2?.quality === 'good' && !(Number(co2.value) > 200 && Number(co2.value) < 2_000)) wrong.push(co2)
    }
  })()
  try {
    await during()
  } finally {
    over = true
    await watch
  }
  assert.deepEqual(wrong, [])
}

test('an analyser on a serial port measures, its pump obeys, each command is sent once', async () => {
  const { readings } = await measures('analyser')
  assert.ok(Number(readings['co2']?.value) > 200)
  assert.ok(Number(readings['pressure']?.value) > 500)
  for (const value of [false, true]) {
    const { body } = await stand.command('analyser', { parameter: 'pump', value })
    assert.deepEqual([body.outcome, body.effect], ['done', 'done'], JSON.stringify(body))
    await stand.until('analyser', (state) => state.readings['pump']?.value === value, 'the pump is shown')
  }
  assert.deepEqual([count('P0'), count('P1')], [1, 1])
})

test('a zero is carried out once, is shown while it lasts, and measuring goes on after it', async () => {
  const { body } = await stand.command('analyser', { action: 'zero' })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
  await stand.until('analyser', ({ readings }) => readings['state']?.value === 'zeroing', 'it zeroes')
  await measures('analyser')
  assert.equal(count('Z'), 1)
})

test('answers that come too late are not taken for those of the next question', async () => {
  await plausible(async () => {
    await device().setFault({ kind: 'late', match: { method: 'M' }, times: 1 })
    await eventually(() => device().fault() === null, { what: 'an answer is late', timeoutMs: 20_000 })
    await measures('analyser')
  })
  // The late acknowledgement of one setting must not stand for that of the next one.
  await device().setFault({ kind: 'late', match: { method: 'B' }, times: 1 })
  const late = await stand.command('analyser', { parameter: 'averagingLimit', value: 7 })
  assert.deepEqual([late.body.outcome, late.body.code], ['unknown', 'REPLY_TIMEOUT'])
  const next = await stand.command('analyser', { parameter: 'pump', value: false })
  assert.deepEqual([next.body.outcome, count('P0')], ['done', 1], JSON.stringify(next.body))
  assert.equal(count('B7'), 1)
  await measures('analyser')
})

test('nonsense, half lines, doubled lines and a megabyte without an end are no measurement, and do not last', async () => {
  for (const kind of ['garbage', 'cut', 'duplicate', 'hugeReply'] as const) {
    await plausible(async () => {
      await device().setFault({ kind, match: { method: 'M' }, times: 1 })
      await eventually(() => device().fault() === null, { what: `${kind} came`, timeoutMs: 30_000 })
      await measures('analyser')
    })
  }
})

test('a command whose acknowledgement is spoilt is unknown, was sent once, and the next one works', async () => {
  for (const [n, kind] of (['cut', 'wrongValue', 'silence'] as const).entries()) {
    await device().setFault({ kind, match: { method: 'B' }, times: 1 })
    const { body } = await stand.command('analyser', { parameter: 'averagingLimit', value: 20 + n })
    assert.equal(body.outcome, 'unknown', `${kind}: ${JSON.stringify(body)}`)
    assert.equal(count(`B${20 + n}`), 1, kind)
    const next = await stand.command('analyser', { parameter: 'pump', value: n % 2 === 0 })
    assert.equal(next.body.outcome, 'done', `${kind}: ${JSON.stringify(next.body)}`)
  }
})

test('the port is pulled out while it is polled: the analyser is lost with a sentence, and back when it is plugged in', async () => {
  for (let round = 0; round < 2; round += 1) {
    await device().unplug()
    const lost = await stand.until('analyser', ({ condition }) => condition === 'lost', 'it is lost', 30_000)
    assert.match(lost.message, /analyser/)
    assert.equal(lost.readings['co2']?.quality, 'stale')
    const { body } = await stand.command('analyser', { parameter: 'pump', value: true })
    assert.deepEqual([body.outcome, body.effect, body.code], ['refused', 'none', 'LINK_DOWN'])
    await device().replug()
    await measures('analyser')
  }
})

test('the port is pulled out while a command runs: the command is unknown at once, and is not repeated', async () => {
  await device().setFault({ kind: 'silence', match: { method: 'B' } })
  const { body } = await stand.command('analyser', { parameter: 'averagingLimit', value: 55 }, { wait: 0 })
  await eventually(() => count('B55') === 1, { what: 'it has been sent' })
  await device().unplug()
  const ended = await stand.ended(body.id)
  assert.deepEqual([ended.outcome, ended.effect], ['unknown', 'unknown'], JSON.stringify(ended))
  await device().setFault(null)
  await device().replug()
  await measures('analyser')
  assert.equal(count('B55'), 1)
})

test('an analyser that was without power measures again by itself, with its pump as it was set', async () => {
  const { body } = await stand.command('analyser', { parameter: 'pump', value: false })
  assert.equal(body.outcome, 'done')
  await device().setFault({ kind: 'reboot', seconds: 1 })
  // It does not remember by itself.
  await eventually(() => count('P0') === 2, { what: 'the pump is set anew', timeoutMs: 20_000 })
  const { readings } = await measures('analyser')
  assert.equal(readings['pump']?.value, false)
})

test('an analyser that sends by itself is read without being asked, obeys, and comes back after its port was gone', async () => {
  const streaming = stand.sim.device('streaming')
  const asked = streaming.counters()['M'] ?? 0
  await measures('streaming')
  await measures('streaming')
  assert.equal(streaming.counters()['M'] ?? 0, asked)
  const { body } = await stand.command('streaming', { parameter: 'pump', value: false })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
  assert.equal(streaming.requests().filter((one) => one.body === 'P0').length, 1)
  await measures('streaming')
  await streaming.unplug()
  await stand.until('streaming', ({ condition }) => condition === 'lost', 'it is lost', 40_000)
  await streaming.replug()
  await measures('streaming')
})
