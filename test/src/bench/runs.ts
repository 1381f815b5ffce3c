import type { CommandRecord } from '@golem/core'
import type { DeviceSpec } from '@golem/simulator'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { type Figure, inMs, spreadOf, times } from './figures.ts'
import { cpuPercent, pssMb } from './process-cost.ts'

const MANY = 100
const ROUNDS = 30
const EVERY_MS = 1_000
/** By so much the clocks of two processes may differ, in ms. */
const CLOCK_MS = 20
/** The runs are begun one after the other; what is measured lies in the time in which all of them go on. */
const OVER_MS = 15_000

const RECIPE = `label: Beat
instruments: { lamp: { default: lamp-0 } }
stages:
  - name: beat
    steps:
      - repeat: { times: ${ROUNDS}, every: ${EVERY_MS} ms, steps: [{ set: { lamp.channel0: 10 } }] }
`

interface Cost {
  /** Percent of a core. */
  cpu: number
  memory: number
  /** How much later than planned steps gave their command, in ms. */
  late: number[]
  /** Share of the marks at which no round began. */
  leftOut: number
}

/** What runs that go on at the same time cost the leading scheduler, and how late their steps are. */
export async function measureRuns(): Promise<Figure[]> {
  const devices = Array.from({ length: MANY }, (_, n): DeviceSpec => ({
    name: `lamp-${n}`,
    kind: 'pwm-lamp',
  }))
  const stand = await startStand({ schedulers: 1, pollEveryMs: 1_000, leaseMs: 10_000, devices })
  try {
    const folder = join(stand.dir, 'recipes')
    mkdirSync(folder)
    writeFileSync(join(folder, 'beat.yaml'), RECIPE)
    const runs = new Runs(stand)
    await runs.recipe('beat')
    const pid = stand.schedulers[0]?.pid ?? 0
    // The compiler of JavaScript has had its time.
    await costOf(stand, runs, 10)
    const idle = await cpuPercent(pid, OVER_MS)
    const one = await costOf(stand, runs, 1)
    const many = await costOf(stand, runs, MANY)
    const [lateOne, lateMany] = [spreadOf(one.late), spreadOf(many.late)]
    return [
      {
        what: `leading scheduler with ${MANY} runs, each a command every second: share of a core`,
        value: `${many.cpu.toFixed(1)} %`,
        compared: `${one.cpu.toFixed(1)} % with one run, ${idle.toFixed(1)} % with none`,
      },
      {
        what: 'its memory (PSS)',
        value: `${many.memory.toFixed(0)} MB`,
        compared: `${one.memory.toFixed(0)} MB with one run`,
      },
      {
        what: `how late steps of ${MANY} runs give their command, p50 / p99 / max`,
        value: `${inMs(lateMany.p50)} / ${inMs(lateMany.p99)} / ${inMs(lateMany.max)}`,
        compared: `${times(lateMany.p50, lateOne.p50)} / ${times(lateMany.p99, lateOne.p99)} / ${times(lateMany.max, lateOne.max)} of one run`,
      },
      {
        what: 'marks that were left out because the round before was not over',
        value: `${(many.leftOut * 100).toFixed(1)} %`,
        compared: `${(one.leftOut * 100).toFixed(1)} % with one run`,
      },
    ]
  } finally {
    await stand.close()
  }
}

async function costOf(stand: Stand, runs: Runs, count: number): Promise<Cost> {
  const pid = stand.schedulers[0]?.pid ?? 0
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    ids.push(await runs.start('beat', {}, { instruments: { lamp: `lamp-${n}` } }))
  }
  const cpu = await cpuPercent(pid, OVER_MS)
  const memory = pssMb(pid)
  const late: number[] = []
  let leftOut = 0
  for (const [n, id] of ids.entries()) {
    while ((await runs.get(id)).state !== 'ended') await sleep(200)
    const { body } = await stand.api<CommandRecord[]>(`/api/commands?instrument=lamp-${n}&limit=1000`)
    const given = body.filter(({ by }) => by === `run ${id}`).toReversed()
    late.push(...lateness((await runs.get(id)).startedAt, given))
    const [first, last] = [given[0], given.at(-1)].map((one) => Date.parse(one?.submittedAt ?? ''))
    leftOut += Math.round(((last ?? NaN) - (first ?? NaN)) / EVERY_MS) + 1 - given.length
  }
  return { cpu, memory, late, leftOut: leftOut / (leftOut + count * ROUNDS) }
}

/**
 * By how much the commands of a run came after the marks of its clock, which count from its beginning. A round that takes
 * longer than to the next mark leaves that out.
 */
function lateness(startedAt: string | undefined, commands: readonly CommandRecord[]): number[] {
  const began = Date.parse(startedAt ?? '')
  return commands.map(({ submittedAt }) => {
    const since = Date.parse(submittedAt) - began + CLOCK_MS
    return (since % EVERY_MS) - CLOCK_MS
  })
}
