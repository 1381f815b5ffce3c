import { loadSite, type ScheduleConfig } from '@golem/config'
import { isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Play } from '../engine/testing.ts'
import { link, loadRecipes, SHIPPED_RECIPES } from '../language/index.ts'
import type { Program } from '../recipe.ts'
import { ended, lookAt, type ScheduleMemory, type Settled } from './planner.ts'
import { nextStart, startsBetween } from './starts.ts'

const SITE = fileURLToPath(new URL('../../../../instance/demo.yaml', import.meta.url))
const MIN = 60_000
const HOUR = 60 * MIN
const DAY = 24 * HOUR

/** Something that happens to the stand, `at` so long after the beginning: its clock is set, or the scheduler is away. */
type Happening = { at: number; setBy: number } | { at: number; awayFor: number }

interface Kept {
  schedule: ScheduleConfig
  program: Program
  memory: ScheduleMemory | undefined
  settled: Settled[]
  play: Play | undefined
  plays: Play[]
}

/** The demo's schedules and recipes over a month, with the real calendar, planner and engine, in virtual time. */
class Stand {
  readonly kept: Kept[]
  readonly #startUtc: number
  #ms = 0
  #shift = 0

  constructor(start: string) {
    this.#startUtc = Date.parse(start)
    const { recipes } = loadRecipes([SHIPPED_RECIPES])
    this.kept = loadSite(SITE, { env: {} }).schedules.map((schedule) => {
      const recipe = recipes.get(schedule.recipe)
      assert.ok(recipe, schedule.recipe)
      const { program, faults } = link(recipe, { recipes, bindings: schedule.instruments })
      assert.ok(program, JSON.stringify(faults))
      return { schedule, program, memory: undefined, settled: [], play: undefined, plays: [] }
    })
  }

  get utcMs(): number {
    return this.#startUtc + this.#ms + this.#shift
  }

  run(forMs: number, happenings: readonly Happening[]): void {
    let backAt = 0
    let missed = ''
    const script = [...happenings]
    while (this.#ms < forMs) {
      if (this.#ms >= backAt) this.#look(missed)
      const next = script[0]?.at ?? Infinity
      // Also at marks that come a second time because the clock was set back.
      const planned = this.kept.map(({ schedule }) => {
        const at = nextStart(schedule.when, this.utcMs)
        return at === null ? Infinity : this.#ms + at - this.utcMs
      })
      this.#pass(Math.min(forMs, next, ...(this.#ms < backAt ? [backAt] : planned)) - this.#ms)
      missed = this.#ms <= backAt ? missed : 'Nobody knows why.'
      if (this.#ms < next) continue
      const happening = script.shift()
      if (happening && 'setBy' in happening) {
        this.#shift += happening.setBy
        for (const { play } of this.kept) play?.setClock(happening.setBy)
        missed = 'The clock was set.'
      } else if (happening) {
        backAt = this.#ms + happening.awayFor
        missed = 'Nobody was there.'
      }
    }
    this.#look(missed)
    this.#pass(9 * MIN)
  }

  #look(absence: string): void {
    for (const each of this.kept) {
      const { memory, settled } = lookAt(each.schedule, each.memory, {
        nowMs: this.utcMs,
        clockFault: null,
        obstacle: () => null,
        absence,
      })
      each.memory = memory
      each.settled.push(...settled)
      if (!settled.some((one) => 'run' in one)) continue
      assert.equal(each.play, undefined, `${each.schedule.id} runs twice at a time`)
      each.play = new Play(each.program, {
        at: isoTime(this.utcMs),
        parameters: each.schedule.parameters,
        readings: { 'co2.state': 'measuring', 'co2.co2': 430 },
        latencyMs: 20,
      }).start()
      each.plays.push(each.play)
    }
  }

  #pass(ms: number): void {
    this.#ms += ms
    for (const each of this.kept) {
      each.play?.for(ms)
      const [going] = each.memory?.going ?? []
      if (each.play?.state.phase !== 'ended' || !going || !each.memory) continue
      each.memory = ended(each.memory, going.run)
      each.play = undefined
    }
  }
}

