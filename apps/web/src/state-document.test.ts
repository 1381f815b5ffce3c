import { type StateDocument, isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InMemoryView, descriptionOf, snapshotOf } from './in-memory-site.ts'
import { type StateAnswer, StateDocuments } from './state-document.ts'

const IDS = ['relay-1', 'relay-2', 'relay-3']

function stand(view = livelyView()): { view: InMemoryView; states: StateDocuments } {
  return { view, states: new StateDocuments({ view, configured: IDS, leaseMs: 10_000 }) }
}

function livelyView(): InMemoryView {
  const view = new InMemoryView()
  view.beat('worker-1')
  for (const id of IDS) {
    view.descriptions.set(id, descriptionOf(id))
    view.publish(snapshotOf(id, view.timeMs))
  }
  return view
}

function read({ body }: StateAnswer): StateDocument {
  assert.ok(body)
  return JSON.parse(body.toString()) as StateDocument
}

function pass(view: InMemoryView, states: StateDocuments, ms: number): void {
  view.timeMs += ms
  states.sweep()
}

test('a first poll gets everything, in the order of the site file', () => {
  const { states } = stand()
  const first = read(states.answer())
  assert.equal(first.full, true)
  assert.deepEqual(Object.keys(first.instruments), IDS)
  assert.deepEqual(first.runs, [])
  assert.equal(first.bus.ok, true)
  assert.equal(first.instruments['relay-1']?.readings['relay0']?.value, true)
})

test('with a cursor only what changed since is told', () => {
  const { view, states } = stand()
  const { cursor } = states.answer()
  view.publish(snapshotOf('relay-2', view.timeMs, { message: 'Again.' }))
  const delta = read(states.answer(cursor))
  assert.equal(delta.full, false)
  assert.deepEqual(Object.keys(delta.instruments), ['relay-2'])
  assert.deepEqual(read(states.answer(delta.cursor)).instruments, {})
})

test('an ETag of the present state is answered without a body, also beside a cursor', () => {
  const { view, states } = stand()
  const { etag, cursor } = states.answer()
  assert.equal(states.answer(undefined, etag).body, null)
  assert.equal(states.answer(cursor, `"other", ${etag}`).body, null)
  view.publish(snapshotOf('relay-2', view.timeMs, { message: 'Again.' }))
  assert.notEqual(states.answer(undefined, etag).body, null)
})

test('an unknown cursor and one of another epoch get everything', () => {
  const { view, states } = stand()
  const { cursor } = states.answer()
  assert.equal(read(states.answer('nonsense')).full, true)
  view.epoch = 'e2'
  view.tell({ kind: 'everything' })
  assert.equal(read(states.answer(cursor)).full, true)
})

test('any process answers the cursor of any other', () => {
  const view = livelyView()
  const a = stand(view).states
  const b = stand(view).states
  const { cursor } = a.answer()
  b.answer()
  assert.deepEqual(read(b.answer(cursor)).instruments, {})
  view.publish(snapshotOf('relay-3', view.timeMs, { message: 'Again.' }))
  const delta = read(b.answer(cursor))
  assert.equal(delta.full, false)
  assert.deepEqual(Object.keys(delta.instruments), ['relay-3'])
  assert.deepEqual(read(a.answer(delta.cursor)).instruments, {})
})

test('an ETag of another process counts when both know the same', () => {
  const view = livelyView()
  const a = stand(view).states
  const b = stand(view).states
  const { etag } = a.answer()
  assert.equal(b.answer(undefined, etag).body, null)
})

test('a process that is behind sends nothing and leaves the client its cursor', () => {
  const ahead = stand()
  const behind = stand()
  for (let n = 0; n < 5; n += 1)
    ahead.view.publish(snapshotOf('relay-1', ahead.view.timeMs, { message: `${n}` }))
  const { cursor } = ahead.states.answer()
  const answer = read(behind.states.answer(cursor))
  assert.deepEqual(answer.instruments, {})
  assert.equal(answer.full, false)
  assert.equal(answer.cursor, cursor)
})

