import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AlarmMemory, type Manner, type Turn, acknowledge, advance, isWorthKeeping } from './machine.ts'

/** An alarm in virtual time; the two clocks differ by an hour that steps. */
class Rig {
  memory: AlarmMemory | undefined
  ms = 0
  stepMs = 0
  readonly turns: [number, Turn][] = []
  readonly #manner: Manner

  constructor(manner: Partial<Manner> = {}) {
    this.#manner = { delayMs: 0, offDelayMs: 0, latch: false, ...manner }
  }

  at(ms: number, so: boolean | null): this {
    this.ms = ms
    const facts = { so, message: `at ${ms}`, value: ms }
    const next = advance(this.memory, this.#manner, facts, { ms, utc: ms + this.stepMs })
    // As the next leader gets it.
    this.memory = JSON.parse(JSON.stringify(next.memory)) as AlarmMemory
    if (next.turn) this.turns.push([ms, next.turn])
    return this
  }

  acknowledge(): Turn | undefined {
    assert.ok(this.memory)
    const next = acknowledge(this.memory, { by: 'ada', at: this.ms, note: 'seen' })
    if (next) this.memory = next.memory
    return next?.turn
  }

  get condition(): string {
    return this.memory?.condition ?? 'none'
  }
}

test('it becomes active, returns, and is settled when somebody has acknowledged it', () => {
  const rig = new Rig().at(0, false).at(10, true)
  assert.equal(rig.condition, 'active')
  assert.equal(rig.memory?.since, 10)
  rig.at(20, false)
  assert.equal(rig.condition, 'returned')
  assert.equal(rig.memory?.returnedAt, 20)
  assert.equal(rig.acknowledge(), 'settled')
  assert.equal(rig.condition, 'normal')
  assert.equal(rig.acknowledge(), undefined)
  assert.deepEqual(rig.turns, [
    [10, 'raised'],
    [20, 'returned'],
  ])
})

test('acknowledged while it is active, it is settled when it is over; coming back it calls anew', () => {
  const rig = new Rig().at(0, true)
  assert.equal(rig.acknowledge(), null)
  rig.at(10, false)
  assert.equal(rig.condition, 'normal')
  rig.at(20, true)
  assert.equal(rig.memory?.acknowledged, null)
  assert.equal(rig.memory?.count, 1)
  rig.at(30, false).at(40, true)
  assert.equal(rig.memory?.count, 2, 'nobody has acknowledged it in between')
  assert.deepEqual(
    rig.turns.map(([, turn]) => turn),
    ['raised', 'settled', 'raised', 'returned', 'raised'],
  )
})

test('a latched one stays until it is acknowledged after it was over', () => {
  const rig = new Rig({ latch: true }).at(0, true)
  rig.acknowledge()
  rig.at(10, false)
  assert.equal(rig.condition, 'returned')
  assert.equal(rig.acknowledge(), 'settled')
  assert.equal(rig.condition, 'normal')
})

test('delays: what lasts shorter is none; a pause shorter than the off delay ends none', () => {
  const rig = new Rig({ delayMs: 100, offDelayMs: 50 })
  rig.at(0, true).at(99, true)
  assert.equal(rig.condition, 'normal')
  assert.ok(rig.memory && isWorthKeeping(rig.memory), 'the delay that runs is remembered')
  rig.at(99.5, false)
  assert.ok(rig.memory && !isWorthKeeping(rig.memory))
  rig.at(200, true).at(300, true)
  assert.equal(rig.condition, 'active')
  rig.at(310, false).at(359, false).at(359.5, true).at(400, false).at(449, false)
  assert.equal(rig.condition, 'active')
  rig.at(450, false)
  assert.equal(rig.condition, 'returned')
})

test('what nobody can know changes nothing: neither raises nor ends, and a delay goes on', () => {
  const rig = new Rig({ delayMs: 100 }).at(0, true).at(50, null).at(200, null)
  assert.equal(rig.condition, 'normal')
  rig.at(210, true)
  assert.equal(rig.condition, 'active')
  rig.at(300, null)
  assert.equal(rig.condition, 'active')
})

test('steps of the clock on the wall change no delay', () => {
  const rig = new Rig({ delayMs: 100 }).at(0, true)
  rig.stepMs = 3_600_000
  rig.at(50, true)
  assert.equal(rig.condition, 'normal')
  rig.stepMs = -3_600_000
  rig.at(100, true)
  assert.equal(rig.condition, 'active')
})

test('a successor whose steady clock is behind does not wait for ever', () => {
  const rig = new Rig({ delayMs: 100 }).at(1_000_000, true).at(0, true).at(100, true)
  assert.equal(rig.condition, 'active')
})

test('one that comes and goes every second calls a few times, and is active until it has been quiet for a minute', () => {
  const rig = new Rig()
  let ms = 0
  for (let n = 0; n < 600; n++) {
    rig.at((ms = n * 1000), n % 2 === 0)
  }
  assert.equal(rig.turns.filter(([, turn]) => turn === 'raised').length, 5)
  assert.equal(rig.condition, 'active')
  rig.at(ms + 59_000, false)
  assert.equal(rig.condition, 'active')
  rig.at(ms + 61_000, false)
  assert.equal(rig.condition, 'returned')
  assert.equal(rig.memory?.count, 5)
})
