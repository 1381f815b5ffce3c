import { EMPTY_BATCH, openArchive, writeBatch } from '@golem/archive'
import type { ReceivedSample } from '@golem/queue'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Positions } from './positions.ts'

async function archiveOf(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'golem-positions-'))
  const archive = await openArchive(join(folder, 'archive.sqlite'))
  t.after(async () => {
    await archive.close()
    rmSync(folder, { recursive: true })
  })
  return archive
}

const ENTRY = { instrument: 'oven', condition: 'ok', message: '', staleAfterMs: 1, readings: {} } as const

const sample = (count: number, n: number, more: Partial<ReceivedSample> = {}): ReceivedSample => ({
  id: `${1_000 + count}-0`,
  count,
  worker: 'w-1',
  life: 'a',
  n,
  entry: ENTRY,
  ...more,
})

test('each entry once, and what was lost before it', async (t) => {
  const positions = await Positions.load(await archiveOf(t))
  assert.deepEqual(positions.next(sample(7, 7)), { isNew: true, lost: 0 })
  assert.deepEqual(positions.next(sample(8, 8)), { isNew: true, lost: 0 })
  // Its confirmation was lost, so the worker has sent it again.
  assert.deepEqual(positions.next(sample(9, 8)), { isNew: false, lost: 0 })
  const { lost, doubt } = positions.next(sample(15, 14))
  assert.deepEqual([lost, doubt?.reason], [5, 'behind'])
  assert.equal(positions.next(sample(16, 16)).doubt?.reason, 'redis')
  assert.equal(positions.next(sample(12, 17)).doubt?.reason, 'redis')
  assert.equal(positions.next(sample(13, 1, { life: 'b' })).doubt?.reason, 'worker')
  assert.deepEqual(positions.next(sample(14, 1, { worker: 'w-2' })), { isNew: true, lost: 0 })
  assert.deepEqual(positions.next(sample(99, 5, { entry: null, id: '2000-0' })), { isNew: false, lost: 0 })
  assert.equal(positions.samples, '2000-0')
  assert.deepEqual(positions.next(sample(15, 2, { worker: 'w-2' })), { isNew: true, lost: 0 })
})

test('it goes on where the archive ends, and begins anew where Redis does', async (t) => {
  const archive = await archiveOf(t)
  const first = await Positions.load(archive)
  first.follow('e1', { samples: '5000-0', events: '700-0' })
  first.next(sample(7, 7))
  first.events = '700-0'
  await writeBatch(archive, { ...EMPTY_BATCH, remember: first.toRemember(new Set(['w-1'])) }, first.written)
  // Somebody else has written meanwhile.
  await assert.rejects(writeBatch(archive, EMPTY_BATCH, first.written), { code: 'LEASE_LOST' })

  const second = await Positions.load(archive)
  assert.deepEqual([second.samples, second.events], ['1007-0', '700-0'])
  assert.deepEqual(second.next(sample(8, 7)), { isNew: false, lost: 0 })
  second.follow('e1', { samples: '5000-0', events: '700-0' })
  assert.equal(second.samples, '1008-0')
  // It came back without its last entries, on a machine whose clock was set back.
  second.follow('e1', { samples: '900-3', events: '650-0' })
  assert.deepEqual([second.samples, second.events], ['0-0', '0-0'])
  assert.deepEqual(second.next(sample(3, 7, { id: '900-1' })), { isNew: false, lost: 0 })
  assert.deepEqual(second.next(sample(4, 8, { id: '900-3' })), { isNew: true, lost: 0 })

  const third = await Positions.load(archive)
  third.follow('e2', { samples: '9000-0', events: '9000-0' })
  assert.deepEqual([third.samples, third.events], ['0-0', '0-0'])
})
