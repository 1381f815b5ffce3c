import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { CommandRecord, Condition, InstrumentState, SiteEvent } from '@golem/core'
import type { Fault } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

const BOARD = 'relays'
const OTHERS = ['neighbour', 'lamp']

let stand: Stand
before(async () => {
  stand = await startStand({
    // Leases are not the matter here: on a busy machine the worker must not be missed for two seconds.
    leaseMs: 10_000,
    devices: [relayBoard(BOARD), relayBoard('neighbour'), { name: 'lamp', kind: 'pwm-lamp', infoDelayMs: 5 }],
  })
})
after(() => stand.close())
beforeEach(async () => {
  await stand.sim.device(BOARD).setFault(null)
  await recovered()
  const { body } = await stand.command(BOARD, { parameter: 'relay0', value: false })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
})

const board = (): ReturnType<Stand['sim']['device']> => stand.sim.device(BOARD)
const relay0 = (): boolean => (board().state()['relays'] as number[])[0] === 1
const posts = (): number => board().counters()['POST /relay'] ?? 0

/** It answers again, without anybody having restarted anything. */
function recovered(): Promise<InstrumentState> {
  return stand.until(
    BOARD,
    ({ condition, readings }) =>
      condition === 'ok' && Object.values(readings).every(({ quality }) => quality === 'good'),
    'the board is ok again',
    20_000,
  )
}

/** How many polls the other boards have had. */
function otherPolls(): number[] {
  return OTHERS.map((name) => stand.sim.device(name).counters()['GET /info'] ?? 0)
}

/** Switches relay 0 on while the fault holds for this one request. */
async function switchOn(fault: Omit<Fault, 'match' | 'times'>): Promise<CommandRecord> {
  await board().setFault({ ...fault, match: { method: 'POST' }, times: 1 })
  const { status, body } = await stand.command(BOARD, { parameter: 'relay0', value: true })
  assert.equal(status, 200, JSON.stringify(body))
  assert.ok(body.message, 'it says what happened')
  return body
}

const settled = (id: string): Promise<NonNullable<CommandRecord['settled']>> =>
  eventually(async () => (await stand.record(id)).settled, { what: 'it is settled by reading back' })

interface Spoilt {
  what: string
  fault: Omit<Fault, 'match' | 'times'>
  code: string
}

/** The board does as it was told and its answer says so badly. */
const SPOILT: readonly Spoilt[] = [
  { what: 'no answer', fault: { kind: 'silence' }, code: 'REPLY_TIMEOUT' },
  { what: 'an answer that comes too late', fault: { kind: 'late', ms: 3_000 }, code: 'REPLY_TIMEOUT' },
  { what: 'an answer of nonsense', fault: { kind: 'garbage' }, code: 'REPLY_MALFORMED' },
  { what: 'an answer that is not HTTP', fault: { kind: 'garbage', raw: true }, code: 'REPLY_MALFORMED' },
  { what: 'an answer that breaks off', fault: { kind: 'cut' }, code: 'LINK_LOST' },
  { what: 'an answer about another state', fault: { kind: 'wrongValue' }, code: 'REPLY_MALFORMED' },
  { what: 'an answer of a megabyte', fault: { kind: 'hugeReply' }, code: 'REPLY_MALFORMED' },
  { what: 'HTTP 500 although it acted', fault: { kind: 'http500', act: true }, code: 'REPLY_MALFORMED' },
]

for (const { what, fault, code } of SPOILT) {
  test(`${what}: the command is unknown, was sent once, and is found done by reading back`, async () => {
    const before = posts()
    const record = await switchOn(fault)
    assert.deepEqual([record.outcome, record.effect, record.code], ['unknown', 'unknown', code])
    const { effect, value } = await settled(record.id)
    assert.deepEqual([effect, value], ['done', true])
    assert.equal(posts(), before + 1)
    assert.ok(relay0())
  })
}

test('no answer from a board that did nothing: the command is unknown and is found not done', async () => {
  for (const fault of [{ kind: 'silence', act: false }, { kind: 'http500' }] as const) {
    const before = posts()
    const record = await switchOn(fault)
    assert.deepEqual([record.outcome, record.effect], ['unknown', 'unknown'])
    const { effect, value } = await settled(record.id)
    assert.deepEqual([effect, value], ['none', false])
    assert.equal(posts(), before + 1)
  }
})

test('a board that acknowledges and does nothing: the reading shows it', async () => {
  await board().setFault({ kind: 'stuck', match: { method: 'POST' }, times: 1 })
  const { body } = await stand.command(BOARD, { parameter: 'relay0', value: true })
  assert.equal(body.outcome, 'done')
  const { readings } = await stand.until(
    BOARD,
    (state) => (state.readings['relay0']?.at ?? '') > (body.endedAt ?? ''),
    'it is read after the command',
  )
  assert.equal(readings['relay0']?.value, false)
})

