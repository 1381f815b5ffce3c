import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommandRecord, PlannedStart, RunRecord, ScheduleState } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { LONG, PULSE, writeRecipes } from '../kit/recipes.ts'
import { startStand, type Stand } from '../kit/stand.ts'

type Entry = Record<string, unknown>

async function withSchedules(
  schedules: Entry[],
  use: (stand: Stand) => Promise<void>,
  schedulers = 1,
): Promise<void> {
  const stand = await startStand({
    leaseMs: 2_000,
    site: { clock: 'any', schedules: schedules.map((one) => ({ recipe: 'pulse', ...one })) },
  })
  try {
    writeRecipes(stand, { pulse: PULSE, long: LONG })
    for (let n = 0; n < schedulers; n += 1) await stand.addScheduler()
    await use(stand)
  } finally {
    await stand.close()
  }
}

async function starts(stand: Stand): Promise<PlannedStart[]> {
  const { body } = await stand.api<PlannedStart[]>('/api/schedules/starts?limit=1000')
  return body.toReversed()
}

async function schedule(stand: Stand, id: string): Promise<ScheduleState | undefined> {
  return (await stand.api<ScheduleState[]>('/api/schedules')).body.find((one) => one.id === id)
}

const turn = (stand: Stand, id: string, enabled: boolean) =>
  stand.api(`/api/schedules/${id}`, { method: 'PATCH', body: { enabled } })

async function finished(stand: Stand, count: number): Promise<PlannedStart[]> {
  return eventually(
    async () => {
      const all = await starts(stand)
      return all.filter(({ finishedAt }) => finishedAt !== undefined).length >= count ? all : undefined
    },
    { what: `${count} starts have finished`, timeoutMs: 30_000 },
  )
}

test('a schedule starts runs on its marks, and keeps account of each', async () => {
  await withSchedules([{ id: 'air', label: 'Air', when: { every: '2 s' } }], async (stand) => {
    const all = await finished(stand, 2)
    for (const { plannedAt, run = '', startedAt = '', lateMs, finishedAt = '', end } of all.slice(0, 2)) {
      assert.equal(Date.parse(plannedAt) % 2_000, 0)
      assert.ok(lateMs !== undefined && lateMs < 2_000, `late by ${lateMs}`)
      assert.ok(Date.parse(startedAt) >= Date.parse(plannedAt))
      assert.ok(Date.parse(finishedAt) >= Date.parse(startedAt))
      assert.equal(end, 'completed')
      const { body } = await stand.api<RunRecord>(`/api/runs/${run}`)
      assert.deepEqual([body.by, body.recipe, body.end], ['schedule air', 'pulse', 'completed'])
    }
    const shown = await schedule(stand, 'air')
    assert.deepEqual([shown?.when, shown?.message], ['every 2 s from the top of the hour', ''])
    assert.ok((shown?.next.length ?? 0) >= 4)
    const { body: planned } = await stand.api<PlannedStart[]>('/api/schedules/planned?hours=0.01')
    assert.ok(planned.length >= 17 && planned.length <= 18, String(planned.length))
  })
})

test('a run still going on skips the mark; switched off it starts nothing, also after a takeover', async () => {
  await withSchedules([{ id: 'long', recipe: 'long', when: { every: '1 s' } }], async (stand) => {
    const all = await eventually(
      async () => {
        const found = await starts(stand)
        return found.length >= 3 ? found : undefined
      },
      { what: 'marks have passed' },
    )
    assert.match(all[1]?.skipped ?? '', /^Its run long-.* was still going on\.$/)
    assert.equal((await turn(stand, 'long', false)).status, 202)
    await eventually(async () => (await schedule(stand, 'long'))?.enabled === false, { what: 'it is off' })
    const count = (await starts(stand)).length
    await stand.schedulers[0]?.kill('SIGKILL')
    await stand.addScheduler()
    await eventually(
      async () => (await stand.state()).runs.some(({ scheduler }) => scheduler === 'scheduler-1'),
      {
        what: 'the second leads',
        timeoutMs: 20_000,
      },
    )
    const off = await schedule(stand, 'long')
    assert.deepEqual([off?.enabled, off?.next, off?.message], [false, [], 'It is switched off.'])
    assert.equal((await starts(stand)).length, count)
    await turn(stand, 'long', true)
    await eventually(async () => (await starts(stand)).length > count, { what: 'it goes on' })
  })
})

