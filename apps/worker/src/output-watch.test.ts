import type { CountRules, OutputCount, OutputRules, Value } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OutputMemory, OutputWatch } from './output-watch.ts'

/** An output before a clock that is set by hand, in seconds. */
class Bench {
  now = 1_000
  readonly watch: OutputWatch

  constructor(rules: OutputRules, safe: Value | undefined = false, memory?: OutputMemory, readable = true) {
    const matches = (wanted: Value, got: Value): boolean => wanted === got
    this.watch = new OutputWatch(
      {
        name: 'board.pump',
        unit: '%',
        rules,
        safe,
        matches,
        memory,
        readable,
        time: '2026-01-01T00:00:00.000Z',
      },
      this.now * 1000,
    )
  }

  after(seconds: number): this {
    this.now += seconds
    return this
  }

  /** As a command does that the instrument acknowledges. */
  write(value: Value): this {
    this.judge(value)
    this.watch.writing(value, this.now * 1000)
    this.watch.wrote(value, this.now * 1000)
    return this
  }

  judge(value: Value): void {
    this.watch.judge(value, this.now * 1000, (at) => `t=${at / 1000}`)
  }

  read(value: Value): this {
    this.watch.read(value, this.now * 1000 - 50, this.now * 1000)
    return this
  }

  count(): Omit<OutputCount, 'since'> {
    assert.ok(this.watch.counter)
    const { onTimeS, cycles, litres, level } = this.watch.counter.count
    return { onTimeS, cycles, ...(litres === undefined ? {} : { litres }), level }
  }

  get offIn(): number {
    return this.watch.offBy / 1000 - this.now
  }
}

const refused = (message: RegExp): object => ({ code: 'OUTPUT_RULE', message })

test('maxOn counts from the write that switched it on; writing it again changes nothing', () => {
  const pump = new Bench({ maxOnMs: 60_000 })
  pump.read(false)
  assert.equal(pump.offIn, Infinity)
  pump.after(100).write(true)
  assert.equal(pump.offIn, 60)
  pump.after(2).read(true).after(30).write(true)
  assert.equal(pump.offIn, 28)
  pump.write(false)
  assert.equal(pump.offIn, Infinity)
})

test('maxOn counts a switching by hand from when it was last seen off', () => {
  const pump = new Bench({ maxOnMs: 60_000 })
  pump.read(false).after(5).read(true)
  assert.ok(Math.abs(pump.offIn - 55) < 0.1, String(pump.offIn))
})

test('a write whose answer is lost counts as on; one the instrument refuses does not', () => {
  const pump = new Bench({ maxOnMs: 60_000 })
  pump.read(false).after(5)
  pump.watch.writing(true, pump.now * 1000)
  assert.equal(pump.offIn, 60)
  pump.watch.refused()
  assert.equal(pump.offIn, Infinity)
})

test('an answer that is lost on the way off leaves it on', () => {
  const pump = new Bench({ maxOnMs: 60_000 }).read(false).write(true).after(10)
  pump.watch.writing(false, pump.now * 1000)
  assert.equal(pump.offIn, 50)
})

test('what acknowledges the switching off and stays on has been on all the time', () => {
  const pump = new Bench({ maxOnMs: 60_000 }).read(false).write(true).after(60)
  assert.ok(pump.offIn <= 0)
  pump.watch.wrote(false, pump.now * 1000)
  assert.equal(pump.offIn, Infinity)
  // Directly after a write a reading may be from before it.
  pump.after(0.5).read(true)
  assert.equal(pump.offIn, Infinity)
  pump.after(1).read(true)
  assert.ok(pump.offIn < 0, String(pump.offIn))
  pump.watch.wrote(false, pump.now * 1000)
  pump.after(2).read(false).after(10).read(true)
  assert.ok(Math.abs(pump.offIn - 50) < 0.1, String(pump.offIn))
})

test('of an output nothing is known of, maxOn counts from the beginning', () => {
  const pump = new Bench({ maxOnMs: 60_000 }).after(20).read(true)
  assert.equal(pump.offIn, 40)
})

test('a reading that began before the last write says nothing', () => {
  const pump = new Bench({ maxOnMs: 60_000 }).read(false).after(5)
  const began = pump.now * 1000 - 100
  pump.write(true)
  pump.watch.read(false, began, pump.now * 1000 + 5_000)
  assert.equal(pump.offIn, 60)
})

test('minOn and minOff refuse with the time when it may be; writing what it is already is no change', () => {
  const pump = new Bench({ minOnMs: 60_000, minOffMs: 180_000 }).read(false)
  assert.throws(
    () => pump.after(10).judge(true),
    refused(/board\.pump has to stay off for at least 180 s: it may be switched on at t=1180, in 170 s/),
  )
  pump.after(170).write(true).after(2).read(true)
  assert.throws(
    () => pump.after(10).judge(false),
    refused(/stay on for at least 60 s: it may be switched off at t=1240, in 48 s/),
  )
  pump.write(true).after(48).write(false)
  pump.after(5).write(false)
  assert.throws(() => pump.judge(true), refused(/in 175 s/))
})

