import type { SiteEvent, TimelineDocument, TimelineEntry } from '@golem/core'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '../kit/eventually.ts'
import { runPython } from '../kit/python.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { ROOT } from '../kit/root.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const GOLEM = join(ROOT, 'apps', 'cli', 'dist', 'main.js')
const DRY = `
label: Dry
stages:
  - name: open
    steps:
      - set: { relays.relay0: true }
  - name: close
    steps:
      - set: { relays.relay0: false }
`

let stand: Stand
let run: string
before(async () => {
  stand = await startStand({ schedulers: 1, archivers: 1 })
  writeRecipes(stand, { dry: DRY })
  const runs = new Runs(stand)
  await runs.recipe('dry')
  run = await runs.start('dry')
  await runs.ended(run)
})
after(() => stand?.close())

async function timeline(query: string): Promise<TimelineDocument> {
  const { status, body } = await stand.api<TimelineDocument>(`/api/timeline?${query}`)
  assert.equal(status, 200)
  return body
}

/** Waits until there is an entry. */
async function entry(
  query: string,
  isIt: (one: TimelineEntry) => boolean = () => true,
): Promise<TimelineEntry> {
  return eventually(async () => (await timeline(query)).entries.findLast(isIt), {
    what: `an entry of ${query}`,
  })
}

async function golem(...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [GOLEM, ...words, '--url', stand.url()])
  return stdout
}

test('the timeline tells why a valve closed: the command, its outcome, its run and the stage of that', async () => {
  const closed = await entry(`run=${run}&kind=command`, ({ commands = [] }) => commands[0]?.value === false)
  assert.deepEqual([closed.instrument, closed.run, closed.stage], ['relays', run, '2: close'])
  assert.deepEqual(
    closed.commands?.map(({ parameter, value, outcome, by }) => ({ parameter, value, outcome, by })),
    [{ parameter: 'relay0', value: false, outcome: 'done', by: `run ${run}` }],
  )
  const { entries } = await timeline(`run=${run}&kind=run,reservation`)
  const told = entries.map(({ message }) => message).join('\n')
  assert.match(told, /begins[^]*reserved by[^]*Stage 1 of 2[^]*Stage 2 of 2[^]*completed[^]*given back/)
})

test('a refusal at the door, a stop and a note of the command line and of Python stand there', async () => {
  const refused = await stand.api('/api/instruments/relays/commands', {
    method: 'POST',
    body: { parameter: 'relay0', value: 'perhaps' },
  })
  assert.equal(refused.status, 422)
  const refusal = await entry('kind=refusal&instrument=relays')
  assert.match(refusal.message, /^relay0 = "perhaps": refused \(/)
  assert.equal(refusal.level, 'notice')

  await stand.api('/api/stop', { method: 'POST', body: { reason: 'smoke' } })
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  assert.match((await entry('kind=stop&level=warning')).message, /smoke/)

  await golem('note', 'the door stood open', '--from=-20min', '--to=-5min', '--instrument', 'relays')
  const note = await entry('kind=note&text=DOOR')
  assert.equal(Date.parse(String(note.data?.['to'])) - Date.parse(note.when), 15 * 60_000)
  const ran = await runPython(
    `import datetime, golem
lab = golem.Golem(name="script")
start = datetime.datetime(2026, 5, 1, 10, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
lab.note("calibrated <b>it</b>", start=start, run=${JSON.stringify(run)})
`,
    stand.url(),
  )
  assert.equal(ran.code, 0, JSON.stringify(ran))
  const calibrated = await entry('kind=note&to=2026-05-02T00:00:00Z')
  assert.deepEqual([calibrated.when, calibrated.run], ['2026-05-01T08:30:00.000Z', run])
})

test('what is archived is told without Redis, by golem log, too', async () => {
  // The archiver is done when the newest note is there without help of Redis.
  await eventually(
    async () => {
      const lines = (await golem('log', '--since', '2026-04-01T00:00Z', '--run', run, '--json'))
        .trim()
        .split('\n')
      const events = lines.map((line) => JSON.parse(line) as SiteEvent)
      return events.some(({ stage }) => stage === '2: close') && events[0]?.message.startsWith('calibrated')
    },
    { what: 'golem log shows the run from the archive' },
  )
  await stand.archivers[0]?.kill('SIGTERM')
  await stand.redis.kill()
  const page = await eventually(
    async () => {
      const found = await timeline(`run=${run}`)
      return found.note === undefined ? undefined : found
    },
    { what: 'the timeline says that Redis is away' },
  )
  assert.match(page.note ?? '', /may be missing/)
  assert.ok(page.entries.some(({ stage }) => stage === '2: close'))
})
