import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstrumentDescription, ReservationState } from '@golem/core'
import { programOf, stage } from '../engine/testing.ts'
import { link, loadRecipes, SHIPPED_RECIPES } from '../language/index.ts'
import { conflictsOf, type Plan, planRun } from './index.ts'

const START = Date.parse('2026-03-01T10:03:00Z')

function shipped(id: string, parameters: Record<string, unknown> = {}, readings = {}): Plan {
  const { recipes } = loadRecipes([SHIPPED_RECIPES])
  const recipe = recipes.get(id)
  assert.ok(recipe)
  const { program } = link(recipe, { recipes })
  assert.ok(program)
  return planRun(program, { parameters, readings, startMs: START })
}

const timeline = ({ entries }: Plan): string[] =>
  entries.flatMap(({ ms, kind, what }) => (kind === 'command' ? [`${ms / 1000} ${what}`] : []))

function board(max: number): Map<string, InstrumentDescription> {
  const power = { label: 'P', type: 'number', min: 0, max, safe: 0, readable: true, writable: true }
  const open = { label: 'O', type: 'boolean', safe: true, readable: true, writable: true }
  const one = { id: 'lamp', parameters: { power, open }, actions: {} } as unknown as InstrumentDescription
  return new Map([['lamp', one]])
}

test('ventilation, played in virtual time: what is sent when, and how it ends', () => {
  const plan = shipped('ventilation')
  assert.deepEqual(timeline(plan), [
    '0 exp-board.relay2 = true',
    '0 exp-board.relay3 = true',
    '5 exp-board.relay0 = true',
    '5 exp-board.relay1 = true',
    '245 exp-board.relay0 = false',
    '245 exp-board.relay1 = false',
    '245 exp-board.relay2 = false',
    '245 exp-board.relay3 = false',
  ])
  assert.deepEqual([plan.end, plan.endsAt], ['completed', '2026-03-01T10:07:05.000Z'])
  assert.deepEqual([plan.commands, plan.violations, plan.assumed], [['exp-board'], [], {}])
  assert.equal(plan.entries.find(({ kind }) => kind === 'command')?.stage, 'opening valves')
})

test('a crash at each step: what stays as it is, and what then happens to the run', () => {
  const plan = shipped('ventilation')
  const during = plan.crashes.find(({ doing }) => doing === 'ventilation: wait 4 min')
  assert.equal(during?.policy, 'resume')
  assert.deepEqual(
    during.left,
    [2, 3, 0, 1].map((n) => `exp-board.relay${n} = true`),
  )
  // While it is being switched it may be on.
  assert.deepEqual(plan.crashes[0]?.left, ['exp-board.relay2 = true'])
  assert.deepEqual(plan.crashes.at(-1)?.left, ['exp-board.relay3 = true'])
  const policies = (['resume', 'hold', 'safe', 'ask'] as const).map((policy) => {
    const { crashes } = planRun(programOf(stage(`- wait: 5 s\n  onRestart: ${policy}`)), { startMs: START })
    return crashes[0]?.policy
  })
  assert.deepEqual(policies, ['resume', 'hold', 'safe', 'ask'])
})

test('what is left is measured by what is safe: a valve that is safe open', () => {
  const program = programOf(
    stage(
      '- set: { lamp.open: true, lamp.power: 5 }\n- wait: 1 s\n- set: { lamp.open: false, lamp.power: 0 }\n- wait: 2 s\n- wait: 3 s',
    ),
  )
  const { crashes } = planRun(program, { startMs: START, descriptions: board(10) })
  const left = (doing: string) => crashes.find((crash) => crash.doing === doing)?.left
  assert.deepEqual(left('wait 1 s'), ['lamp.power = 5'])
  assert.deepEqual(left('wait 3 s'), ['lamp.open = false'])
})

test('what the limits of the site would refuse is told with its line, and the run fails as it would', () => {
  const text = stage(
    '- set: { lamp.power: $p }\n- wait: 1 h',
    'parameters: { p: { type: number, label: P } }\nfinally: [set: { lamp.power: 0 }]',
  )
  const options = { startMs: START, descriptions: board(80) }
  const bad = planRun(programOf(text), { ...options, parameters: { p: 90 } })
  assert.equal(bad.end, 'failed')
  assert.equal(bad.violations.length, 1)
  assert.match(bad.violations[0] ?? '', /^line 7: lamp\.power = 90: .*80/)
  assert.equal(timeline(bad).at(-1), '0 lamp.power = 0')
  assert.deepEqual(planRun(programOf(text), { ...options, parameters: { p: 80 } }).violations, [])
  assert.throws(() => planRun(programOf(text), options), /needs a value for "p"/)
})