/** Each planned start, as often as it was settled. */
function marksOf({ schedule, settled }: Kept): number[] {
  return settled
    .flatMap((one) =>
      'run' in one
        ? [one.plannedMs]
        : startsBetween(schedule.when, one.plannedMs - 1, one.untilMs, one.count),
    )
    .toSorted((a, b) => a - b)
}

const local = new Intl.DateTimeFormat('de', {
  timeZone: 'Europe/Berlin',
  hour: '2-digit',
  minute: '2-digit',
})

const MONTHS: [title: string, start: string, happenings: Happening[]][] = [
  [
    'a leap day, clocks go forward, the clock is set forward and back by an hour',
    '2028-02-28T00:05:00Z',
    [
      { at: 5 * DAY + 3 * MIN, setBy: HOUR },
      { at: 12 * DAY + 7 * MIN, setBy: -HOUR },
    ],
  ],
  [
    'clocks go back, the clock is set back and forward by an hour in the middle of runs, the scheduler is away at night',
    '2027-10-12T00:05:00Z',
    [
      { at: 8 * DAY + 57 * MIN, setBy: -HOUR },
      { at: 9 * DAY + 57 * MIN, setBy: HOUR },
      // Past 03:05 in Berlin, from 00:55 UTC on.
      { at: 10 * DAY + 50 * MIN, awayFor: HOUR },
    ],
  ],
]

for (const [title, start, happenings] of MONTHS) {
  test(`30 days of the demo, every start accounted for: ${title}`, (t) => {
    const cpu = process.cpuUsage()
    const stand = new Stand(start)
    stand.run(30 * DAY, happenings)
    const starts = stand.kept.flatMap(({ settled }) => settled.filter((one) => 'run' in one)).length
    const { user, system } = process.cpuUsage(cpu)
    const seconds = (user + system) / 1e6
    t.diagnostic(`${starts} runs in ${seconds.toFixed(1)} s of CPU`)
    assert.ok(seconds < 60)

    for (const each of stand.kept) {
      const { schedule, settled, plays } = each
      const marks = marksOf(each)
      const last = marks.at(-1) ?? 0
      assert.deepEqual(marks, startsBetween(schedule.when, Date.parse(start), last, 100_000), schedule.id)
      const runs = settled.flatMap((one) => ('run' in one ? [one] : []))
      assert.equal(new Set(runs.map(({ run }) => run)).size, runs.length)
      assert.equal(runs.length, plays.length)
      for (const play of plays) assert.equal(play.state.end, 'completed', play.state.message)
    }

    const [air, control, zero] = stand.kept
    assert.ok(air && control && zero)
    for (const { settled, plays } of [air, control]) {
      // An hour set forward, or away, is missed; an hour set back comes a second time, and nothing starts in it.
      const skipped = settled.reduce((sum, one) => sum + ('run' in one ? 0 : one.count), 0)
      assert.ok(skipped >= 5 && skipped <= 13, `${skipped} skipped`)
      assert.ok(plays.length > 30 * 24 * 6 - 20)
      assert.ok(settled.every((one) => !('run' in one) || one.lateMs < MIN))
      for (const play of plays) {
        assert.equal(play.sent.length, 8)
        assert.ok(Object.values(play.outputs).every((on) => on === false))
        assert.ok(play.ms >= 245_000)
      }
    }
    assert.deepEqual(
      new Set(marksOf(zero).map((ms) => local.format(ms))),
      new Set(['03:05']),
      'by the clock on the wall, also where it changes',
    )
    assert.equal(marksOf(zero).length, 30)
    assert.ok(
      zero.settled.every((one) => 'run' in one),
      'what was missed is made up for',
    )
  })
}
