import type { Plan } from '@golem/recipes'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { GOLEM_ROOT } from '../context.ts'
import { type CliRun, runForTest, StandInServer } from '../testing.ts'

const DEMO = path.join(GOLEM_ROOT, 'instance', 'demo.yaml')
const AT = '2026-12-01T10:03:00Z'

/** Nobody listens there. */
const NO_GOLEM = { GOLEM_URL: 'http://127.0.0.1:1' }

function plan(...argv: string[]): Promise<CliRun> {
  return runForTest(['recipe', 'plan', ...argv, '--site', DEMO, '--at', AT], { env: NO_GOLEM })
}

function site(t: TestContext, text: string, recipe: string): string {
  const cwd = mkdtempSync(path.join(tmpdir(), 'golem-plan-'))
  t.after(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(path.join(cwd, 'site.yaml'), text)
  writeFileSync(path.join(cwd, 'mine.yaml'), recipe)
  return cwd
}

test('a plan shows what is sent when, what a crash would leave on, and says that nobody could be asked', async () => {
  const { code, out, err } = await plan('ventilation', 'duration=60s', '--role', 'board=control-board')
  assert.equal(code, 0, err)
  for (const line of [
    /^ventilation \(Ventilation\), from 2026-12-01T10:03:00\.000Z, 0:01:05 long: completed/m,
    /^0:00:05 +ventilation +\d+ +control-board\.relay0 = true$/m,
    /^0:01:05 +at the end +\d+ +control-board\.relay3 = false$/m,
    /ventilation: wait 1 min +it goes on where it would be by then +control-board\.relay2 = true, /,
    /^Reservations were not looked at: golem does not answer at http:\/\/127\.0\.0\.1:1\.$/m,
  ]) {
    assert.match(out, line)
  }
  const json = await plan('ventilation', '--json')
  const { endsAt, entries, crashes } = JSON.parse(json.out) as Plan
  assert.equal(endsAt, '2026-12-01T10:07:05.000Z')
  assert.equal(entries.filter(({ kind }) => kind === 'command').length, 8)
  assert.ok(crashes.every(({ policy, line }) => policy === 'resume' && Number(line) > 0))
})

test('what limits of the site forbid is told with its line and time, and ends with 1', async (t) => {
  const cwd = site(
    t,
    'site: lab\ninstruments:\n  - { id: lamp, model: pwm-lamp, address: "http://192.0.2.1", parameters: { white: { max: 80 } } }\n',
    'label: Mine\nparameters: { p: { type: integer, label: P } }\nstages:\n  - name: on\n    steps:\n      - wait: 5 s\n      - set: { lamp.white: $p }\n',
  )
  const mine = ['recipe', 'plan', 'mine.yaml', '--site', 'site.yaml']
  const { code, out, err } = await runForTest([...mine, 'p=90'], { cwd, env: NO_GOLEM })
  assert.equal(code, 1)
  assert.match(out, /^0:00:05 +on +7 +lamp\.white = 90$/m)
  assert.match(out, /WOULD BE REFUSED:\n {2}line 7: lamp\.white = 90: .*80/)
  assert.match(err, /mine would be refused/)
  assert.equal((await runForTest([...mine, 'p=80'], { cwd, env: NO_GOLEM })).code, 0)
  writeFileSync(path.join(cwd, 'mine.yaml'), 'label: Mine\nstages: []\n')
  const faulty = await runForTest(mine, { cwd, env: NO_GOLEM })
  assert.deepEqual(
    [faulty.code, /has faults, so there is no plan: .*mine\.yaml:2/.test(faulty.err)],
    [1, true],
  )
})

test('readings can be given; a run that would fail with them ends with 1', async () => {
  const failed = await plan('sba5-zero', '--reading', 'co2.state=warming')
  assert.equal(failed.code, 1)
  assert.match(failed.err, /sba5-zero would fail: /)
  const assumed = await plan('sba5-zero')
  assert.equal(assumed.code, 0, assumed.err)
  assert.match(assumed.out, /Taken to be so, because nobody said it.*co2\.state = measuring/)
  for (const [reading, words] of [
    ['co2.stat=x', /This site has no reading co2\.stat/],
    ['co2', /write instrument\.name=value/],
  ] as const) {
    const { code, err } = await plan('sba5-zero', '--reading', reading)
    assert.deepEqual([code, words.test(err)], [2, true], err)
  }
})

test('who else wants the instruments in that time is told: reservations of the running golem, schedules of the site', async (t) => {
  const held = {
    current: {
      instrument: 'exp-board',
      holder: { kind: 'person', name: 'Ann' },
      since: '2026-12-01T10:00:00.000Z',
      until: '2026-12-01T10:04:00.000Z',
    },
    waiting: [],
    bookings: [],
  }
  const server = await new StandInServer({
    'GET /api/state': { instruments: { 'exp-board': { reservation: held } } },
  }).listen()
  t.after(() => server.close())
  const { code, out, err } = await plan('ventilation', 'duration=10min', '--url', server.url)
  assert.equal(code, 0, err)
  assert.match(
    out,
    /CONFLICTS:\n {2}exp-board: Ann has it from 2026-12-01 10:00:00 UTC to 2026-12-01 10:04:00/,
  )
  assert.match(
    out,
    /exp-board: the schedule \S+ wants it 2 times in that time, first at 2026-12-01 10:00:00 UTC/,
  )
  const free = await plan('relay-test', '--url', server.url)
  assert.match(free.out, /No conflict with reservations, bookings and schedules\.$/)
})
