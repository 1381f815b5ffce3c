import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { type Senders, turns, watchSenders } from './senders.ts'
import { WRITE, nextValue, timesWritten, valveEntries, valves, written } from './valve.ts'

/** Slow enough that a burst lasts until a frozen worker's lease is over. */
const SLOWLY = { kind: 'delay', ms: 150, match: WRITE } as const

describe('workers that all may own an instrument', () => {
  let stand: Stand
  let senders: Senders
  before(async () => {
    stand = await startStand({
      workers: 0,
      devices: valves(1),
      instruments: valveEntries(1),
      pollEveryMs: 100,
    })
    senders = watchSenders(stand)
  })
  after(async () => {
    senders.stop()
    await stand.close()
  })
  afterEach(async () => {
    await stand.sim.device('valve-0').setFault(null)
    await Promise.all(stand.workers.map((worker) => worker.kill()))
  })

  const valve = () => stand.sim.device('valve-0')

  const start = async (count: number): Promise<NodeProcess[]> => {
    const started = await Promise.all(Array.from({ length: count }, () => stand.addWorker()))
    await answers()
    return started
  }

  const answers = async (): Promise<void> => {
    await stand.until(
      'valve-0',
      ({ condition, owner }) =>
        condition === 'ok' && stand.workers.some((worker) => worker.alive && worker.name === owner),
      'the valve is polled by a living worker',
      30_000,
    )
  }

  const submit = async (value: number): Promise<CommandRecord> => {
    const body = { parameter: 'flow', value, validForMs: 120_000 }
    const answer = await stand.command('valve-0', body, { wait: 0 })
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return answer.body
  }

  /** The workers that have owned the valve, in the order of their leases. */
  const owners = async (): Promise<number[]> => {
    const { body } = await stand.api<SiteEvent[]>('/api/events?kind=owner&limit=500')
    return body.map(({ message }) => Number(/ is owned by worker-(\d+) /.exec(message)?.[1]))
  }

  /** Who sent to the valve changes only as its leases did: nobody sent out of turn. */
  const isInTurn = async (): Promise<void> => {
    const leases = await owners()
    const seen = turns(senders.sent)
    let at = 0
    for (const worker of seen) {
      while (at < leases.length && leases[at] !== worker) at += 1
      assert.ok(
        at < leases.length,
        `worker-${worker} sent out of turn: the valve heard ${seen.join(' ')}, the leases were those of ${leases.join(' ')}`,
      )
    }
    assert.ok(seen.length > 0)
  }

  test('and are started at the same moment never speak to it at the same time', async () => {
    for (let round = 0; round < 4; round++) {
      const started = await start(3)
      const ids: string[] = []
      for (let n = 0; n < 10; n++) ids.push((await submit(nextValue())).id)
      // One goes in order, the others at once, all in the middle of the work.
      await started[round % 3]?.kill('SIGTERM')
      for (const id of ids.slice(0, 5)) await stand.ended(id, 30_000)
      await Promise.all(started.map((worker) => worker.kill()))
      await isInTurn()
    }
    const values = written(valve())
    assert.equal(new Set(values).size, values.length, 'no command was sent twice')
    await start(1)
  })

  test('a frozen one that wakes up after its lease has gone sends nothing more, and takes no work away', async () => {
    const [first, second] = await start(2)
    assert.ok(first && second)
    const { owner } = await stand.until('valve-0', ({ owner }) => owner, 'it has an owner')
    const frozen = owner === first.name ? first : second
    const successor = frozen === first ? second : first

    await valve().setFault(SLOWLY)
    const given = new Map<string, number>()
    for (let n = 0; n < 25; n++) {
      const value = nextValue()
      given.set((await submit(value)).id, value)
    }
    const values = [...given.values()]
    await eventually(() => timesWritten(valve(), values[2] ?? 0) === 1, { what: 'the burst has begun' })
    await sleep(Math.random() * 200)
    frozen.stop()
    await eventually(async () => (await stand.state()).instruments['valve-0']?.owner === successor.name, {
      what: 'the other one takes over',
      timeoutMs: 20_000,
    })
    const before = senders.sent.length
    const place = stand.workers.indexOf(frozen)
    await eventually(
      () => written(valve()).length > 0 && senders.sent.slice(before).some(({ method }) => method === 'POST'),
      {
        what: 'the successor goes on with the burst',
      },
    )
    frozen.cont()

    let unknown = 0
    for (const [id, value] of given) {
      const record = await stand.ended(id, 60_000)
      if (record.outcome === 'unknown') unknown += 1
      else assert.equal(record.outcome, 'done', `${JSON.stringify(record)}\n${stand.log()}`)
      assert.equal(timesWritten(valve(), value), 1)
    }
    assert.ok(unknown <= 1, `${unknown} outcomes are unknown; only the one under way may be`)
    const came = written(valve()).filter((value) => values.includes(value))
    assert.deepEqual(came, values, 'in the order in which they were given')
    await isInTurn()
    assert.ok(senders.sent.slice(0, before).some(({ worker }) => worker === place))
  })
})
