import { type CommandRecord, messageOf, type RunRecord } from '@golem/core'
import type { DeviceSpec, SimulatedDevice } from '@golem/simulator'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { writeRecipes } from '../kit/recipes.ts'
import { Runs } from '../kit/runs.ts'
import { relayBoard, type Stand, startStand } from '../kit/stand.ts'
import { judge, type Verdict } from './judge.ts'
import { AT_END, BOARD, instrumentOf, KINDS, recipeIdOf, recipesOf, type StepKind } from './kinds.ts'

export const VICTIMS = ['scheduler', 'worker', 'web', 'redis'] as const

export type Victim = (typeof VICTIMS)[number]

/** What became of one run whose step of some kind was under way when a process was killed. */
export interface Fate extends Verdict {
  kind: string
  victim: Victim
  /** How it ended; `LOST`: it did not, or is not known any more. */
  end: string
  isLost: boolean
  /** What its recipe declares for the end is what the device has. */
  isEndDone: boolean
  /** Rows that it has measured, and should have. */
  rows: number
  rowsWanted: number
  message: string
}

/** How long each write takes at the device, in ms: many a command is under way when a process is killed. */
const WRITE_MS = 120
const FLOW_MAX = 1_000_000
const WRITE = { method: 'POST', path: '/number/flow/set' } as const

/** A stand with a device for each kind of step, and a standby scheduler. */
export async function startFaultStand(): Promise<Stand> {
  const written = KINDS.map((kind): DeviceSpec =>
    kind.name === 'do'
      ? { name: instrumentOf(kind), kind: 'sba5', warmUpSeconds: 0.1, zeroSeconds: 0.2 }
      : {
          name: instrumentOf(kind),
          kind: 'esphome',
          urlForm: 'name',
          numbers: [{ name: 'flow', min: 0, max: FLOW_MAX, step: 1, initial: 0 }],
        },
  )
  const flow = { parameter: 'flow', domain: 'number', name: 'flow', min: 0, max: FLOW_MAX, step: 1 }
  const stand = await startStand({
    devices: [...written, relayBoard(BOARD)],
    schedulers: 2,
    leaseMs: 2_000,
    instruments: (address) => [
      { id: BOARD, model: 'esp32-relay', address: address(BOARD) },
      ...KINDS.map((kind) => {
        const id = instrumentOf(kind)
        if (kind.name === 'do') return { id, model: 'sba5', address: address(id) }
        return { id, model: 'esphome', address: address(id), options: { entities: [flow] } }
      }),
    ],
  })
  writeRecipes(stand, recipesOf(KINDS))
  const runs = new Runs(stand)
  await Promise.all(KINDS.map((kind) => runs.recipe(recipeIdOf(kind))))
  for (const kind of KINDS) {
    if (kind.name === 'do') continue
    await stand.sim.device(instrumentOf(kind)).setFault({ kind: 'delay', ms: WRITE_MS, match: WRITE })
  }
  return stand
}

/** Starts a run for each kind of step, kills a process when all are at it, and sees how each of them ends. */
export async function playRound(stand: Stand, victim: Victim): Promise<Fate[]> {
  const runs = new Runs(stand)
  const begun = await Promise.all(
    KINDS.map(async (kind) => {
      const device = stand.sim.device(instrumentOf(kind))
      const before = effectsAt(device).length
      return { kind, device, before, id: await runs.start(recipeIdOf(kind)) }
    }),
  )
  for (const { device, before, kind } of begun) {
    await eventually(() => Promise.resolve(effectsAt(device).length > before), {
      what: `the run of ${kind.name} has begun`,
      timeoutMs: 20_000,
    })
  }
  // Into the middle of what takes some seconds.
  await sleep(500 + Math.random() * 700)
  const leader = (await runs.get(begun[0]?.id ?? '')).scheduler
  await killAndBringBack(stand, victim, leader)
  return Promise.all(
    begun.map(async ({ kind, device, before, id }) => {
      const run = await ended(runs, id)
      const commands = 'lost' in run ? [] : await commandsOf(stand, kind, id)
      return fateOf(kind, victim, { run, commands, received: effectsAt(device).slice(before) })
    }),
  )
}

