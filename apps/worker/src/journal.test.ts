import type { CommandRecord } from '@golem/core'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Journal, lastFence } from './journal.ts'

const LINK = 'http:board:80'

function folder(t: { after: (fn: () => void) => void }): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'golem-journal-'))
  t.after(() => fs.rmSync(dir, { recursive: true }))
  return dir
}

function command(id: string): CommandRecord {
  return {
    id,
    instrument: 'board',
    parameter: 'relay0',
    value: true,
    by: 'test',
    submittedAt: '2026-01-01T00:00:00.000Z',
    validUntil: '2026-01-01T00:00:30.000Z',
    state: 'running',
  }
}

test('the next worker finds what has begun and what has ended', (t) => {
  const dir = folder(t)
  const first = new Journal(dir, LINK)
  first.begin(command('a'), 1)
  first.end('a', { outcome: 'done', effect: 'done' }, 2)
  first.begin(command('b'), 3)
  first.close()
  const second = new Journal(dir, LINK)
  assert.equal(second.entry('a')?.outcome?.outcome, 'done')
  assert.deepEqual(
    second.unfinished().map(({ record }) => record.id),
    ['b'],
  )
  assert.deepEqual(
    second.endedSince(2).map(({ record }) => record.id),
    ['a'],
  )
  second.close()
})

test('a command that has begun cannot begin again', (t) => {
  const journal = new Journal(folder(t), LINK)
  journal.begin(command('a'), 1)
  assert.throws(() => journal.begin(command('a'), 2), { code: 'INTERNAL' })
  journal.close()
})

test('a line torn by the death of the process is passed over, and what is written after it stands', (t) => {
  const dir = folder(t)
  const first = new Journal(dir, LINK)
  first.begin(command('a'), 1)
  first.close()
  const [file = ''] = fs.readdirSync(dir)
  fs.appendFileSync(path.join(dir, file), '{"t":"begin","at":2,"rec')
  const second = new Journal(dir, LINK)
  assert.equal(second.entry('a')?.begunAt, 1)
  second.begin(command('c'), 3)
  second.close()
  const third = new Journal(dir, LINK)
  assert.equal(third.entry('c')?.begunAt, 3)
  third.close()
})

test('the journal is trusted while no other machine has owned the link in between', (t) => {
  const dir = folder(t)
  const journal = new Journal(dir, LINK)
  assert.equal(journal.trusted(1), true, 'the very first owner')
  assert.equal(journal.trusted(4), false, 'leases 1 to 3 were somebody else’s')
  journal.own(4, 'w', 1)
  assert.equal(journal.trusted(5), true)
  assert.equal(journal.trusted(6), false)
  journal.close()
})

test('a journal written before the machine was restarted is not trusted', (t) => {
  const dir = folder(t)
  const first = new Journal(dir, LINK)
  first.own(1, 'w', 1)
  first.close()
  const [file = ''] = fs.readdirSync(dir)
  const whole = path.join(dir, file)
  fs.writeFileSync(whole, fs.readFileSync(whole, 'utf8').replace(/"boot":"[^"]*"/, '"boot":"another"'))
  const second = new Journal(dir, LINK)
  assert.equal(second.trusted(2), false)
  second.close()
})

test('a folder that cannot be written is told as JOURNAL_FAILED', (t) => {
  const dir = folder(t)
  const file = path.join(dir, 'in-the-way')
  fs.writeFileSync(file, '')
  assert.throws(() => new Journal(file, LINK), { code: 'JOURNAL_FAILED' })
})

test('a long journal is shortened when it is opened, and keeps the newest and all unfinished', (t) => {
  const dir = folder(t)
  const first = new Journal(dir, LINK)
  first.own(7, 'w', 0)
  first.begin(command('open'), 1)
  for (let n = 0; n < 10_500; n += 1) {
    first.begin(command(`c${n}`), n)
    first.end(`c${n}`, { outcome: 'done', effect: 'done' }, n)
  }
  first.close()
  const second = new Journal(dir, LINK)
  second.close()
  const third = new Journal(dir, LINK)
  assert.equal(third.lastFence, 7)
  assert.equal(third.entry('c10499')?.outcome?.outcome, 'done')
  assert.equal(third.entry('c0'), undefined)
  assert.deepEqual(
    third.unfinished().map(({ record }) => record.id),
    ['open'],
  )
  third.close()
})

test('whoever only asks for the last fence leaves a journal alone that another process may be writing to', (t) => {
  const dir = folder(t)
  assert.equal(lastFence(dir, LINK), 0)
  const owner = new Journal(dir, LINK)
  owner.own(7, 'worker-0', 1)
  // As many lines as make an owner write the journal anew.
  fs.appendFileSync(path.join(dir, `${encodeURIComponent(LINK)}.jsonl`), '{}\n'.repeat(30_000))
  assert.equal(lastFence(dir, LINK), 7)
  owner.begin(command('a'), 2)
  owner.close()
  const next = new Journal(dir, LINK)
  assert.equal(next.lastFence, 7)
  assert.deepEqual(
    next.unfinished().map(({ record }) => record.id),
    ['a'],
  )
  next.close()
})