test('a cursor from before this process knew the stream gets everything', () => {
  const view = livelyView()
  const { cursor } = stand(view).states.answer()
  view.publish(snapshotOf('relay-1', view.timeMs, { message: 'Again.' }))
  assert.equal(read(stand(view).states.answer(cursor)).full, true)
})

test('a parameter read at a period of its own turns stale by that period', () => {
  const view = livelyView()
  const at = isoTime(view.timeMs)
  const readings = {
    relay0: { value: true, at, quality: 'good' },
    uptime: { value: 5, at, quality: 'good' },
  } as const
  view.publish(snapshotOf('relay-1', view.timeMs, { readings, staleAfterMsOf: { uptime: 180_000 } }))
  const { states } = stand(view)
  view.timeMs += 6_000
  view.beat('worker-1')
  pass(view, states, 1)
  const shown = read(states.answer()).instruments['relay-1']?.readings
  assert.deepEqual([shown?.['relay0']?.quality, shown?.['uptime']?.quality], ['stale', 'good'])
})

test('a reading turns stale by time alone, and clients are told', () => {
  const { view, states } = stand()
  const { cursor } = states.answer()
  view.timeMs += 4_000
  view.beat('worker-1')
  pass(view, states, 1_001)
  const delta = read(states.answer(cursor))
  const reading = delta.instruments['relay-1']?.readings['relay0']
  assert.equal(delta.full, false)
  assert.equal(reading?.quality, 'stale')
  assert.equal(reading?.value, true)
  assert.match(reading?.error ?? '', /5 s/)
})

test('an instrument whose worker is silent for the lease time is lost, and says which worker and since when', () => {
  const { view, states } = stand()
  const lastSeen = new Date(view.timeMs).toISOString()
  pass(view, states, 10_001)
  const { instruments } = read(states.answer())
  assert.equal(instruments['relay-1']?.condition, 'lost')
  assert.equal(instruments['relay-1']?.conditionSince, lastSeen)
  assert.match(instruments['relay-1']?.message ?? '', /worker-1 .* since .* outputs hold their last state/)
  assert.equal(instruments['relay-1']?.readings['relay0']?.quality, 'stale')
  assert.equal(states.missingOwner('relay-1')?.worker, 'worker-1')
})

test('a worker that is heard again has its instruments back without a new snapshot', () => {
  const { view, states } = stand()
  pass(view, states, 10_001)
  const { cursor } = states.answer()
  view.beat('worker-1')
  const delta = read(states.answer(cursor))
  assert.equal(delta.instruments['relay-1']?.condition, 'ok')
  assert.equal(states.missingOwner('relay-1'), null)
})

test('a worker that was stopped in an orderly way leaves its instruments stopped, not lost', () => {
  const { view, states } = stand()
  view.publish(snapshotOf('relay-1', view.timeMs, { condition: 'stopped', owner: null }))
  pass(view, states, 60_000)
  assert.equal(read(states.answer()).instruments['relay-1']?.condition, 'stopped')
  assert.equal(states.missingOwner('relay-1')?.worker, null)
})

test('what another process showed as lost is put right by one that knows better', () => {
  const cutOff = stand()
  const lively = stand()
  lively.states.answer()
  pass(cutOff.view, cutOff.states, 10_001)
  const { cursor } = cutOff.states.answer()
  const answer = read(lively.states.answer(cursor))
  assert.equal(answer.full, true)
  assert.equal(answer.instruments['relay-1']?.condition, 'ok')
})