test('what may have been switched off just before golem came is not switched on too soon, but may be switched off', () => {
  const pump = new Bench({ minOnMs: 60_000, minOffMs: 60_000 })
  assert.throws(() => pump.after(1).judge(true), refused(/in 59 s/))
  pump.judge(false)
})

test('a level of one that is on may be changed while minOn lasts', () => {
  const lamp = new Bench({ minOnMs: 60_000 }, 0).read(0).write(50).after(1).write(60)
  assert.throws(() => lamp.judge(0), refused(/stay on/))
})

test('slew: a step at once, and then so much a second; the safe value always', () => {
  const lamp = new Bench({ slew: { perSecond: 2, step: 10 } }, 0).read(20)
  assert.throws(
    () => lamp.judge(31),
    refused(/from 20 % it may now go to anything from 10 to 30 %, not to 31/),
  )
  lamp.write(30)
  assert.throws(() => lamp.judge(31), refused(/from 30 to 30 %/))
  lamp.after(1).write(32).after(3).write(26).after(100)
  assert.throws(() => lamp.judge(37), refused(/from 16 to 36/))
  lamp.write(0)
})

test('slew: where it is not known where it is, the farther end counts', () => {
  const lamp = new Bench({ slew: { perSecond: 1, step: 10 } }, undefined)
  assert.throws(() => lamp.judge(5), refused(/not known where it is/))
  lamp.read(20)
  lamp.watch.writing(30, lamp.now * 1000)
  lamp.after(10)
  assert.throws(() => lamp.judge(35), refused(/somewhere between 20 and 30 %/))
  lamp.judge(25)
  lamp.read(30).judge(40)
})

const counting = (count: Partial<CountRules>): OutputRules => ({ count: { atLimit: 'tell', ...count } })

test('time on and cycles are counted, by writes and by readings', () => {
  const pump = new Bench(counting({ volume: { litresPerMinute: 3 } })).read(false)
  pump.write(true).after(60).write(true).after(60).write(false).after(100).read(false)
  assert.deepEqual(pump.count(), { onTimeS: 120, cycles: 1, litres: 6, level: 'ok' })
  // Switched by hand: counted from the reading that shows it to the last one that did.
  pump.after(5).read(true).after(5).read(true).after(5).read(false)
  assert.deepEqual(pump.count(), { onTimeS: 124, cycles: 2, litres: 6.248, level: 'ok' })
})

test('a switching on that the instrument refuses is no cycle', () => {
  const pump = new Bench(counting({ cycles: { limit: 10 } })).read(false)
  pump.watch.writing(true, pump.now * 1000)
  assert.equal(pump.count().cycles, 1)
  pump.watch.refused()
  assert.equal(pump.count().cycles, 0)
})

test('what was on over the death of its worker has been on in between if it still is', () => {
  const before = new Bench(counting({ onTime: {} })).read(false).write(true).after(10).read(true)
  const later = (): Bench => {
    const bench = new Bench(counting({ onTime: {} }), false, before.watch.memory)
    bench.now = before.now + 100
    return bench
  }
  assert.equal(later().read(true).count().onTimeS, 109)
  assert.equal(later().read(false).count().onTimeS, 9)
})

test('an output that is never read counts as time passes', () => {
  const pump = new Bench(counting({ onTime: {} }), false, undefined, false)
  pump.write(true).after(30)
  pump.watch.tick(pump.now * 1000)
  assert.equal(pump.count().onTimeS, 30)
})

test('a limit is told once, and refuses to switch on until the counter is reset', () => {
  const rules = counting({ atLimit: 'refuse', onTime: { warnAtMs: 50_000, limitMs: 100_000 } })
  const pump = new Bench(rules).read(false).write(true)
  const counter = pump.watch.counter
  assert.ok(counter)
  assert.equal(counter.news(), undefined)
  pump.after(50).write(true)
  assert.match(counter.news() ?? '', /a limit is near: on for 0.01 h of 0.03 h/)
  assert.equal(counter.news(), undefined)
  pump.after(60).write(true)
  assert.match(counter.news() ?? '', /a limit is reached.*not switched on again until it is reset/)
  pump.write(false)
  assert.throws(() => pump.judge(true), refused(/used up what it may .*resetCounters/))
  counter.reset('2026-02-01T00:00:00.000Z')
  pump.judge(true)
  assert.deepEqual([counter.count.since, counter.level], ['2026-02-01T00:00:00.000Z', 'ok'])
})
