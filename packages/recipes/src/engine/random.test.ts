import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoTime, type Outcome, RUN_REQUESTS } from '@golem/core'
import type { Program } from '../recipe.ts'
import {
  begin,
  type Effect,
  type EngineEvent,
  type EngineState,
  progressOf,
  statusOf,
  step,
} from './index.ts'
import { programOf } from './testing.ts'

/** Each step kind, in each other; the last command of `finally` and of the call's are counted. */
const EVERYTHING = `label: Everything
parameters:
  n: { type: integer, label: N, default: 3, min: 1, max: 5 }
  t: { type: duration, label: T, default: 5 s, min: 1 s, max: 20 s }
onRestart: POLICY
stages:
  - name: one
    steps:
      - set: { a.x: 1, a.y: 2 }
      - wait: $t
      - do: { action: b.dose }
        onRestart: hold
      - until: { reading: a.t, above: 5, for: 3 s, timeout: 30 s, onTimeout: continue }
      - repeat: { times: $n, every: 3 s, steps: [{ set: { b.x: $n } }, { note: round }] }
  - name: two
    steps:
      - forEach: { name: v, in: { from: 0, to: 2, step: 1 }, steps: [{ set: { a.x: $v } }, { measure: { readings: [a.t], samples: 2 } }] }
      - parallel:
          - steps: [{ call: { recipe: pulse, with: { length: $t } } }, { ramp: { parameter: b.x, from: 0, to: 5, over: 10 s, every: 2 s } }]
          - steps: [{ control: { kind: hysteresis, reading: a.t, output: c.heat, low: 3, high: 7, for: 20 s } }]
          - steps: [{ if: { condition: { reading: a.t, above: 5 }, then: [set: { c.x: 1 }], else: [set: { c.x: 2 }] } }]
      - wait: { aligned: 1 min }
      - repeat: { for: 10 s, every: 2 s, steps: [{ set: { a.y: 5 }, onFailure: continue }] }
        onFailure: continue
finally:
  - set: { a.x: 0 }
  - { set: { a.y: 0 }, onRestart: resume }
  - set: { LAST.x: 0 }
`
const PULSE = `label: Pulse
parameters: { length: { type: duration, label: Length, default: 5 s } }
stages: [{ name: on, steps: [{ set: { d.x: true } }, { wait: $length }] }]
finally: [{ set: { d.x: false } }]
`

/** A small generator of numbers from 0 to 1; the same seed gives the same ones. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const CODES = ['OUT_OF_RANGE', 'WORKER_AWAY', 'STOPPED', 'LINK_DOWN'] as const

/** What was handed over and what became of it: the world outside the engine. */
class World {
  readonly program: Program
  state: EngineState
  readonly chance: () => number
  ms = 0
  utc = Date.parse('2026-03-29T00:58:00Z')
  readonly ids = new Set<string>()
  /** Commands handed over that have no outcome yet. */
  open: string[] = []
  /** Commands that were handed over, by id; those that were refused or withdrawn in time are marked. */
  readonly handed = new Map<string, { what: string; sent: boolean }>()
  resets = 0
  safe = 0
  stepCount = 0

  constructor(program: Program, seed: number) {
    this.program = program
    this.chance = random(seed)
    this.state = begin(program, { run: `r-${seed}`, parameters: {} })
  }

  pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.chance() * from.length)]
    assert.ok(found !== undefined)
    return found
  }

  /** Steps, persists, and (unless it crashes in between) hands the effects over. */
  tell(event: EngineEvent): void {
    const value = Math.floor(this.ms / 7000) % 2 === 0 ? 8 : 2
    const quality = this.chance() < 0.1 ? ('bad' as const) : ('good' as const)
    const readings = { 'a.t': { value, at: isoTime(this.utc), quality, staleAfterMs: 3000 } }
    const { state, effects, wakeInMs } = step(this.program, this.state, {
      ...event,
      now: { runMs: this.ms, utcMs: this.utc, readings },
    })
    this.stepCount++
    this.state = JSON.parse(JSON.stringify(state)) as EngineState
    assert.deepEqual(this.state, state)
    assert.ok(wakeInMs === null || wakeInMs >= 0)
    assert.ok(progressOf(this.program, this.state, { runMs: this.ms, utcMs: this.utc }).doing.length > 0)
    for (const { id } of effects) {
      assert.ok(!this.ids.has(id), `effect ${id} twice`)
      this.ids.add(id)
    }
    // At most so many of the commands are handed over before the scheduler dies.
    const dies = this.chance() < 0.03
    const handed = dies ? Math.floor(this.chance() * (effects.length + 1)) : effects.length
    for (const effect of effects.slice(0, handed)) this.handOver(effect)
    if (dies) this.crash(effects.slice(handed))
  }

  handOver(effect: Effect): void {
    if (effect.type === 'command' || effect.type === 'safe') this.open.push(effect.id)
    if (effect.type === 'safe') this.safe++
    if (effect.type === 'command') {
      const { target } = effect
      const what =
        'parameter' in target ? `${target.parameter}=${JSON.stringify(target.value)}` : target.action
      this.handed.set(effect.id, { what: `${effect.instrument}.${what}`, sent: true })
    }
    if (effect.type === 'cancel') {
      // Half of them had been sent by then.
      if (this.open.includes(effect.command) && this.chance() < 0.5) this.unsent(effect.command)
      this.open = this.open.filter((id) => id !== effect.command)
    }
    if (effect.type === 'event' && effect.message.startsWith('Reset by')) this.resets++
  }

  unsent(id: string): void {
    const command = this.handed.get(id)
    if (command) command.sent = false
  }

  /** How often a command was handed over, or sent in the end. */
  count(what: string, only: 'handed' | 'sent'): number {
    return [...this.handed.values()].filter((each) => each.what === what && (only === 'handed' || each.sent))
      .length
  }

  crash(lost: readonly Effect[]): void {
    const gapMs = Math.floor(this.chance() * 30_000)
    this.pass(gapMs)
    const notSent = lost.flatMap(({ type, id }) => (type === 'command' || type === 'safe' ? [id] : []))
    this.tell({ type: 'interrupted', gapMs, notSent, cause: 'a crash' })
  }

  pass(ms: number): void {
    this.ms += ms
    this.utc += ms
  }

  outcome(): Outcome {
    const chance = this.chance()
    if (chance < 0.9) return { outcome: 'done', effect: 'done' }
    if (chance < 0.93)
      return { outcome: 'unknown', effect: 'unknown', code: 'REPLY_TIMEOUT', message: 'no answer' }
    return { outcome: 'refused', effect: 'none', code: this.pick(CODES), message: 'refused' }
  }

  /** One thing that may happen. */
  happen(): void {
    const chance = this.chance()
    if (this.open.length > 0 && chance < 0.6) {
      const id = this.pick(this.open)
      this.open = this.open.filter((each) => each !== id)
      const outcome = this.outcome()
      if (outcome.outcome === 'refused') this.unsent(id)
      return this.tell({ type: 'outcome', id, outcome })
    }
    if (chance < 0.93) {
      this.pass(Math.floor(this.chance() * 3000))
      return this.tell({ type: 'tick' })
    }
    if (chance < 0.935) this.utc += (this.chance() < 0.5 ? -1 : 1) * 3_600_000
    if (chance < 0.94) return this.tell({ type: 'halt', reason: 'stop' })
    if (chance < 0.945) return this.tell({ type: 'fail', reason: 'from outside' })
    if (chance < 0.95) {
      return this.tell({
        type: 'parameters',
        values: { n: Math.ceil(this.chance() * 7), t: 3000 },
        by: 'ann',
      })
    }
    const quiet = ['pause', 'skip', 'ping', 'resume', 'resume', 'resume', 'resume'] as const
    const request = this.chance() < 0.05 ? this.pick(RUN_REQUESTS) : this.pick(quiet)
    this.tell({ type: 'request', request, by: 'ann' })
  }
}

for (const policy of ['resume', 'hold', 'ask', 'safe']) {
  test(`whatever happens in whatever order, with onRestart: ${policy}`, () => {
    const program = programOf(EVERYTHING.replace('POLICY', policy).replace('LAST', 'z'), { pulse: PULSE })
    const seen = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World(program, seed)
      world.tell({ type: 'start' })
      let turns = 0
      while (world.state.phase !== 'ended' && turns++ < 5000) world.happen()
      const { end, state } = statusOf(program, world.state)
      assert.equal(state, 'ended', `seed ${seed}: ${world.state.message}`)
      assert.ok(end)
      seen.add(end)
      // The end that was promised: finally was gone through to its last step, or the outputs are safe, or neither.
      if (end === 'aborted') assert.ok(world.safe > 0, `seed ${seed}`)
      else assert.equal(world.safe, 0, `seed ${seed}`)
      if (end !== 'aborted' && end !== 'killed') {
        assert.ok(world.count('z.x=0', 'handed') >= 1, `seed ${seed}: ${end} without finally`)
        const pulses = world.count('d.x=true', 'handed')
        assert.ok(
          pulses === 0 || world.count('d.x=false', 'handed') >= 1,
          `seed ${seed}: ${end} without that of the call`,
        )
      }
      // What can't be repeated was not repeated, unless somebody wanted it.
      assert.ok(world.count('b.dose', 'sent') <= 1 + world.resets, `seed ${seed}: dosed twice`)
      assert.ok(world.count('z.x=0', 'sent') <= 1, `seed ${seed}: finally twice`)
      // Nothing is left that could still be sent.
      assert.deepEqual(statusOf(program, world.state).pending, [])
      const after = JSON.stringify(world.state)
      const before = world.ids.size
      world.pass(1000)
      world.tell({ type: 'tick' })
      assert.equal(world.ids.size, before, `seed ${seed}: an ended run does something`)
      assert.equal(
        JSON.stringify({ ...world.state, runMs: 0, withdrawn: [] }),
        JSON.stringify({ ...(JSON.parse(after) as EngineState), runMs: 0, withdrawn: [] }),
      )
    }
    assert.ok(seen.size >= 3, [...seen].join())
  })
}
