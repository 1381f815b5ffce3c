import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KINDS } from '../faults/kinds.ts'
import { playRound, startFaultStand, type Victim, wrongWith } from '../faults/rounds.ts'
import type { Stand } from '../kit/stand.ts'

/** `npm run faults` kills the web process too, and prints a table. */
const KILLED: readonly Victim[] = ['scheduler', 'worker', 'redis']

let stand: Stand

before(async () => {
  stand = await startFaultStand()
})
after(() => stand.close())

for (const victim of KILLED) {
  test(`kill -9 ${victim} in each kind of step: no run is lost, nothing is done twice, each end is done`, async () => {
    const fates = await playRound(stand, victim)
    assert.equal(fates.length, KINDS.length)
    const wrong = fates.flatMap((fate) => wrongWith(fate).map((what) => `${fate.kind}: ${what}`))
    assert.deepEqual(wrong, [], `${wrong.join('\n')}\n${stand.log().slice(-20_000)}`)
  })
}
