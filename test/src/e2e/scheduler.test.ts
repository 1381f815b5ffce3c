import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FleetDocument } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { startStand, type Stand } from '../kit/stand.ts'

async function leaderOf(stand: Stand): Promise<{ worker: string; fence: number } | undefined> {
  const { body } = await stand.api<FleetDocument>('/api/fleet')
  return body.leases.find(({ link }) => link === 'scheduler')
}

test('one scheduler leads; another takes over when it is killed, at once when it ends in order', async () => {
  const stand = await startStand({ schedulers: 2, leaseMs: 2_000 })
  try {
    const first = await eventually(() => leaderOf(stand), { what: 'one leads' })
    const index = Number(first.worker.at(-1))
    await stand.schedulers[index]?.kill('SIGKILL')
    const second = await eventually(
      async () => {
        const leader = await leaderOf(stand)
        return leader && leader.worker !== first.worker ? leader : undefined
      },
      { what: 'the other leads' },
    )
    assert.ok(second.fence > first.fence)
    await stand.addScheduler()
    await stand.schedulers[Number(second.worker.at(-1))]?.kill('SIGTERM')
    const third = await eventually(
      async () => {
        const leader = await leaderOf(stand)
        return leader?.worker === 'scheduler-2' ? leader : undefined
      },
      { what: 'the third leads' },
    )
    assert.ok(third.fence > second.fence)
  } finally {
    await stand.close()
  }
})

test('a leader that was frozen past its lease writes nothing more, and stands by when it wakes', async () => {
  const stand = await startStand({ schedulers: 1, leaseMs: 2_000 })
  try {
    const first = await eventually(() => leaderOf(stand), { what: 'it leads' })
    await stand.addScheduler()
    stand.schedulers[0]?.stop()
    const second = await eventually(
      async () => {
        const leader = await leaderOf(stand)
        return leader && leader.worker !== first.worker ? leader : undefined
      },
      { what: 'the other leads' },
    )
    stand.schedulers[0]?.cont()
    await eventually(() => stand.log().includes('leads no longer'), { what: 'the first has noticed' })
    assert.deepEqual(await leaderOf(stand), second)
  } finally {
    await stand.close()
  }
})