test('what can not be started is skipped, and says why', async () => {
  await withSchedules(
    [
      { id: 'gone', recipe: 'gone', when: { every: '1 s' } },
      { id: 'wrong', parameters: { speed: 3 }, when: { every: '1 s' } },
      { id: 'stopped', when: { every: '1 s' } },
    ],
    async (stand) => {
      await stand.api('/api/stop', { method: 'POST', body: { reason: 'test' } })
      const said = async (id: string, why: RegExp): Promise<void> => {
        await eventually(
          async () => (await starts(stand)).some((one) => one.schedule === id && why.test(one.skipped ?? '')),
          { what: `${id} says ${why}` },
        )
      }
      await said('gone', /no recipe "gone"/)
      await said('wrong', /speed/)
      await said('stopped', /emergency stop was in force/i)
    },
  )
})

test('a run whose instruments are not free in time is given up', async () => {
  await withSchedules([{ id: 'air', when: { every: '1 s' }, within: '1 s' }], async (stand) => {
    await stand.api('/api/instruments/relays/reservation', {
      method: 'PUT',
      body: { forMs: 600_000, note: 'mine' },
    })
    await eventually(
      async () =>
        (await starts(stand)).some(
          ({ run, skipped = '' }) => run !== undefined && /relays.*reserved/.test(skipped),
        ),
      { what: 'it is given up, and says what it waited for', timeoutMs: 20_000 },
    )
  })
})

for (const missed of ['catch-up', 'skip'] as const) {
  test(`two schedulers, the leader killed and frozen again and again: each planned start exactly once (${missed})`, async () => {
    await withSchedules(
      [{ id: 'air', when: { every: '1 s' }, missed, within: '1 s' }],
      async (stand) => {
        for (let n = 0; n < 3; n += 1) {
          await finished(stand, 2 + 2 * n)
          const { body } = await stand.api<{ leases: { link: string; worker: string }[] }>('/api/fleet')
          const leader = body.leases.find(({ link }) => link === 'scheduler')?.worker ?? ''
          const scheduler = stand.schedulers[Number(leader.split('-')[1])]
          // The second is only frozen past its lease, and wakes up when another leads.
          if (n === 1) scheduler?.stop()
          else await scheduler?.kill('SIGKILL')
          await stand.addScheduler()
          if (n === 1) {
            await finished(stand, 5)
            scheduler?.cont()
          }
        }
        await finished(stand, 10)
        await turn(stand, 'air', false)
        await eventually(async () => (await schedule(stand, 'air'))?.enabled === false, { what: 'it is off' })
        const all = await eventually(
          async () => {
            const found = await starts(stand)
            return found.every((one) => one.finishedAt ?? one.skipped) ? found : undefined
          },
          { what: 'what was started has finished' },
        )
        const marks = all.flatMap(({ plannedAt, count = 1 }) =>
          Array.from({ length: count }, (_, k) => Date.parse(plannedAt) / 1000 + k),
        )
        marks.sort((a, b) => a - b)
        assert.deepEqual(
          marks,
          Array.from({ length: marks.length }, (_, n) => (marks[0] ?? 0) + n),
          'each mark once, none left out',
        )
        const begun = all.flatMap(({ run, skipped }) => (run ? [{ run, skipped }] : []))
        assert.equal(new Set(begun.map(({ run }) => run)).size, begun.length)
        const { body: commands } = await stand.api<CommandRecord[]>('/api/commands?limit=1000')
        for (const { run, skipped } of begun) {
          const own = commands.filter(({ by }) => by === `run ${run}`).toReversed()
          // One whose instruments were not free in time is given up, and has done nothing.
          const wanted = skipped === undefined ? ['true done', 'false done'] : []
          assert.deepEqual(
            own.map(({ value, outcome }) => `${String(value)} ${outcome}`),
            wanted,
            run,
          )
        }
      },
      2,
    )
  })
}

test('Redis is killed, and comes back without its last seconds: no mark switches anything twice, and it goes on', async () => {
  await withSchedules([{ id: 'air', when: { every: '3 s' }, missed: 'once' }], async (stand) => {
    const switchedOn = (): number[] =>
      stand.sim
        .device('relays')
        .requests()
        .filter(({ method, body, acted }) => method === 'POST' && acted && /"?(on|true|1)"?/.test(body))
        .map(({ at }) => Date.parse(at))
    await finished(stand, 1)
    await stand.redis.restart()
    const after = switchedOn().length
    await eventually(() => switchedOn().length > after, { what: 'it goes on', timeoutMs: 20_000 })
    // The next run begins, and Redis forgets that it did.
    await stand.redis.mark()
    const before = switchedOn().length
    await eventually(() => switchedOn().length > before, {
      what: 'a run has begun',
      timeoutMs: 20_000,
      everyMs: 5,
    })
    await stand.redis.killAndRollBack()
    const again = switchedOn().length
    await eventually(() => switchedOn().length >= again + 3, { what: 'it goes on', timeoutMs: 30_000 })
    const all = switchedOn()
    for (const [n, at] of all.entries()) {
      const next = all[n + 1]
      if (next !== undefined) assert.ok(next - at > 1_000, `twice within ${next - at} ms`)
    }
  })
})
