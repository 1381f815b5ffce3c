import { relayBoards, startStand } from '../kit/stand.ts'
import { type Figure } from './figures.ts'
import { cpuPercent, pssMb } from './process-cost.ts'

const OVER_MS = 20_000

/** Processor and memory of one worker that polls its instruments once a second. */
export async function measureWorkerLoad(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [instruments, aim] of [
    [26, ''],
    [200, 'below 25 %, 150 MB'],
  ] as const) {
    const devices = relayBoards(instruments)
    const stand = await startStand({ devices, pollEveryMs: 1000 })
    try {
      const pid = stand.workers[0]?.pid ?? NaN
      // The first seconds are starting up.
      await cpuPercent(pid, 5_000)
      const cpu = await cpuPercent(pid, OVER_MS)
      figures.push({
        what: `one worker, ${instruments} instruments at 1 Hz: share of a core, memory (PSS)`,
        value: `${cpu.toFixed(1)} %, ${Math.round(pssMb(pid))} MB`,
        aim,
      })
    } finally {
      await stand.close()
    }
  }
  return figures
}
