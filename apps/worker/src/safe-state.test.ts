import { GolemError, type Reading, type Value } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'
import { SafeState } from './safe-state.ts'

/** A board with one output that is read and one that the site hides, before a worker that notes what it is told. */
class Board {
  dead = false
  readonly written: string[] = []
  readonly events: string[] = []
  readings: Record<string, Reading> = { shown: { value: true, at: null, quality: 'good' } }

  safeState(): SafeState {
    const context = {
      log: { warn: () => undefined },
      stops: { of: () => undefined },
      interlocks: { held: () => new Map() },
      client: {
        event: (_kind: string, _instrument: string, message: string) => {
          this.events.push(message)
          return Promise.resolve()
        },
      },
    }
    const instrument = {
      id: 'board',
      driver: {},
      reading: (name: string) => this.readings[name],
      matches: (_name: string, safe: Value, got: Value | undefined) => safe === got,
      pollSoon: () => undefined,
      outputs: { wrote: () => undefined },
      writeOf: (name: string) => () => this.#write(name),
      channel: { run: (_kind: string, work: (io: object) => Promise<void>) => work({}) },
    }
    const outputs = [
      ['shown', false],
      ['hidden', false],
    ] as const
    return new SafeState(context as unknown as WorkerContext, instrument as unknown as Instrument, outputs)
  }

  #write(name: string): Promise<void> {
    if (this.dead) return Promise.reject(new GolemError('LINK_DOWN', 'it refuses the connection'))
    this.written.push(name)
    if (name === 'shown') this.readings = { shown: { value: false, at: null, quality: 'good' } }
    return Promise.resolve()
  }
}

test('an output that is not read is brought to its safe value when the board comes back', async (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const board = new Board()
  const safeState = board.safeState()
  board.dead = true
  await safeState.enter('stop')
  board.dead = false
  now += 3_000
  await safeState.keep('stop')
  assert.deepEqual(board.written, ['shown', 'hidden'])
  now += 3_000
  await safeState.keep('stop')
  assert.deepEqual(board.written, ['shown', 'hidden'], 'then it is left in peace')
})

test('a board that stays dead under a stop is tried again and again, and told of once in ten minutes', async (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const board = new Board()
  board.dead = true
  const safeState = board.safeState()
  await safeState.enter('stop')
  for (; now < 3_600_000; now += 3_000) await safeState.keep('stop')
  assert.ok(board.events.length >= 6 && board.events.length <= 7, `${board.events.length} events in an hour`)
  board.dead = false
  await safeState.keep('stop')
  assert.match(board.events.at(-1) ?? '', /shown = false, hidden = false/)
})
