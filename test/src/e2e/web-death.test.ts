import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { nextValue, slowWrites, timesWritten, valveEntries, valves, written } from './valve.ts'

const VICTIM = 0
const OTHER = 1

describe('a web process that is killed', () => {
  let stand: Stand
  before(async () => {
    stand = await startStand({ webs: 2, devices: valves(1), instruments: valveEntries(1) })
  })
  after(() => stand.close())

  const valve = () => stand.sim.device('valve-0')

  /** The outcome of a command, asked of the process that lives. */
  const ended = (id: string): Promise<CommandRecord> =>
    eventually(
      async () => {
        const { body } = await stand.api<CommandRecord>(`/api/commands/${id}`, { web: OTHER })
        return body.state === 'ended' ? body : undefined
      },
      { what: `command ${id} has ended`, timeoutMs: 60_000 },
    )

  test('right after it has accepted a command: it is done once, and another process knows how it ended', async () => {
    await valve().setFault(slowWrites(500))
    const values = Array.from({ length: 4 }, nextValue)
    const ids: string[] = []
    for (const value of values) {
      const { status, body } = await stand.command(
        'valve-0',
        { parameter: 'flow', value },
        { wait: 0, web: VICTIM },
      )
      assert.equal(status, 202)
      ids.push(body.id)
    }
    await stand.restartWeb(VICTIM, 'SIGKILL')
    for (const id of ids) assert.equal((await ended(id)).outcome, 'done')
    assert.deepEqual(written(valve()), values)
  })

  test('while a request waits for the outcome: the same request to another process gets it, and acts no second time', async () => {
    await valve().setFault(slowWrites(1_500))
    const value = nextValue()
    const waiting = stand.command('valve-0', { parameter: 'flow', value }, { key: 'held', web: VICTIM })
    const broken = assert.rejects(waiting)
    await eventually(() => timesWritten(valve(), value) === 1, { what: 'the valve has received it' })
    await stand.webs[VICTIM]?.kill()
    await broken
    const again = await stand.command('valve-0', { parameter: 'flow', value }, { key: 'held', web: OTHER })
    assert.equal(again.status, 200, JSON.stringify(again.body))
    assert.equal(again.body.outcome, 'done')
    assert.equal(timesWritten(valve(), value), 1)
    await stand.restartWeb(VICTIM)
  })

  test('in the middle of accepting many: each that is asked for again elsewhere with its key is done exactly once', async () => {
    for (let round = 0; round < 2; round++) {
      const given = Array.from({ length: 10 }, (_, n) => ({ value: nextValue(), key: `many-${round}-${n}` }))
      const answers = given.map(async ({ value, key }, n) => {
        await sleep(n * 2)
        const body = { parameter: 'flow', value }
        const first = stand.command('valve-0', body, { wait: 0, key, web: VICTIM })
        // Whether it was answered or not: whoever is not sure asks again, and may.
        await first.catch(() => undefined)
        return stand.command('valve-0', body, { wait: 0, key, web: OTHER })
      })
      await sleep(5 + Math.random() * 25)
      const restarted = stand.restartWeb(VICTIM, 'SIGKILL')
      for (const answer of await Promise.all(answers)) {
        const record = await ended(answer.body.id)
        assert.equal(record.outcome, 'done', JSON.stringify(record))
      }
      for (const { value } of given) assert.equal(timesWritten(valve(), value), 1)
      await restarted
    }
  })

  test('between the ledger and the queue: the command waits, is never sent by itself, and is done once when asked for again', async () => {
    const busy = nextValue()
    await valve().setFault(slowWrites(1_000))
    await stand.command('valve-0', { parameter: 'flow', value: busy }, { wait: 0, web: OTHER })
    await eventually(() => timesWritten(valve(), busy) === 1, { what: 'the valve is busy' })
    const value = nextValue()
    const body = { parameter: 'flow', value }
    const { body: record } = await stand.command('valve-0', body, { wait: 0, key: 'half', web: VICTIM })
    // What is in Redis when the process dies before it has put the job into the queue; made in one step.
    const bull = '{golem:test}:bull:valve-0'
    const removed = await stand.redis.call(
      'eval',
      "return redis.call('LREM', KEYS[1], 0, ARGV[1]) + redis.call('DEL', KEYS[2])",
      '2',
      `${bull}:wait`,
      `${bull}:${record.id}`,
      record.id,
    )
    assert.equal(removed, '2')
    await stand.restartWeb(VICTIM, 'SIGKILL')
    assert.equal(
      (await stand.command('valve-0', { parameter: 'flow', value: nextValue() })).body.outcome,
      'done',
    )
    assert.equal(timesWritten(valve(), value), 0, 'who was not answered may count on nothing')
    const again = await stand.command('valve-0', body, { key: 'half', web: OTHER })
    assert.equal(again.body.id, record.id)
    assert.equal(again.body.outcome, 'done', JSON.stringify(again.body))
    assert.equal(timesWritten(valve(), value), 1)
  })
})
