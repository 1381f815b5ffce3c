import { assertComplete, gapsOf, standWithStation, writes } from '../e2e/archived-station.ts'

/** What is killed, one after the other. */
const VICTIMS = ['archiver', 'redis'] as const

/**
 * Kills the archiver and Redis (kill -9) again and again while a station sends 50 lines a second, and asks the archive
 * what has become of them.
 *
 * @param say - is told of each kill
 * @throws AssertionError when a line is missing or there twice, or a gap is told that is none
 */
export async function killArchiver(kills: number, say: (line: string) => void): Promise<string> {
  const closers: (() => unknown)[] = []
  const stand = await standWithStation(
    { after: (close) => void closers.push(close as () => unknown) },
    { leaseMs: 5_000 },
  )
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const victim = VICTIMS[kill % VICTIMS.length]
      say(`kill -9 ${victim}, ${kill + 1} of ${kills}`)
      if (victim === 'redis') await stand.redis.restart()
      else {
        await stand.archivers[0]?.kill('SIGKILL')
        await stand.addArchiver(0)
        // At other moments of its second each time.
        await writes(stand.archivers[0])
      }
      await new Promise((resolve) => setTimeout(resolve, 37 * (kill % 30)))
    }
    await assertComplete(stand, kills)
    const gaps = await gapsOf(stand)
    return `${kills} kills: each line is archived once; gaps: ${gaps.map(({ reason }) => reason).join(', ') || 'none'}`
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