/** @param leader - id of the scheduler that steps the runs; another one stands by */
async function killAndBringBack(stand: Stand, victim: Victim, leader: string | null): Promise<void> {
  switch (victim) {
    case 'scheduler':
      await stand.schedulers.find(({ name }) => name === leader)?.kill('SIGKILL')
      await stand.addScheduler()
      return
    case 'worker':
      await stand.workers.find(({ alive }) => alive)?.kill('SIGKILL')
      await stand.addWorker()
      return
    case 'web':
      return stand.restartWeb(0, 'SIGKILL')
    case 'redis':
      await stand.redis.kill()
      await sleep(1_000)
      return stand.redis.start()
  }
}

/** @returns `lost`: it has not ended in time, or nobody knows it */
async function ended(runs: Runs, id: string): Promise<RunRecord | { lost: string }> {
  try {
    return await runs.ended(id, 90_000)
  } catch (error) {
    return { lost: messageOf(error) }
  }
}

function commandsOf(stand: Stand, kind: StepKind, id: string): Promise<CommandRecord[]> {
  return eventually(
    async () => {
      const { status, body } = await stand.api<CommandRecord[]>(
        `/api/commands?limit=1000&instrument=${instrumentOf(kind)}`,
      )
      if (status !== 200) throw new Error(JSON.stringify(body))
      return body.filter(({ by }) => by === `run ${id}`).toReversed()
    },
    { what: `the ledger tells the commands of ${id}`, timeoutMs: 20_000 },
  )
}

/** What came to a device and had an effect: values that were written, or `Z` for each zero. */
function effectsAt(device: SimulatedDevice): (number | string)[] {
  return device.requests().flatMap(({ method, path }): (number | string)[] => {
    if (device.kind === 'sba5') return method === 'Z' ? ['Z'] : []
    const value =
      method === WRITE.method ? /^\/number\/flow\/set\?value=([\d.]+)$/.exec(path)?.[1] : undefined
    return value === undefined ? [] : [Number(value)]
  })
}

function fateOf(
  kind: StepKind,
  victim: Victim,
  {
    run,
    commands,
    received,
  }: {
    run: RunRecord | { lost: string }
    commands: readonly CommandRecord[]
    received: readonly (number | string)[]
  },
): Fate {
  const isAction = kind.name === 'do'
  const rows = 'lost' in run ? 0 : run.rows
  const told = isAction
    ? commands.map(({ outcome }) => ({ value: 'Z', ...(outcome ? { outcome } : {}) }))
    : commands
  return {
    kind: kind.name,
    victim,
    end: ('end' in run ? run.end : undefined) ?? 'LOST',
    isLost: 'lost' in run,
    ...judge(received, told, kind.isUnique),
    isEndDone: isAction || received.at(-1) === AT_END,
    rows,
    rowsWanted: 'end' in run && run.end === 'completed' ? (kind.rows ?? 0) : rows,
    message: 'lost' in run ? run.lost : run.message,
  }
}

/** What is wrong with a fate; empty: nothing. */
export function wrongWith(fate: Fate): string[] {
  const { isLost, repeated, missing, isEndDone, rows, rowsWanted, victim, end } = fate
  // With a worker goes the answer to what it had just sent, with Redis perhaps what had just been handed over. Nobody can
  // know, and what may have happened is not done again: such a run fails, in order.
  const mayFail = (victim === 'worker' || victim === 'redis') && / unknown outcome /.test(fate.message)
  const isRight = end === 'completed' || (end === 'failed' && mayFail)
  return [
    ...(isLost ? [`the run is lost: ${fate.message}`] : []),
    ...(repeated > 0 ? [`${repeated} effects came twice`] : []),
    ...(missing > 0 ? [`${missing} commands were called done and never came`] : []),
    ...(isEndDone ? [] : ['the end that its recipe declares was not done']),
    ...(rows === rowsWanted ? [] : [`${rows} rows in place of ${rowsWanted}`]),
    ...(isLost || isRight ? [] : [`it ended as ${end}: ${fate.message}`]),
  ]
}