test('an answer that comes twice, or slowly: the command is done, and nothing of it is taken for another answer', async () => {
  for (const fault of [{ kind: 'duplicate' }, { kind: 'delay', ms: 1_000 }] as const) {
    await board().setFault({ ...fault, match: { method: 'POST' }, times: 1 })
    const { body } = await stand.command(BOARD, { parameter: 'relay0', value: true })
    assert.deepEqual([body.outcome, body.effect], ['done', 'done'], JSON.stringify(body))
    const off = await stand.command(BOARD, { parameter: 'relay0', value: false })
    assert.equal(off.body.outcome, 'done')
  }
})

test('a board that refuses connections: the command is refused, nothing was sent, and it comes back by itself', async () => {
  const before = posts()
  await board().setFault({ kind: 'refuse' })
  const { body } = await stand.command(BOARD, { parameter: 'relay0', value: true })
  assert.deepEqual([body.outcome, body.effect, body.code], ['refused', 'none', 'LINK_DOWN'])
  assert.match(body.message ?? '', /127\.0\.0\.1/)
  const { message } = await stand.until(BOARD, ({ condition }) => condition === 'lost', 'it is lost')
  assert.match(message, /ECONNREFUSED/)
  await board().setFault(null)
  await recovered()
  assert.equal(posts(), before)
})

test('a board that reboots: outputs are read as off, the log says so, and commands work again', async () => {
  const on = await stand.command(BOARD, { parameter: 'relay0', value: true })
  assert.equal(on.body.outcome, 'done')
  // Up for some seconds, so that a fresh start can be told.
  await stand.until(BOARD, ({ readings }) => Number(readings['uptime']?.value) >= 2, 'it has been up')
  await board().setFault({ kind: 'reboot', seconds: 1 })
  await stand.until(BOARD, ({ condition }) => condition !== 'ok', 'its absence is noticed')
  const state = await recovered()
  assert.equal(state.readings['relay0']?.value, false)
  const rebooted = await eventually(
    async () => {
      const { body } = await stand.api<SiteEvent[]>(`/api/events?kind=reboot&instrument=${BOARD}&limit=10`)
      return body.at(-1)
    },
    { what: 'the log tells the reboot' },
  )
  assert.match(rebooted.message, /rebooted/)
})

test('a silent board goes from ok to degraded to lost with a sentence each, its readings turn stale, and others are not slowed', async () => {
  const seen = new Set<Condition>()
  const sentences = new Set<string>()
  const othersBefore = otherPolls()
  const pollsBefore = board().counters()['GET /info'] ?? 0
  await board().setFault({ kind: 'silence' })
  const lost = await stand.until(
    BOARD,
    ({ condition, message }) => {
      seen.add(condition)
      sentences.add(message)
      return condition === 'lost'
    },
    'it is lost',
    20_000,
  )
  assert.deepEqual([...seen], ['ok', 'degraded', 'lost'])
  assert.ok(sentences.size >= 3, [...sentences].join('\n'))
  assert.match(lost.message, /3 polls failed.*no complete reply in time/)
  for (const { quality, value, at } of Object.values(lost.readings)) {
    assert.equal(quality, 'stale')
    assert.ok(value !== null && at !== null, 'the last value and its time are kept')
  }
  // The silent one was asked a few times; the others once in 200 ms all the while.
  const asked = (board().counters()['GET /info'] ?? 0) - pollsBefore
  otherPolls().forEach((polls, n) => {
    const more = polls - (othersBefore[n] ?? 0)
    assert.ok(more > 2 * asked, `${OTHERS[n]}: ${more} polls while the silent one had ${asked}`)
  })
  for (const name of OTHERS) {
    const parameter = name === 'lamp' ? 'channel1' : 'relay1'
    const { body } = await stand.command(name, { parameter, value: name === 'lamp' ? 40 : true })
    assert.equal(body.outcome, 'done')
  }
  await board().setFault(null)
  const { conditionSince } = await recovered()
  assert.ok(conditionSince > lost.conditionSince)
})

test('a board that answers nonsense to polls is lost, never shows it, and is ok again when it speaks sense', async () => {
  const before = (await recovered()).readings['internalTemperature']?.value
  for (const fault of [{ kind: 'garbage' }, { kind: 'cut' }, { kind: 'hugeReply' }] as const) {
    await board().setFault(fault)
    const { readings, message } = await stand.until(
      BOARD,
      ({ condition }) => condition === 'lost',
      fault.kind,
    )
    assert.ok(message.length > 20 && message.length < 1_000, message)
    assert.ok(Math.abs(Number(readings['internalTemperature']?.value) - Number(before)) < 10)
    const { body } = await stand.command(BOARD, { parameter: 'relay0', value: true })
    assert.deepEqual([body.outcome, body.effect], ['refused', 'none'], 'it can not be identified')
    await board().setFault(null)
    await recovered()
  }
})

test('a board whose sensors fail is degraded: those readings are bad, the others good, and it obeys', async () => {
  await board().setFault({ kind: 'sensorMissing' })
  const { readings, message } = await stand.until(
    BOARD,
    ({ condition }) => condition === 'degraded',
    'degraded',
  )
  assert.match(message, /No good reading of .*internalTemperature/)
  assert.equal(readings['internalTemperature']?.quality, 'bad')
  assert.equal(readings['relay0']?.quality, 'good')
  const { body } = await stand.command(BOARD, { parameter: 'relay0', value: true })
  assert.equal(body.outcome, 'done')
})
