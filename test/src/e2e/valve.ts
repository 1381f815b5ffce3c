import assert from 'node:assert/strict'
import type { CommandRecord } from '@golem/core'
import type { DeviceSpec, Fault, SimulatedDevice } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import type { InstrumentEntry } from '../kit/site.ts'
import type { Stand } from '../kit/stand.ts'

const FLOW_MAX = 1_000_000

/**
 * A board with one number, `flow`: every command can write a value of its own, so that the board's request log tells
 * which command came when, and how often.
 */
export function valves(count: number): DeviceSpec[] {
  return Array.from({ length: count }, (_, n) => ({
    name: `valve-${n}`,
    kind: 'esphome',
    urlForm: 'name',
    numbers: [{ name: 'flow', min: 0, max: FLOW_MAX, step: 1, initial: 0 }],
  }))
}

/** They as site.yaml has them. */
export function valveEntries(count: number): (address: (device: string) => string) => InstrumentEntry[] {
  return (address) =>
    Array.from({ length: count }, (_, n) => ({
      id: `valve-${n}`,
      model: 'esphome',
      address: address(`valve-${n}`),
      options: {
        // The tests look at polls and what they find.
        events: false,
        entities: [{ parameter: 'flow', domain: 'number', name: 'flow', min: 0, max: FLOW_MAX, step: 1 }],
      },
    }))
}

/** The path of a write, for faults. */
export const WRITE = { method: 'POST', path: '/number/flow/set' } as const
/** The path of a poll. */
export const READ = { method: 'GET', path: '/number/flow' } as const

/** All values that commands have written to a valve, in the order in which they came to it. */
export function written(valve: SimulatedDevice): number[] {
  return valve.requests().flatMap(({ method, path }) => {
    const value = method === WRITE.method ? /^\/number\/flow\/set\?value=(\d+)$/.exec(path)?.[1] : undefined
    return value === undefined ? [] : [Number(value)]
  })
}

/** How often a value was written. */
export function timesWritten(valve: SimulatedDevice, value: number): number {
  return written(valve).filter((each) => each === value).length
}

/** Slows the next writes down. */
export function slowWrites(ms: number, times = 1): Fault {
  return { kind: 'delay', ms, times, match: WRITE }
}

/**
 * Hands a command over without waiting for its outcome, as a person does: when it is said that no worker is heard of,
 * and that nothing was sent, it is tried again.
 */
export async function submit(
  stand: Stand,
  value: number,
  { valve = 'valve-0', validForMs = 60_000 } = {},
): Promise<CommandRecord> {
  return eventually(
    async () => {
      const body = { parameter: 'flow', value, validForMs }
      const answer = await stand.command(valve, body, { wait: 0 })
      if (answer.status === 503) throw new Error(JSON.stringify(answer.body))
      assert.equal(answer.status, 202, JSON.stringify(answer.body))
      return answer.body
    },
    { what: `${valve} takes a command`, timeoutMs: 20_000 },
  )
}

/** A value that no command of this file has written yet. */
export function nextValue(): number {
  last += 1
  return last
}

let last = 0
