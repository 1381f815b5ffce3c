import type { OutputState } from '@golem/core'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { OutputStore, memoryFrom, monotonic } from './output-store.ts'
import type { OutputMemory } from './output-watch.ts'

const NOW = Date.parse('2026-11-21T12:00:00.000Z')
const MINUTE = 60_000

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'golem-outputs-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

const onFor = (ms: number): OutputMemory => {
  const at = monotonic() - ms
  return { on: true, since: at, before: at - 1_000, seen: monotonic() }
}

/** How long it has been on, at most. */
const age = (memory: OutputMemory | undefined): number => monotonic() - (memory?.before ?? NaN)

/** As if the machine had been started anew since. */
function reboot(dir: string): void {
  const file = join(dir, 'http%3A%2F%2Fa.outputs.json')
  const written = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...written, boot: 'another', mono: 5_000_000_000 }))
}

function near(got: number, wanted: number): void {
  assert.ok(Math.abs(got - wanted) < 1_000, `${got}, wanted ${wanted}`)
}

test('the next process on this machine goes by its monotonic clock, whatever the site clock says', (t) => {
  const dir = folder(t)
  new OutputStore(dir, 'http://a').write({ pump: onFor(10 * MINUTE) }, NOW)
  const found = new OutputStore(dir, 'http://a').read(NOW + 3_600_000)
  near(age(found?.outputs['pump']), 10 * MINUTE + 1_000)
  assert.equal(found?.at, NOW)
})

test('after a restart of the machine the site clock says how long it has been', (t) => {
  const dir = folder(t)
  const store = new OutputStore(dir, 'http://a')
  const at = monotonic() - 10 * MINUTE
  const mono = 5_000_000_000
  const was = { on: true, since: mono - 10 * MINUTE, before: mono - 10 * MINUTE, seen: mono }
  store.write({ pump: was }, NOW)
  reboot(dir)
  near(age(store.read(NOW + 5 * MINUTE)?.outputs['pump']), monotonic() - at + 5 * MINUTE)
})

test('when the clock was set back since, one that was on is overdue, and one that was off was off just now', (t) => {
  const dir = folder(t)
  const store = new OutputStore(dir, 'http://a')
  store.write({ pump: onFor(MINUTE), fan: { ...onFor(MINUTE), on: false } }, NOW)
  reboot(dir)
  const found = store.read(NOW - 3_600_000)?.outputs
  assert.ok(age(found?.['pump']) > 366 * 24 * 3_600_000)
  near(monotonic() - (found?.['fan']?.since ?? NaN), 0)
})

test('a file that was cut off says nothing; a disk that does not take it is an error', (t) => {
  const dir = folder(t)
  const store = new OutputStore(dir, 'http://a')
  assert.equal(store.read(NOW), undefined)
  writeFileSync(join(dir, 'http%3A%2F%2Fa.outputs.json'), '{"boot":')
  assert.equal(store.read(NOW), undefined)
  const nowhere = new OutputStore(join(dir, 'missing'), 'http://a')
  assert.throws(() => nowhere.write({ pump: onFor(0) }, NOW), /can't be written/)
})

test('what the last owner has published is taken over, on-time and all', () => {
  const at = (ms: number): string => new Date(NOW + ms).toISOString()
  const state: OutputState = {
    on: true,
    since: at(-5 * MINUTE),
    countedFrom: at(-6 * MINUTE),
    seenAt: at(-1_000),
    count: { onTimeS: 300, cycles: 4, since: at(-3_600_000), level: 'warn' },
  }
  const memory = memoryFrom(state, NOW)
  near(age(memory), 6 * MINUTE)
  assert.deepEqual(
    [memory.on, memory.count?.onMs, memory.count?.cycles, memory.count?.told],
    [true, 300_000, 4, 'warn'],
  )
  assert.ok(age(memoryFrom(state, NOW - 3_600_000)) > 366 * 24 * 3_600_000)
})
