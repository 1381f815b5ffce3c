import { runCli } from '@golem/cli'
import type { RunRecord } from '@golem/core'
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const RECIPE = `
label: Air
stages:
  - name: open
    steps:
      - set: { relays.relay1: true }
      - wait: 2 s
  - name: close
    steps:
      - set: { relays.relay1: false }
      - measure: { readings: [relays.externalTemperature], samples: 1 }
`

let stand: Stand

before(async () => {
  stand = await startStand({ archivers: 1, schedulers: 1 })
  mkdirSync(join(stand.dir, 'recipes'), { recursive: true })
  writeFileSync(join(stand.dir, 'recipes', 'air.yaml'), RECIPE)
})
after(() => stand.close())

test('a run that workers, scheduler and archiver have done becomes a bundle: what ran, by what, and what came of it', async () => {
  const runs = new Runs(stand)
  await runs.recipe('air')
  // On a busy machine the scheduler's sign of life may be late.
  const id = await eventually(() => runs.start('air'), { what: 'the run is accepted', timeoutMs: 60_000 })
  assert.equal((await runs.ended(id)).end, 'completed')
  await eventually(
    async () => {
      const { body } = await stand.api<{ run?: RunRecord }>(`/api/runs/${id}/archive`)
      return body.run?.state === 'ended' && body.run.rows === 1
    },
    { what: 'the archive has the end of the run', timeoutMs: 30_000 },
  )
  const errors: string[] = []
  const code = await runCli(['runs', 'export', id, '-o', 'bundle'], {
    env: { GOLEM_URL: stand.url() },
    cwd: stand.dir,
    out: () => undefined,
    err: (line) => void errors.push(line),
  })
  assert.equal(code, 0, errors.join('\n'))

  const read = (file: string): string => readFileSync(join(stand.dir, 'bundle', file), 'utf8')
  const [program = ''] = readdirSync(join(stand.dir, 'bundle', 'documents', 'program'))
  assert.match(read(join('documents', 'program', program)), /"relay1"/)
  for (const kind of ['description', 'site']) {
    assert.ok(readdirSync(join(stand.dir, 'bundle', 'documents', kind)).length > 0, kind)
  }
  const commands = read('commands.ndjson')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { outcome: string })
  assert.deepEqual(
    commands.map(({ outcome }) => outcome),
    ['done', 'done'],
  )
  assert.equal(read('rows.csv').trimEnd().split('\n').length, 2)
  const readings = read('readings.csv')
  assert.match(readings, /,relays\.relay1,1,\n/)
  assert.match(readings, /\n# end, \d\d+ rows\n$/)
  assert.match(read('page/data.js'), /"stages":\[\{"name":"1: open"/)
})