test('when Redis is away all readings are stale at once and clients get everything', () => {
  const { view, states } = stand()
  const { cursor, etag } = states.answer()
  view.setBus(false)
  const answer = read(states.answer(cursor, etag))
  assert.equal(answer.full, true)
  assert.equal(answer.bus.ok, false)
  for (const id of IDS) assert.equal(answer.instruments[id]?.readings['relay0']?.quality, 'stale')
  view.setBus(true)
  const back = read(states.answer(answer.cursor))
  assert.equal(back.full, true)
  assert.equal(back.instruments['relay-1']?.readings['relay0']?.quality, 'good')
})

test('a cursor given out while Redis was away is put right by a process that hears from it', () => {
  const cutOff = stand()
  const lively = stand()
  lively.states.answer()
  cutOff.view.setBus(false)
  const { cursor } = cutOff.states.answer()
  assert.equal(read(lively.states.answer(cursor)).full, true)
})

test('workers are not missed in the moment Redis comes back', () => {
  const { view, states } = stand()
  view.setBus(false)
  states.sweep()
  pass(view, states, 60_000)
  assert.notEqual(read(states.answer()).instruments['relay-1']?.condition, 'lost')
  view.setBus(true)
  assert.notEqual(read(states.answer()).instruments['relay-1']?.condition, 'lost')
  pass(view, states, 5_001)
  assert.equal(read(states.answer()).instruments['relay-1']?.condition, 'lost')
})

test('an instrument nobody has announced is connecting and says so', () => {
  const { states } = stand(new InMemoryView())
  const first = read(states.answer()).instruments['relay-1']
  assert.equal(first?.condition, 'connecting')
  assert.match(first?.message ?? '', /No worker has announced it/)
})

test('an instrument that a worker announces later comes with everything', () => {
  const { view, states } = stand()
  const { cursor } = states.answer()
  view.descriptions.set('lamp-9', descriptionOf('lamp-9'))
  view.tell({ kind: 'description', instrument: 'lamp-9' })
  const answer = read(states.answer(cursor))
  assert.equal(answer.full, true)
  assert.ok(answer.instruments['lamp-9'])
})

test('the age of the oldest waiting command grows while it waits', () => {
  const { view, states } = stand()
  view.enqueue('relay-1', { waiting: 1, oldestAt: view.timeMs, running: null, last: null })
  const { cursor } = states.answer()
  pass(view, states, 501)
  const { queue } = read(states.answer(cursor)).instruments['relay-1'] ?? {}
  assert.deepEqual([queue?.waiting, queue?.oldestMs], [1, 501])
})

test('a stop is told with every answer and changes the cursor', () => {
  const { view, states } = stand()
  const { cursor, etag } = states.answer()
  view.setStop({ site: { since: 'now', by: 'me', reason: 'smoke' }, instruments: {} })
  const answer = read(states.answer(cursor, etag))
  assert.equal(answer.full, false)
  assert.deepEqual(answer.instruments, {})
  assert.equal(answer.stop.site?.reason, 'smoke')
})

test('the time of an answer is fresh although nothing else has changed', async () => {
  const { view, states } = stand()
  const first = read(states.answer())
  view.timeMs += 150
  await new Promise((resolve) => setTimeout(resolve, 120))
  const second = read(states.answer())
  assert.equal(second.cursor, first.cursor)
  assert.equal(Date.parse(second.at) - Date.parse(first.at), 150)
})

test('bytes that were handed out are not written to again', async () => {
  const { view, states } = stand()
  const { body } = states.answer()
  const before = body?.toString()
  view.timeMs += 150
  await new Promise((resolve) => setTimeout(resolve, 120))
  states.answer()
  assert.equal(body?.toString(), before)
})

test('names and texts from instruments can not break out of the document', () => {
  const { view, states } = stand()
  view.publish(snapshotOf('relay-1', view.timeMs, { message: '"},"full":false,"x":{"\u2028 ünï' }))
  const first = read(states.answer())
  assert.equal(first.full, true)
  assert.equal(first.instruments['relay-1']?.message, '"},"full":false,"x":{"\u2028 ünï')
})
