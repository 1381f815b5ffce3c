import type { ScheduleConfig } from '@golem/config'
import { isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ended, lookAt, type Looked, type ScheduleMemory, type Settled, switched } from './planner.ts'
import { startsBetween } from './starts.ts'

const MIN = 60_000
const HOUR = 60 * MIN
const START = Date.parse('2026-03-01T10:05:00Z')

const air: ScheduleConfig = {
  id: 'air',
  label: 'Air',
  recipe: 'ventilation',
  parameters: {},
  instruments: {},
  when: { kind: 'every', everyMs: 10 * MIN, offsetMs: 0 },
  missed: 'skip',
  withinMs: MIN,
  onOverlap: 'skip',
  enabled: true,
  place: { line: 1, column: 1 },
}

/** A schedule that is looked at; its runs end when they are told to. */
class Desk {
  memory: ScheduleMemory | undefined
  readonly settled: Settled[] = []
  readonly news: string[] = []
  nowMs = START
  clockFault: string | null = null
  obstacle: string | null = null
  readonly schedule: ScheduleConfig

  constructor(schedule: Partial<ScheduleConfig> = {}) {
    this.schedule = { ...air, ...schedule }
    this.look()
  }

  look(schedule = this.schedule): Looked {
    const { nowMs, clockFault } = this
    const obstacle = (): string | null => this.obstacle
    const before = JSON.stringify(this.memory)
    const looked = lookAt(schedule, this.memory, {
      nowMs,
      clockFault,
      obstacle,
      absence: 'Nobody was there.',
    })
    assert.equal(JSON.stringify(this.memory), before, 'the memory was changed')
    this.memory = JSON.parse(JSON.stringify(looked.memory)) as ScheduleMemory
    this.settled.push(...looked.settled)
    if (looked.news !== null) this.news.push(looked.news)
    return looked.more ? this.look(schedule) : looked
  }

  at(time: string): this {
    this.nowMs = Date.parse(`2026-03-01T${time}:00Z`)
    this.look()
    return this
  }

  end(): this {
    const run = this.memory?.going[0]?.run ?? ''
    if (this.memory) this.memory = ended(this.memory, run)
    this.look()
    return this
  }

  turn(enabled: boolean): this {
    if (this.memory) this.memory = switched(this.memory, enabled, this.nowMs)
    this.look()
    return this
  }

  /** e.g. `10:10 +0 s`, or `10:20 skipped: why`. */
  get told(): string[] {
    return this.settled.map((one) => {
      const from = isoTime(one.plannedMs).slice(11, 16)
      if ('run' in one) return `${from} +${one.lateMs / 1000} s`
      const until = one.count === 1 ? '' : ` to ${isoTime(one.untilMs).slice(11, 16)} (${one.count})`
      return `${from}${until} skipped: ${one.skipped}`
    })
  }
}

test('what is due is started once; a run still going on skips the mark', () => {
  const desk = new Desk().at('10:10').at('10:10').at('10:14').end().at('10:20').at('10:30').end().at('10:40')
  assert.deepEqual(desk.told, [
    '10:10 +0 s',
    '10:20 +0 s',
    '10:30 skipped: Its run air-20260301-102000 was still going on.',
    '10:40 +0 s',
  ])
})

test('missed: skip, run once, catch up', () => {
  const missed = (policy: ScheduleConfig['missed']): string[] => {
    const desk = new Desk({ missed: policy }).at('10:45')
    for (let n = 0; n < 5; n += 1) desk.end()
    return desk.told
  }
  assert.deepEqual(missed('skip'), ['10:10 to 10:40 (4) skipped: Nobody was there.'])
  assert.deepEqual(missed('once'), [
    '10:10 to 10:30 (3) skipped: The start of 2026-03-01T10:40:00.000Z stands for it.',
    '10:40 +300 s',
  ])
  assert.deepEqual(missed('catch-up'), ['10:10 +2100 s', '10:20 +1500 s', '10:30 +900 s', '10:40 +300 s'])
})

test('a little late is on time, and of several at once the newest is', () => {
  assert.deepEqual(new Desk({ withinMs: 5 * MIN }).at('10:24').told, [
    '10:10 skipped: Nobody was there.',
    '10:20 +240 s',
  ])
})

test('no more than 24 are caught up', () => {
  const desk = new Desk({ missed: 'catch-up' })
  desk.nowMs = START + 10 * HOUR
  desk.look()
  assert.equal(desk.told[0], '10:10 to 16:00 (36) skipped: More than 24 were missed.')
  for (let n = 0; n < 30; n += 1) desk.end()
  assert.equal(desk.told.length, 25)
})

