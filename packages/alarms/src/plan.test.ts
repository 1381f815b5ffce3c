import { type AlarmRecord, isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notification } from './message.ts'
import { type Calling, type TellMemory, type TellRule, TOLD_NOTHING, plan } from './plan.ts'

const MIN = 60_000
const START = Date.parse('2026-05-01T10:00:00.000Z')

const rule: TellRule = {
  name: 'mail',
  severities: ['warning', 'critical'],
  repeatMs: null,
  escalateAfterMs: 0,
  followUps: true,
  rate: { messages: 6, perMs: 10 * MIN },
  quiet: null,
}

function alarm(id: string, raisedAt: number, more: Partial<AlarmRecord> = {}): Calling {
  const record: AlarmRecord = {
    id,
    severity: 'warning',
    condition: 'active',
    message: `${id} is high.`,
    since: isoTime(START + raisedAt),
    acknowledged: null,
    count: 1,
    ...more,
  }
  return { record, raisedAt }
}

/** Plans at one time after the other; each message is handed over at once, and its memory survives as JSON. */
function planner(changed: Partial<TellRule> = {}): (ms: number, calling: Calling[]) => Notification | null {
  let memory: TellMemory = TOLD_NOTHING
  let serial = 0
  return (ms, calling) => {
    const makeId = (): string => `m${++serial}`
    const now = { ms, utc: START + ms }
    const next = plan({ ...rule, ...changed }, memory, calling, now, { title: 'Lab', makeId })
    memory = JSON.parse(JSON.stringify(next.memory)) as TellMemory
    return next.notification
  }
}

const reasons = (told: Notification | null): string[] =>
  told?.items.map(({ reason, alarm: { id } }) => `${id} ${reason}`) ?? []

test('an alarm is told once, then that it was acknowledged and that it is over', () => {
  const tell = planner()
  const first = tell(0, [alarm('a', 0)])
  assert.deepEqual(reasons(first), ['a raised'])
  assert.equal(first?.subject, '[Lab] ALARM: a is high')
  assert.equal(tell(1_000, [alarm('a', 0)]), null)
  const seen = { by: 'ada', at: isoTime(START + MIN), note: 'on my way' }
  const second = tell(MIN, [alarm('a', 0, { acknowledged: seen })])
  assert.deepEqual(reasons(second), ['a acknowledged'])
  assert.match(second?.lines.join('\n') ?? '', /acknowledged by ada: on my way/)
  const third = tell(2 * MIN, [])
  assert.deepEqual(reasons(third), ['a over'])
  assert.equal(tell(3 * MIN, []), null)
})

test('what it does not want, what is inhibited and what is acknowledged is not told', () => {
  const tell = planner()
  const seen = { by: 'ada', at: isoTime(START), note: '' }
  assert.equal(
    tell(0, [
      alarm('a', 0, { severity: 'info' }),
      alarm('b', 0, { inhibited: 'a run calibrates' }),
      alarm('c', 0, { acknowledged: seen }),
    ]),
    null,
  )
  assert.deepEqual(reasons(tell(1_000, [alarm('b', 0)])), ['b raised'], 'inhibited no longer')
})

test('short alarms are told too: they are there until somebody has acknowledged them', () => {
  const tell = planner()
  const returnedAt = isoTime(START + 1)
  assert.deepEqual(reasons(tell(10, [alarm('a', 0, { condition: 'returned', returnedAt })])), ['a raised'])
})

test('repeats go on while it is active and nobody has acknowledged it', () => {
  const tell = planner({ repeatMs: 30 * MIN })
  tell(0, [alarm('a', 0)])
  assert.equal(tell(29 * MIN, [alarm('a', 0)]), null)
  assert.deepEqual(reasons(tell(30 * MIN, [alarm('a', 0)])), ['a repeated'])
  assert.equal(tell(31 * MIN, [alarm('a', 0)]), null)
  assert.deepEqual(reasons(tell(60 * MIN, [alarm('a', 0)])), ['a repeated'])
  const seen = { by: 'ada', at: isoTime(START), note: '' }
  tell(61 * MIN, [alarm('a', 0, { acknowledged: seen })])
  assert.equal(tell(120 * MIN, [alarm('a', 0, { acknowledged: seen })]), null)
})

test('escalation: told only when nobody has acknowledged it in time', () => {
  const tell = planner({ escalateAfterMs: 15 * MIN })
  assert.equal(tell(14 * MIN, [alarm('a', 0), alarm('b', 0)]), null)
  const seen = { by: 'ada', at: isoTime(START), note: '' }
  assert.deepEqual(reasons(tell(15 * MIN, [alarm('a', 0), alarm('b', 0, { acknowledged: seen })])), [
    'a raised',
  ])
})

test('many at once come in one message, the worst first, and the rest as a number', () => {
  const tell = planner()
  const many = Array.from({ length: 21 }, (_, n) => alarm(`a${n}`, n))
  const told = tell(100, [...many, alarm('worst', 50, { severity: 'critical' })])
  assert.equal(told?.subject, '[Lab] CRITICAL ALARM: worst is high and 21 more')
  assert.equal(told?.items.length, 10)
  assert.equal(told?.lines.at(-1), '... and 12 more.')
  assert.equal(
    tell(60_000, [...many, alarm('worst', 50, { severity: 'critical' })]),
    null,
    'told are all of them',
  )
})

test('a flood is held back by the rate; what is held back is told later; something critical has room left', () => {
  const tell = planner({ rate: { messages: 2, perMs: 10 * MIN } })
  const calling: Calling[] = []
  const sent: number[] = []
  for (let n = 0; n < 600; n++) {
    calling.push(alarm(`a${n}`, n * 1000))
    if (tell(n * 1000, calling)) sent.push(n)
  }
  assert.deepEqual(sent, [0, 10])
  const worst = alarm('worst', 599_500, { severity: 'critical' })
  const urgent = tell(599_500, [...calling, worst])
  assert.equal(urgent?.severity, 'critical')
  assert.equal(urgent?.more, 600 - 11 + 1 - 10, 'with all that was held back')
})

test('an alarm that comes back unacknowledged is told again after five minutes, not each time', () => {
  const tell = planner({ followUps: false })
  let told = 0
  for (let n = 0; n < 600; n++) if (tell(n * 1000, [alarm('a', n * 1000, { count: n + 1 })])) told += 1
  assert.equal(told, 2)
})

test('in quiet hours, also over midnight, only what is critical is told, and the rest afterwards', () => {
  // 10:00 UTC is 12:00 in Berlin in May.
  const quiet = { from: 11 * 60, until: 13 * 60, timeZone: 'Europe/Berlin' }
  const tell = planner({ quiet })
  const both = [alarm('a', 0), alarm('b', 0, { severity: 'critical' })]
  assert.deepEqual(reasons(tell(0, both)), ['b raised'])
  assert.equal(tell(59 * MIN, both), null)
  assert.deepEqual(reasons(tell(60 * MIN, both)), ['a raised'])
  const night = planner({ quiet: { from: 22 * 60, until: 12 * 60 + 1, timeZone: 'Europe/Berlin' } })
  assert.equal(night(0, [alarm('a', 0)]), null)
  assert.deepEqual(reasons(night(MIN, [alarm('a', 0)])), ['a raised'])
})
