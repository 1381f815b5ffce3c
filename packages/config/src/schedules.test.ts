import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { When } from './check-schedules.ts'
import { faultsOf, loadText } from './testing.ts'

const HEAD = 'site: lab\ninstruments:\n  - { id: oven, model: heater, address: "http://a" }\n'
const one = (rest: string): string => `${HEAD}schedules:\n  - id: air\n    recipe: ventilation\n${rest}`
const when = (rest: string): string => one(`    when: ${rest}\n`)

function whenOf(text: string): When | undefined {
  return loadText(when(text)).schedules[0]?.when
}

test('a schedule has defaults for all it does not say', () => {
  assert.deepEqual(loadText(when('{ every: 10 min }')).schedules, [
    {
      id: 'air',
      label: 'air',
      recipe: 'ventilation',
      parameters: {},
      instruments: {},
      when: { kind: 'every', everyMs: 600_000, offsetMs: 0 },
      missed: 'skip',
      withinMs: 60_000,
      onOverlap: 'skip',
      enabled: true,
      place: { line: 5, column: 5 },
    },
  ])
  assert.deepEqual(loadText(HEAD).schedules, [])
  assert.equal(loadText(HEAD).clock, 'synchronised')
})

test('all it can say of when', () => {
  assert.deepEqual(whenOf('{ every: 6 h, offset: 2 min }'), {
    kind: 'every',
    everyMs: 6 * 3_600_000,
    offsetMs: 120_000,
  })
  assert.deepEqual(whenOf('{ at: 06:00, zone: Europe/Berlin }'), {
    kind: 'at',
    times: ['06:00:00'],
    zone: 'Europe/Berlin',
    days: [],
  })
  assert.deepEqual(whenOf('{ at: [18:00:30, "06:00"], zone: UTC, days: [mon, sun] }'), {
    kind: 'at',
    times: ['06:00:00', '18:00:30'],
    zone: 'UTC',
    days: [{ weekday: 1 }, { weekday: 7 }],
  })
  assert.deepEqual(whenOf('{ at: 06:00, zone: UTC, dates: [2026-12-24, 02-29, 31] }'), {
    kind: 'at',
    times: ['06:00:00'],
    zone: 'UTC',
    days: [{ year: 2026, month: 12, day: 24 }, { month: 2, day: 29 }, { day: 31 }],
  })
  assert.deepEqual(whenOf('{ once: [2026-12-24 06:00], zone: Asia/Tokyo }'), {
    kind: 'once',
    moments: ['2026-12-24T06:00'],
    zone: 'Asia/Tokyo',
  })
  assert.deepEqual(whenOf('{ once: 2026-12-24T06:00+01:00 }'), {
    kind: 'once',
    moments: ['2026-12-24T06:00+01:00'],
    zone: 'UTC',
  })
})

/** What is wrong, the file (the mark » stands where the fault is to be found) and the message. */
const CASES: [title: string, marked: string, message: RegExp][] = [
  ['no when', one('').replace('- id', '- »id'), /"when" is missing/],
  ['an unknown key', one('    »recepie: x\n    when: { every: 1 h }\n'), /Did you mean "recipe"/],
  ['nothing of when', when('»{}'), /when it starts, as every, at or once/],
  ['two ways', when('»{ every: 1 h, at: "06:00", zone: UTC }'), /It has every and at/],
  ['no unit', when('{ every: »10 }'), /10 min/],
  ['too often', when('{ every: »10 ms }'), /1 s to 24 h/],
  ['an uneven period', when('{ every: »90 min }'), /evenly apart.*1 h, or 2, 3, 4/],
  ['an offset too long', when('{ every: 10 min, offset: »10 min }'), /not shorter than the period 10 min/],
  ['an offset of a time of day', when('{ at: "06:00", zone: UTC, »offset: 1 s }'), /belongs to every/],
  ['a time that is none', when('{ at: »"24:00", zone: UTC }'), /HH:MM/],
  ['one of several times', when('{ at: ["06:00", »6], zone: UTC }'), /HH:MM/],
  ['no zone', when('»{ at: "06:00" }'), /in which time zone/],
  ['no zone of a moment', when('»{ once: 2026-12-24 06:00 }'), /in which time zone/],
  ['a zone that is none', when('{ at: "06:00", zone: »Europe/Berlim }'), /no time zone "Europe\/Berlim"/],
  ['an offset as a zone', when('{ at: "06:00", zone: »"+01:00" }'), /no time zone/],
  ['a day that is none', when('{ at: "06:00", zone: UTC, dates: [1, »02-30] }'), /no day 02-30/],
  ['a leap day in another year', when('{ at: "06:00", zone: UTC, dates: »2027-02-29 }'), /no day 2027-02-29/],
  ['a moment on no day', when('{ zone: UTC, once: [»2026-11-31 06:00] }'), /no day 2026-11-31/],
  ['days and dates', when('{ at: "06:00", zone: UTC, days: mon, »dates: 1 }'), /either days or dates/],
  ['a day of the week that is none', when('{ at: "06:00", zone: UTC, days: [mon, »mom] }'), /mon, tue, wed/],
  [
    'an instrument that is none',
    one('    when: { every: 1 h }\n    instruments: { board: »ovne }\n'),
    /Did you mean "oven"/,
  ],
  [
    'an id twice',
    `${when('{ every: 1 h }')}  - { id: »air, recipe: x, when: { every: 1 h } }\n`,
    /schedules\[0\] has the id "air" already/,
  ],
  ['too much lateness', one('    when: { every: 1 h }\n    within: »25 h\n'), /1 s to 24 h/],
  ['a policy that is none', one('    when: { every: 1 h }\n    missed: »later\n'), /skip \(default\), once/],
]

for (const [title, marked, message] of CASES) {
  test(`${title} is told, and where`, () => {
    const at = marked.indexOf('»')
    const faults = faultsOf(marked.replace('»', ''))
    assert.equal(faults.length, 1, JSON.stringify(faults))
    const lines = marked.slice(0, at).split('\n')
    assert.deepEqual(
      [faults[0]?.line, faults[0]?.column],
      [lines.length, (lines.at(-1)?.length ?? 0) + 1],
      faults[0]?.message,
    )
    assert.match(faults[0]?.message ?? '', message)
  })
}