test('onOverlap: wait starts the newest as soon as the run has ended', () => {
  const desk = new Desk({ onOverlap: 'wait' }).at('10:10').at('10:20').at('10:30')
  desk.nowMs += 5 * MIN
  assert.deepEqual(desk.end().told, [
    '10:10 +0 s',
    '10:20 skipped: The start of 2026-03-01T10:30:00.000Z stands for it.',
    '10:30 +300 s',
  ])
})

test('what is in the way skips it', () => {
  const desk = new Desk()
  desk.obstacle = 'The emergency stop is in force.'
  assert.deepEqual(desk.at('10:10').told, ['10:10 skipped: The emergency stop is in force.'])
})

test('calendar times wait for a clock that is trusted; intervals do not', () => {
  const daily = new Desk({ when: { kind: 'at', times: ['10:30:00'], zone: 'UTC', days: [] } })
  daily.clockFault = 'The clock is not synchronised.'
  assert.deepEqual(daily.at('10:30').at('10:40').told, [])
  daily.clockFault = null
  assert.deepEqual(daily.at('10:41').told, ['10:30 skipped: Nobody was there.'])
  const interval = new Desk()
  interval.clockFault = 'The clock is not synchronised.'
  assert.deepEqual(interval.at('10:10').told, ['10:10 +0 s'])
})

test('switched off it plans nothing, and what it owed is dropped; switched on it plans from then', () => {
  const desk = new Desk({ missed: 'catch-up' })
    .at('10:10')
    .at('10:32')
    .turn(false)
    .at('10:50')
    .end()
    .turn(true)
  assert.deepEqual(desk.at('11:00').told, [
    '10:10 +0 s',
    '10:20 to 10:30 (2) skipped: It was switched off.',
    '11:00 +0 s',
  ])
})

test('a schedule that the site file changes is planned anew; whether it was switched off stays otherwise', () => {
  const desk = new Desk().turn(false)
  desk.nowMs += HOUR
  desk.look({ ...desk.schedule, label: 'Other' })
  assert.equal(desk.memory?.enabled, false)
  desk.look({ ...desk.schedule, when: { kind: 'every', everyMs: 20 * MIN, offsetMs: 0 } })
  assert.equal(desk.memory?.enabled, true)
  assert.deepEqual(desk.settled, [])
})

test('a clock set back an hour starts nothing twice; set back a year, it is planned anew', () => {
  const desk = new Desk().at('10:10').end().at('09:15').at('10:05').at('10:10').at('10:20').end()
  assert.deepEqual(desk.told, ['10:10 +0 s', '10:20 +0 s'])
  desk.nowMs = Date.parse('2025-03-01T10:25:00Z')
  desk.look()
  desk.nowMs += 5 * MIN
  desk.look()
  assert.equal(desk.told.at(-1), '10:30 +0 s')
  assert.match(desk.news.join(), /was set back to 2025-03-01T10:25:00.000Z: it is planned anew/)
  assert.equal(desk.memory?.going[0]?.run, 'air-20250301-103000-1')
})

test('a clock that was years behind: all in between is accounted for, in few lines', () => {
  const desk = new Desk({ missed: 'once' })
  desk.nowMs = START + 20 * 365 * 24 * HOUR
  desk.look()
  const count = desk.settled.reduce((sum, one) => sum + ('run' in one ? 1 : one.count), 0)
  assert.equal(count, 20 * 365 * 24 * 6)
  assert.ok(desk.settled.length < 120, String(desk.settled.length))
})

test('whatever happens, each planned start is settled exactly once, in order', () => {
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  for (const missed of ['skip', 'once', 'catch-up'] as const) {
    for (const onOverlap of ['skip', 'wait'] as const) {
      const desk = new Desk({ missed, onOverlap })
      for (let n = 0; n < 4000; n += 1) {
        const what = random(100)
        desk.nowMs += what < 2 ? random(2 * HOUR) - HOUR : random(3 * MIN)
        desk.obstacle = random(20) === 0 ? 'Something is in the way.' : null
        if (random(5) === 0) desk.end()
        else desk.look()
      }
      desk.nowMs = (desk.memory?.upToMs ?? 0) + 1
      for (let n = 0; n < 30; n += 1) desk.end()
      const seen = desk.settled
        .flatMap((one) =>
          'run' in one ? [one.plannedMs] : startsBetween(air.when, one.plannedMs - 1, one.untilMs, one.count),
        )
        .toSorted((a, b) => a - b)
      const wanted = startsBetween(air.when, START, desk.memory?.upToMs ?? 0, 100_000)
      assert.ok(wanted.length > 200)
      assert.deepEqual(seen, wanted)
      const runs = desk.settled.flatMap((one) => ('run' in one ? [one.run] : []))
      assert.equal(new Set(runs).size, runs.length)
    }
  }
})
