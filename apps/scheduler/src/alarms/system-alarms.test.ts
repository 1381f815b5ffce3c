import type { Now } from '@golem/alarms'
import type { Site } from '@golem/config'
import {
  type AlarmRecord,
  type InterlockRecord,
  type OutputCount,
  type RunRecord,
  type Snapshot,
  type WorkerRecord,
  isoTime,
} from '@golem/core'
import type { SchedulerWrite, SiteView } from '@golem/queue'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AlarmBook } from './alarm-book.ts'
import type { Definition } from './definition.ts'
import { SystemAlarms } from './system-alarms.ts'

const START = Date.parse('2026-05-01T10:00:00.000Z')
const LEASE_MS = 10_000
const SITE = {
  leaseMs: LEASE_MS,
  archive: null,
  instruments: [{ id: 'lamp', label: 'Lamp' }],
} as unknown as Site

/** A site in memory, in virtual time. */
class Rig {
  ms = 0
  readonly workers = new Map<string, WorkerRecord>()
  readonly snapshots = new Map<string, Snapshot>()
  readonly runs = new Map<string, RunRecord>()
  readonly interlocks = new Map<string, InterlockRecord>()
  readonly view = {
    workers: this.workers,
    archivers: new Map(),
    samplesWaiting: 0,
    snapshots: this.snapshots,
    runs: this.runs,
    interlocks: this.interlocks,
    alarms: new Map(),
    now: () => START + this.ms,
  } as unknown as SiteView
  readonly writes: SchedulerWrite[] = []
  book: AlarmBook
  system: SystemAlarms
  #runsDone: readonly string[] = []

  constructor() {
    this.book = new AlarmBook(this.view)
    this.system = new SystemAlarms(SITE, this.view, this.book, [])
    this.beat('w-1')
    this.speak('w-1')
  }

  now(): Now {
    return { ms: this.ms, utc: START + this.ms }
  }

  /** Lets time pass, a look each second. */
  pass(ms: number, meanwhile: () => void = () => undefined): this {
    for (const end = this.ms + ms; this.ms < end; this.ms += 1000) {
      meanwhile()
      this.system.settleHappened(this.now())
      this.system.look(this.now())
      this.#runsDone = this.system.takeRuns() ?? this.#runsDone
      this.writes.push(...this.book.drain(100))
    }
    return this
  }

