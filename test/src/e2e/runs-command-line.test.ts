import type { RunRecord } from '@golem/core'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writeRecipes } from '../kit/recipes.ts'
import { ROOT } from '../kit/root.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const BLINK = `label: Blink
parameters:
  pause: { type: duration, label: Pause, min: 10 ms, max: 1 h, default: 100 ms }
instruments: { board: { default: nowhere, label: Any board } }
stages:
  - name: on
    steps:
      - set: { board.relay0: true }
      - wait: $pause
      - measure: { readings: [board.rootsTemperature] }
finally:
  - set: { board.relay0: false }
`

let stand: Stand

before(async () => {
  stand = await startStand({ schedulers: 1 })
  writeRecipes(stand, { blink: BLINK })
  await new Runs(stand).known('blink')
})
after(() => stand.close())

/** Runs the command line as a shell would. */
function golem(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, GOLEM_URL: stand.url(), GOLEM_SITE: stand.siteFile, GOLEM_USER: 'Ann' }
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'apps/cli/dist/main.js'), ...argv], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
    })
  })
}

test('a run is started, waited for, shown, and its rows are CSV', async () => {
  const open = await golem('runs', 'start', 'blink')
  assert.deepEqual([open.code, /add --role board=INSTRUMENT/.test(open.err)], [2, true], open.err)
  const run = await golem(
    'runs',
    'start',
    'blink',
    '--role',
    'board=relays',
    '--note',
    'try',
    '--wait',
    '--json',
  )
  assert.equal(run.code, 0, run.err)
  const { id, end } = JSON.parse(run.out) as RunRecord
  assert.equal(end, 'completed')
  const { out } = await golem('runs', 'show', id)
  assert.match(out, /started by Ann.* \(try\)/)
  assert.match(out, /board is relays/)
  assert.match(
    (await golem('runs', 'rows', id, '--csv')).out,
    /^at,table,samples,relays\.rootsTemperature\r?\n/,
  )
  assert.match((await golem('runs')).out, new RegExp(`^${id} +blink +completed +100 %`, 'm'))
})

test('a run is paused, changed, resumed and stopped; what it can not do is said', async () => {
  const begun = await golem('runs', 'start', 'blink', 'pause=1h', '--role', 'board=relays', '--json')
  const { id } = JSON.parse(begun.out) as RunRecord
  await new Runs(stand).until(id, ({ progress }) => progress.doing === 'wait 1 h', 'it waits')
  assert.match((await golem('runs', 'pause', id)).out, /Paused by Ann/)
  const again = await golem('runs', 'pause', id)
  assert.deepEqual([again.code, /The run is paused already/.test(again.err)], [3, true], again.err)
  assert.match((await golem('runs', 'set', id, 'pause=50min')).out, /changed pause from 3600 s to 3000 s/)
  assert.match((await golem('runs', 'resume', id)).out, /Resumed by Ann/)
  assert.match((await golem('runs', 'ping', id)).out, /on: wait 50 min/)
  const stopped = await golem('runs', 'stop', id)
  assert.match(stopped.out, /Stopped by Ann/)
  assert.equal((await new Runs(stand).ended(id)).end, 'stopped')
  const late = await golem('runs', 'abort', id)
  assert.deepEqual([late.code, /has ended \(stopped\)/.test(late.err)], [3, true], late.err)
  assert.equal((await golem('runs', 'start', 'blink', 'pause=2h', '--role', 'board=relays')).code, 3)
})
