import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { Runs } from '../kit/runs.ts'
import { relayBoard, startStand } from '../kit/stand.ts'
import { withArchive } from './archived-station.ts'

const RECIPES = {
  measure: `
label: Measure
stages:
  - name: measure
    steps:
      - set: { relays.relay0: true }
      - measure: { readings: [relays.rootsTemperature], samples: 2 }
      - measure: { readings: [relays.rootsTemperature], samples: 2 }
`,
}

test('commands with their outcomes, runs with their rows, the log and descriptions are archived, whatever is killed', async (t) => {
  const stand = await startStand({ archivers: 1, schedulers: 1, devices: [relayBoard('relays')] })
  t.after(() => stand.close())
  writeRecipes(stand, RECIPES)
  const runs = new Runs(stand)
  await runs.recipe('measure')
  const ids: string[] = []
  const switchSome = async (): Promise<void> => {
    for (let n = 0; n < 10; n += 1) {
      ids.push((await stand.command('relays', { parameter: 'relay1', value: n % 2 === 0 })).body.id)
    }
  }
  await switchSome()
  await stand.archivers[0]?.kill('SIGKILL')
  await switchSome()
  const run = await runs.start('measure')
  await stand.addArchiver(0)
  await runs.ended(run)
  ids.push(...(await runs.commands(run)).map(({ id }) => id))

  const events = (await stand.api<{ id: string; kind: string }[]>('/api/events?limit=1000')).body
  await eventually(
    () =>
      withArchive(stand, async (archive) => {
        const found = await archive.query<{ id: string; outcome: string; run: string | null }>(
          'SELECT id, outcome, run FROM command ORDER BY t',
        )
        assert.deepEqual(found.map(({ id }) => id).sort(), [...ids].sort())
        assert.ok(found.every(({ outcome }) => outcome === 'done'))
        assert.ok(found.some((one) => one.run === run))
        const [record] = await archive.query<{ record: string; ended: number }>(
          'SELECT record, ended FROM run WHERE id = ?',
          [run],
        )
        assert.equal((JSON.parse(record?.record ?? '{}') as { end?: string }).end, 'completed')
        assert.equal((await archive.query('SELECT id FROM run_row WHERE run = ?', [run])).length, 2)
        const logged = new Set(
          (await archive.query<{ id: string }>('SELECT id FROM event')).map(({ id }) => id),
        )
        assert.deepEqual(
          events.filter(({ id }) => !logged.has(id)),
          [],
        )
        const documents = await archive.query<{ kind: string; name: string }>(
          'SELECT kind, name FROM document',
        )
        assert.deepEqual(documents.map(({ kind, name }) => `${kind} ${name}`).sort(), [
          'description relays',
          'site site.yaml',
        ])
        return true
      }),
    { what: 'all of it is archived', timeoutMs: 30_000 },
  )
})