test('readings that nobody gave are taken to be as the run needs them; those that were given are as they are', () => {
  const { end, assumed, endsAt } = shipped('sba5-zero')
  assert.deepEqual([end, assumed['co2.state']], ['completed', 'measuring'])
  assert.ok(endsAt !== null && Date.parse(endsAt) - START < 60_000)
  const warming = shipped('sba5-zero', {}, { 'co2.state': 'warming' })
  assert.equal(warming.end, 'failed')
  assert.equal(Date.parse(warming.endsAt ?? '') - START, 300_000)
  const gas = (co2: number) => timeline(shipped('co2-hysteresis', { duration: '1 min' }, { 'co2.co2': co2 }))
  assert.ok(gas(700).includes('1 co2-board.relay3 = true'), gas(700).join('\n'))
  assert.ok(!gas(950).some((line) => line.endsWith('relay3 = true')))
})

test('every recipe that ships comes to its end, and leaves nothing on', () => {
  const { recipes } = loadRecipes([SHIPPED_RECIPES])
  for (const id of recipes.keys()) {
    const plan = shipped(id)
    assert.equal(plan.end, 'completed', `${id}: ${plan.message}`)
    const outputs = new Map<string, string>()
    for (const line of timeline(plan)) {
      const [, key = '', value = ''] = /^\S+ (\S+) = (.*)$/.exec(line) ?? []
      outputs.set(key, value)
    }
    const on = [...outputs].filter(
      ([key, value]) => !['false', '0'].includes(value) && !key.includes('current'),
    )
    assert.deepEqual(on, [['', '']].slice(outputs.has('') ? 0 : 1), id)
  }
})

test('a day of light is planned in no time, and what never ends is cut', () => {
  const began = performance.now()
  const day = shipped('day-night')
  // Each ramp waits for a reading of where it begins.
  assert.equal(day.endsAt, '2026-03-02T02:03:02.000Z')
  const forever = planRun(
    programOf(stage('- repeat: { forever: true, every: 1 h, steps: [{ set: { a.x: 1 } }] }')),
    {
      startMs: START,
      mostMs: 5.5 * 3_600_000,
    },
  )
  assert.equal(forever.lookedUntil, '2026-03-01T15:03:00.000Z')
  assert.deepEqual([forever.end, forever.endsAt, timeline(forever).length], [null, null, 6])
  assert.ok(performance.now() - began < 5_000)
})

test('a line of a recipe that is called is told with the name of that recipe', () => {
  const inner = stage('- call: { recipe: c }\n- repeat: { times: 1, steps: [{ set: { a.x: 1 } }] }')
  const program = programOf(stage('- call: { recipe: b }\n- set: { a.x: 2 }'), {
    b: inner,
    c: stage('- set: { a.x: 0 }'),
  })
  const { entries, crashes } = planRun(program, { startMs: START })
  const lines = entries.flatMap(({ line, what }) => (line === undefined ? [] : [`${line} ${what}`]))
  assert.deepEqual(lines, ['c:6 a.x = 0', 'b:7 a.x = 1', '7 a.x = 2'])
  assert.deepEqual(new Set(crashes.map(({ line }) => line)), new Set(['c:6', 'b:7', '7']))
})

test('an aligned wait is planned by the clock', () => {
  const plan = planRun(programOf(stage('- wait: { aligned: 10 min }\n- set: { a.x: 1 }')), { startMs: START })
  assert.deepEqual(timeline(plan), ['420 a.x = 1'])
})

test('who else wants an instrument in that time is told', () => {
  const at = (minute: number) => `2026-03-01T10:${String(minute).padStart(2, '0')}:00.000Z`
  const ann = { kind: 'person', name: 'Ann' } as const
  const held: ReservationState = {
    current: {
      instrument: 'board',
      holder: ann,
      fence: 1,
      since: at(0),
      until: at(4),
      sharedWith: [],
      onExpiry: 'hold',
    },
    waiting: [],
    bookings: [
      { id: 'b1', holder: { kind: 'person', name: 'Bob' }, from: at(6), until: at(50) },
      { id: 'b2', holder: ann, from: at(20), until: at(30) },
    ],
  }
  const plan = { startsAt: at(3), endsAt: at(7), commands: ['board', 'free'] }
  const others = [
    { schedule: 'early', commands: ['board'], starts: [Date.parse(at(1))], lastsMs: 60_000 },
    { schedule: 'long', commands: ['board'], starts: [Date.parse(at(1))], lastsMs: 180_000 },
    {
      schedule: 'often',
      commands: ['free'],
      starts: [4, 5, 8].map((n) => Date.parse(at(n))),
      lastsMs: 1_000,
    },
    { schedule: 'else', commands: ['other'], starts: [Date.parse(at(5))], lastsMs: null },
  ]
  assert.deepEqual(conflictsOf(plan, { board: held }, others), [
    'board: Ann has it from 2026-03-01 10:00:00 UTC to 2026-03-01 10:04:00 UTC.',
    'board: Bob has it from 2026-03-01 10:06:00 UTC to 2026-03-01 10:50:00 UTC.',
    'board: the schedule long wants it once in that time, first at 2026-03-01 10:01:00 UTC.',
    'free: the schedule often wants it 2 times in that time, first at 2026-03-01 10:04:00 UTC.',
  ])
  assert.equal(conflictsOf({ ...plan, endsAt: null }, { board: held }, []).length, 3)
})