  /** Another leader goes on with what this one has written. */
  takeOver(): void {
    const remembered = new Map<string, unknown>()
    for (const write of this.writes) {
      if (write.op !== 'remember') continue
      if (write.value === null) remembered.delete(write.name)
      else remembered.set(write.name, JSON.parse(JSON.stringify(write.value)))
    }
    this.book = new AlarmBook(this.view)
    this.system = new SystemAlarms(SITE, this.view, this.book, this.#runsDone)
    for (const [id, memory] of AlarmBook.remembered(remembered)) {
      const definition = this.system.definitionOf(id)
      assert.ok(definition, `what is ${id}?`)
      this.book.restore(definition, memory, this.now())
    }
  }

  beat(id: string, more: Partial<WorkerRecord> = {}): void {
    const at = isoTime(START + this.ms)
    const before = this.workers.get(id) ?? { id, host: 'pi-1', startedAt: at, links: ['http:lamp'] }
    this.workers.set(id, { ...before, lastSeen: at, ...more } as WorkerRecord)
  }

  speak(owner: string | null, condition: Snapshot['condition'] = 'ok'): void {
    const at = isoTime(START + this.ms)
    const kept = this.snapshots.get('lamp')
    const conditionSince = kept?.condition === condition ? kept.conditionSince : at
    const snapshot = { id: 'lamp', owner, condition, conditionSince, message: 'No answer.', readings: {} }
    this.snapshots.set('lamp', snapshot as unknown as Snapshot)
  }

  run(id: string, more: Partial<RunRecord>): void {
    const run = { id, recipe: 'scan', label: 'Scan', message: 'A step failed.', progress: { stage: null } }
    this.runs.set(id, { ...run, ...more } as unknown as RunRecord)
  }

  get alarms(): AlarmRecord[] {
    return this.book.calling().map(({ record }) => record)
  }

  get ids(): string[] {
    return this.alarms.map(({ id, condition }) => `${id} ${condition}`)
  }

  /** How often an alarm was raised, by the log. */
  raised(id: string): number {
    return this.writes.filter((write) => write.op === 'event' && write.message.startsWith(`${id} active`))
      .length
  }
}

test('a worker that falls silent is one alarm, and not one for each of its instruments', () => {
  const rig = new Rig().pass(LEASE_MS)
  assert.deepEqual(rig.ids, [])
  rig.pass(60_000)
  assert.deepEqual(rig.ids, ['worker.w-1 active'])
  assert.match(rig.alarms[0]?.message ?? '', /Worker w-1 on pi-1 .* It had http:lamp/)
  rig.takeOver()
  // Its record is removed a day later: it is missed no more, but somebody has to have seen it.
  rig.workers.clear()
  rig.speak(null, 'stopped')
  rig.pass(2_000)
  assert.deepEqual(rig.ids, ['worker.w-1 returned'])
  rig.book.acknowledge('worker.w-1', 'ada', '', START)
  assert.deepEqual(rig.ids, [])
  assert.equal(rig.raised('worker.w-1'), 1)
})

test('a worker that was started anew on its machine replaces the one before', () => {
  const rig = new Rig().pass(5_000)
  rig.beat('w-2')
  rig.speak('w-2')
  rig.pass(120_000, () => rig.beat('w-2'))
  assert.deepEqual(rig.ids, [])
})

test('an instrument that its worker has lost, and one that nobody has, are alarms after a while', () => {
  const rig = new Rig()
  rig.pass(5_000, () => rig.beat('w-1'))
  rig.speak('w-1', 'lost')
  rig.pass(LEASE_MS, () => rig.beat('w-1'))
  assert.deepEqual(rig.ids, [])
  rig.pass(2_000, () => rig.beat('w-1'))
  assert.deepEqual(rig.ids, ['lamp.lost active'])
  assert.equal(rig.alarms[0]?.message, 'Lamp is lost. No answer.')
  rig.speak('w-1')
  rig.pass(1_000, () => rig.beat('w-1'))
  assert.deepEqual(rig.ids, ['lamp.lost returned'])
  rig.book.acknowledge('lamp.lost', 'ada', '', START)
  rig.speak(null)
  rig.pass(3 * LEASE_MS, () => rig.beat('w-1'))
  assert.equal(rig.alarms[0]?.message, 'Lamp is lost. No worker has it.')
})

test('a run that failed is told once, also over a takeover, and is over when somebody has seen it', () => {
  const rig = new Rig()
  const pass = (): void => void rig.pass(3_000, () => rig.beat('w-1'))
  rig.run('r1', { state: 'ended', end: 'failed' })
  rig.run('r2', { state: 'ended', end: 'completed' })
  rig.run('r3', { state: 'ended', end: 'aborted', message: 'Aborted by ada.' })
  rig.run('r4', {
    state: 'ended',
    end: 'aborted',
    message: 'Away for 5 min; the step it was at wants it aborted.',
  })
  pass()
  assert.deepEqual(rig.ids, ['run.r1.failed active', 'run.r4.failed active'])
  rig.takeOver()
  pass()
  assert.deepEqual(rig.ids, ['run.r1.failed active', 'run.r4.failed active'])
  rig.book.acknowledge('run.r1.failed', 'ada', 'started anew', START)
  pass()
  rig.takeOver()
  pass()
  assert.deepEqual(rig.ids, ['run.r4.failed active'])
  rig.runs.delete('r4')
  pass()
  assert.deepEqual(rig.ids, [])
  assert.deepEqual([rig.raised('run.r1.failed'), rig.raised('run.r4.failed')], [1, 1])
})

test('a run that asks calls until it was told how to go on', () => {
  const rig = new Rig()
  rig.run('r1', { state: 'asking', message: 'How?' })
  rig.pass(2_000, () => rig.beat('w-1'))
  assert.deepEqual(rig.ids, ['run.r1.asks active'])
  rig.book.acknowledge('run.r1.asks', 'ada', '', START)
  rig.run('r1', { state: 'running' })
  rig.pass(2_000, () => rig.beat('w-1'))
  assert.deepEqual(rig.ids, [])
})

test('a run that its restart policy has paused calls until somebody resumes it, also over a takeover', () => {
  const rig = new Rig()
  const pass = (): void => void rig.pass(2_000, () => rig.beat('w-1'))
  rig.run('r1', { state: 'paused', message: 'Paused by ada.' })
  pass()
  assert.deepEqual(rig.ids, [])
  rig.run('r2', { state: 'paused', message: 'Interrupted for 5 min.', heldByPolicy: true })
  pass()
  rig.takeOver()
  pass()
  assert.deepEqual(rig.ids, ['run.r2.held active'])
  assert.match(rig.alarms[0]?.message ?? '', /was paused, and by nobody: Interrupted for 5 min/)
  assert.match(rig.alarms[0]?.guidance ?? '', /resume, stop or abort/)
  rig.book.acknowledge('run.r2.held', 'ada', '', START)
  rig.run('r2', { state: 'running' })
  pass()
  assert.deepEqual(rig.ids, [])
})

test('an instrument of which nobody has said which values win after a power cut calls until somebody has', () => {
  const rig = new Rig()
  const pass = (): void => void rig.pass(2_000, () => rig.beat('w-1'))
  const differences = [{ parameter: 'red', before: 50, now: 0 }]
  Object.assign(rig.snapshots.get('lamp') ?? {}, { powerReturn: { since: isoTime(START), differences } })
  pass()
  rig.takeOver()
  pass()
  assert.deepEqual(rig.ids, ['lamp.powerReturn active'])
  assert.match(rig.alarms[0]?.message ?? '', /Lamp was without power, and red is no longer as before/)
  rig.book.acknowledge('lamp.powerReturn', 'ada', '', START)
  rig.speak('w-1')
  pass()
  assert.deepEqual(rig.ids, [])
})

test('what has happened twice before anybody has seen it calls twice', () => {
  const rig = new Rig()
  rig.system.schedulerWasAway('a', 'b', 12_000, rig.now())
  rig.pass(1_000, () => rig.beat('w-1'))
  rig.takeOver()
  rig.system.schedulerWasAway('b', 'a', 15_000, rig.now())
  assert.match(rig.alarms[0]?.message ?? '', /Scheduler b ended without a word, and a leads now: for 15 s/)
  assert.equal(rig.alarms[0]?.count, 2)
  rig.book.acknowledge('scheduler', 'ada', '', START)
  rig.pass(1_000, () => rig.beat('w-1'))
  assert.deepEqual(rig.ids, [])
})

test('a clock is an alarm when it is not trusted for a minute, and at once when it was set', () => {
  const rig = new Rig()
  rig.system.clock('It was never set.', 0, rig.now())
  rig.ms += 59_000
  rig.system.clock('It was never set.', 0, rig.now())
  assert.deepEqual(rig.ids, [])
  rig.ms += 1_000
  rig.system.clock('It was never set.', 3_600_000, rig.now())
  assert.deepEqual(rig.ids, ['clock active', 'clock-step active'])
  assert.match(rig.alarms[1]?.message ?? '', /set forward by 60 min/)
})

test('while a run of the named recipe is in the named stage nobody is called', () => {
  const rig = new Rig()
  const definition: Definition = {
    id: 'lamp.level.high',
    severity: 'warning',
    manner: { delayMs: 0, offDelayMs: 0, latch: false },
    inhibitDuring: [{ recipe: 'scan', stage: 'Heat' }],
  }
  const progress = (stage: string): Partial<RunRecord> =>
    ({ state: 'running', progress: { stage } }) as unknown as Partial<RunRecord>
  rig.run('r1', progress('Heat'))
  rig.book.take(definition, { so: true, message: 'High.', value: 1 }, rig.now())
  assert.equal(rig.alarms[0]?.inhibited, 'Run r1 of Scan goes on, in its stage Heat.')
  rig.run('r1', progress('Cool'))
  rig.book.refresh()
  assert.equal(rig.alarms[0]?.inhibited, undefined)
  rig.run('r1', { ...progress('Heat'), state: 'ended' })
  rig.book.refresh()
  assert.equal(rig.alarms[0]?.inhibited, undefined)
})

test('what the run of a recipe inhibits calls nobody, until the run has ended or is forgotten', () => {
  const rig = new Rig()
  const heat = { instrument: 'lamp', parameter: 'heat', severity: 'warning', inhibitDuring: [] } as const
  const manner = { delayMs: 0, offDelayMs: 0, latch: false }
  const watch = (id: string, more: Partial<Definition> = heat): void =>
    rig.book.take({ severity: 'warning', inhibitDuring: [], ...more, id, manner }, FACTS, rig.now())
  const inhibited = (): Record<string, string | undefined> => {
    rig.book.refresh()
    return Object.fromEntries(rig.alarms.map(({ id, inhibited: why }) => [id, why]))
  }
  const FACTS = { so: true, message: 'So.', value: 1 }
  const run = (...inhibits: string[]): void =>
    rig.run('r1', { state: 'running', progress: { stage: 'Heat' } as never, inhibits })
  watch('lamp.heat.high')
  watch('lamp.heat.stale')
  watch('lamp.lost', { instrument: 'lamp' })
  watch('lamp.heat.counter', { instrument: 'lamp' })
  watch('interlock.heat', {})
  run('lamp.heat.high', 'lamp.lost', 'interlock.heat')
  const why = 'Run r1 of Scan inhibits it, in its stage Heat.'
  const nobody = Object.fromEntries(rig.alarms.map(({ id }) => [id, undefined]))
  assert.deepEqual(inhibited(), { ...nobody, 'lamp.heat.high': why, 'lamp.lost': why })
  run('lamp.heat')
  assert.deepEqual(inhibited(), { ...nobody, 'lamp.heat.high': why, 'lamp.heat.stale': why })
  rig.takeOver()
  rig.runs.delete('r1')
  assert.ok(Object.values(inhibited()).every((one) => one === undefined))
  run('lamp.heat')
  watch('lamp.heat.high')
  assert.equal(inhibited()['lamp.heat.high'], why, 'also what comes up while it goes on')
  rig.run('r1', { state: 'ended', end: 'aborted', inhibits: ['lamp.heat'] })
  assert.deepEqual(inhibited()['lamp.heat.high'], undefined)
})

test('an interlock that has tripped calls until it is reset, with what it says is to be done', () => {
  const rig = new Rig()
  const pass = (): void => void rig.pass(2_000, () => rig.beat('w-1'))
  const tripped = { id: 't1', at: isoTime(START), message: 'Lamp: temperature is 80.', worker: 'w-1' }
  rig.interlocks.set('heat', { name: 'heat', tripped, reset: null, guidance: 'Let it cool down.' })
  pass()
  assert.deepEqual(rig.ids, ['interlock.heat active'])
  assert.equal(rig.alarms[0]?.message, 'Interlock heat has tripped: Lamp: temperature is 80.')
  assert.equal(rig.alarms[0]?.guidance, 'Let it cool down.')
  rig.takeOver()
  assert.equal(rig.alarms[0]?.guidance, 'Let it cool down.')
  rig.book.acknowledge('interlock.heat', 'ada', '', START)
  const reset = { trip: 't1', at: isoTime(START), by: 'ada', note: '' }
  rig.interlocks.set('heat', { name: 'heat', tripped: null, reset })
  pass()
  assert.deepEqual(rig.ids, [])
})

test('an output that is about to be used up calls, and once more when it is; a reset ends both', () => {
  const rig = new Rig()
  const count = (level: OutputCount['level']): void => {
    rig.speak('w-1')
    const outputs = { red: { count: { onTimeS: 7200, cycles: 3, since: isoTime(START), level } } }
    Object.assign(rig.snapshots.get('lamp') ?? {}, { outputs })
    rig.pass(2_000, () => rig.beat('w-1'))
  }
  count('ok')
  assert.deepEqual(rig.ids, [])
  count('warn')
  assert.deepEqual(rig.ids, ['lamp.red.counter active'])
  assert.match(
    rig.alarms[0]?.message ?? '',
    /red will soon have used up what it may: 2 h on, switched on 3 times/,
  )
  rig.takeOver()
  count('limit')
  assert.deepEqual(rig.ids, ['lamp.red.counter active', 'lamp.red.counterLimit active'])
  count('ok')
  assert.deepEqual(rig.ids, ['lamp.red.counter returned', 'lamp.red.counterLimit returned'])
})
