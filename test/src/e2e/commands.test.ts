import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Answer, type Stand, startStand } from '../kit/stand.ts'
import { READ, WRITE, nextValue, slowWrites, timesWritten, valveEntries, valves, written } from './valve.ts'

const VALVES = 8
const CLIENTS = 8
const COMMANDS = 200

describe('commands', () => {
  let stand: Stand
  before(async () => {
    stand = await startStand({
      workers: 2,
      webs: 2,
      devices: valves(VALVES),
      instruments: valveEntries(VALVES),
    })
  })
  after(() => stand.close())
  afterEach(() => stand.sim.device('valve-0').setFault(null))

  const valve = (n = 0) => stand.sim.device(`valve-${n}`)

  /** Hands a command over without waiting for its outcome. */
  const submit = (value: number, options: { web?: number; key?: string; validForMs?: number } = {}) => {
    const { validForMs, ...rest } = options
    const body = { parameter: 'flow', value, ...(validForMs === undefined ? {} : { validForMs }) }
    return stand.command('valve-0', body, { wait: 0, ...rest })
  }

  /** Makes the first valve busy with a command for about so many ms; back when it has received it. */
  const keepBusy = async (ms: number): Promise<CommandRecord> => {
    await valve().setFault(slowWrites(ms))
    const value = nextValue()
    const { body } = await submit(value)
    await eventually(() => timesWritten(valve(), value) === 1, { what: 'the valve is busy' })
    return body
  }

  const cancel = (id: string, web = 0): Promise<Answer<CommandRecord>> =>
    stand.api<CommandRecord>(`/api/commands/${id}`, { method: 'DELETE', web })

  test('200 of them from 8 clients are each done exactly once, and none before one that was accepted earlier', async () => {
    interface Given {
      instrument: number
      value: number
      id: string
      askedAt: number
      acceptedAt: number
    }
    const client = async (n: number): Promise<Given[]> => {
      const given: Given[] = []
      for (let turn = 0; turn < COMMANDS / CLIENTS; turn++) {
        const [instrument, value, key] = [(n + turn) % VALVES, nextValue(), `client-${n}-${turn}`]
        for (;;) {
          const askedAt = performance.now()
          const { status, body } = await stand.command(
            `valve-${instrument}`,
            { parameter: 'flow', value },
            { wait: 0, key, web: turn % 2 },
          )
          if (status === 202) {
            given.push({ instrument, value, id: body.id, askedAt, acceptedAt: performance.now() })
            break
          }
          // Full, or on a starved machine a worker that was not heard of for a moment: nothing was sent.
          assert.ok(status === 429 || status === 503, JSON.stringify(body))
          assert.equal(body.effect, 'none')
          await sleep(50)
        }
      }
      return given
    }
    const all = (await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)))).flat()
    for (const { id } of all) {
      const record = await stand.ended(id, 60_000)
      assert.equal(record.outcome, 'done', JSON.stringify(record))
    }
    for (let n = 0; n < VALVES; n++) {
      const given = all.filter(({ instrument }) => instrument === n)
      const came = written(valve(n))
      assert.deepEqual(
        came.toSorted((a, b) => a - b),
        given.map(({ value }) => value).toSorted((a, b) => a - b),
        `valve-${n} received each command once and nothing else`,
      )
      const place = new Map(came.map((value, at) => [value, at]))
      for (const earlier of given) {
        for (const later of given) {
          if (earlier.acceptedAt >= later.askedAt) continue
          assert.ok(
            (place.get(earlier.value) ?? 0) < (place.get(later.value) ?? 0),
            `valve-${n} received ${later.value} before ${earlier.value}, accepted ${later.askedAt - earlier.acceptedAt} ms before it was asked for: ${came.join(' ')}`,
          )
        }
      }
    }
  })

  test('the same request three times with one idempotency key acts once, in parallel and one after another', async () => {
    const value = nextValue()
    const together = await Promise.all(
      [0, 1, 0].map((web) => stand.command('valve-0', { parameter: 'flow', value }, { key: 'thrice', web })),
    )
    const again: Answer<CommandRecord>[] = []
    for (const web of [1, 0, 1]) {
      again.push(await stand.command('valve-0', { parameter: 'flow', value }, { key: 'thrice', web }))
    }
    for (const { status, body } of [...together, ...again]) {
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.outcome, 'done')
      assert.equal(body.id, together[0]?.body.id)
    }
    assert.equal(timesWritten(valve(), value), 1)
  })

  test('a key that was used for something else is refused, and of another person it is another command', async () => {
    const [first, second] = [nextValue(), nextValue()]
    await stand.command('valve-0', { parameter: 'flow', value: first }, { key: 'mine' })
    const reused = await stand.command(
      'valve-0',
      { parameter: 'flow', value: second },
      { key: 'mine', web: 1 },
    )
    assert.equal(reused.status, 422)
    assert.equal(reused.body.code, 'KEY_REUSED')
    assert.equal(timesWritten(valve(), second), 0)
    const other = await stand.api<CommandRecord>('/api/instruments/valve-0/commands', {
      method: 'POST',
      body: { parameter: 'flow', value: second },
      headers: { 'idempotency-key': 'mine', 'x-golem-user': 'somebody-else', prefer: 'wait=10' },
    })
    assert.equal(other.body.outcome, 'done', JSON.stringify(other.body))
    assert.equal(timesWritten(valve(), second), 1)
  })

  test('one that waits can be cancelled and never reaches the device; one that runs or has ended can not', async () => {
    const running = await keepBusy(1_000)
    const [cancelled, kept] = [nextValue(), nextValue()]
    const waiting = (await submit(cancelled)).body
    const next = (await submit(kept)).body
    const answer = await cancel(waiting.id, 1)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.equal(answer.body.outcome, 'refused')
    assert.equal(answer.body.code, 'COMMAND_CANCELLED')
    for (const id of [running.id, waiting.id]) {
      const refused = await cancel(id)
      assert.equal(refused.status, 409)
      assert.equal(refused.body.code, 'NOT_WAITING')
    }
    assert.equal((await stand.ended(running.id)).outcome, 'done')
    assert.equal((await stand.ended(next.id)).outcome, 'done')
    assert.equal((await cancel(next.id)).status, 409)
    assert.equal(timesWritten(valve(), cancelled), 0)
    assert.equal(timesWritten(valve(), kept), 1)
  })

  test('one that is cancelled while it begins is either cancelled and not sent, or sent once and not cancelled', async () => {
    for (let turn = 0; turn < 12; turn++) {
      const value = nextValue()
      const { body } = await submit(value, { web: turn % 2 })
      if (turn % 4 > 0) await sleep(turn % 4)
      const { status } = await cancel(body.id, (turn + 1) % 2)
      const record = await stand.ended(body.id)
      if (status === 200) {
        assert.equal(record.code, 'COMMAND_CANCELLED', JSON.stringify(record))
        assert.equal(timesWritten(valve(), value), 0)
      } else {
        assert.equal(status, 409)
        assert.equal(record.outcome, 'done', JSON.stringify(record))
        assert.equal(timesWritten(valve(), value), 1)
      }
    }
  })

  test('32 may wait for an instrument: further ones are refused with 429 and have no effect, others are not held up', async () => {
    const running = await keepBusy(2_500)
    const values = Array.from({ length: 40 }, nextValue)
    const answers = await Promise.all(values.map((value, n) => submit(value, { web: n % 2 })))
    const accepted = answers.filter(({ status }) => status === 202)
    const refused = answers.filter(({ status }) => status === 429)
    assert.equal(accepted.length, 32)
    assert.equal(refused.length, 8)
    for (const { body } of refused) assert.equal(body.code, 'QUEUE_FULL')
    const elsewhere = await stand.command('valve-1', { parameter: 'flow', value: nextValue() })
    assert.equal(elsewhere.body.outcome, 'done')
    assert.equal((await stand.record(running.id)).state, 'running', 'the other valve was not waited for')

    // Most are cancelled, or the test would wait for them.
    const cancelled = new Set(accepted.slice(5).map(({ body }) => body.id))
    await Promise.all([...cancelled].map((id, n) => cancel(id, n % 2)))
    const room = await submit(nextValue())
    assert.equal(room.status, 202, 'there is room again')
    for (const { body } of [{ body: running }, ...accepted, room]) {
      assert.equal((await stand.ended(body.id)).outcome, cancelled.has(body.id) ? 'refused' : 'done')
    }
    values.forEach((value, n) => {
      const { status, body } = answers[n] ?? {}
      const sent = status === 202 && !cancelled.has(body?.id ?? '')
      assert.equal(timesWritten(valve(), value), sent ? 1 : 0)
    })
  })

  test('one that has waited past its valid-until behind another is refused, and the next one is carried out', async () => {
    const running = await keepBusy(1_000)
    const [late, good] = [nextValue(), nextValue()]
    const expired = (await submit(late, { validForMs: 200 })).body
    const next = (await submit(good)).body
    const record = await stand.ended(expired.id)
    assert.equal(record.outcome, 'refused')
    assert.equal(record.effect, 'none')
    assert.equal(record.code, 'COMMAND_EXPIRED')
    assert.equal((await stand.ended(running.id)).outcome, 'done')
    assert.equal((await stand.ended(next.id)).outcome, 'done')
    assert.equal(timesWritten(valve(), late), 0)
    assert.equal(timesWritten(valve(), good), 1)
  })

  test('one that gets its turn on the link too late, because a poll is slow, is refused and not sent', async () => {
    await valve().setFault({ kind: 'delay', ms: 1_500, times: 1, match: READ })
    await eventually(() => valve().fault() === null, { what: 'a slow poll is under way' })
    const value = nextValue()
    const { body } = await submit(value, { validForMs: 200 })
    const record = await stand.ended(body.id)
    assert.equal(record.outcome, 'refused', JSON.stringify(record))
    assert.equal(record.code, 'COMMAND_EXPIRED')
    assert.equal(timesWritten(valve(), value), 0)
  })

  test('a request that waits gets the outcome, and one that has waited long enough gets the command as it is', async () => {
    await valve().setFault(slowWrites(2_000))
    const value = nextValue()
    const early = await stand.command('valve-0', { parameter: 'flow', value }, { wait: 1, key: 'patience' })
    assert.equal(early.status, 202)
    assert.equal(early.body.state, 'running')
    assert.equal(early.headers.get('location'), `/api/commands/${early.body.id}`)
    const whole = await stand.command('valve-0', { parameter: 'flow', value }, { key: 'patience', web: 1 })
    assert.equal(whole.status, 200)
    assert.equal(whole.body.id, early.body.id)
    assert.equal(whole.body.outcome, 'done')
    assert.equal(timesWritten(valve(), value), 1)
  })

  test('an instrument that answers nonsense or breaks off gets no second try', async () => {
    const spoilt = [
      { kind: 'garbage', match: WRITE, times: 1 } as const,
      // Several times: the board acts a moment after its answer, and a reading may come before that or after it.
      ...Array.from({ length: 5 }, () => ({ kind: 'cut', match: WRITE, times: 1 }) as const),
    ]
    for (const fault of spoilt) {
      await valve().setFault(fault)
      const value = nextValue()
      const { body } = await stand.command('valve-0', { parameter: 'flow', value })
      // What stands in the body of an ESPHome answer says nothing: the value that is read back does.
      assert.equal(body.outcome, fault.kind === 'garbage' ? 'done' : 'unknown', JSON.stringify(body))
      if (body.outcome === 'unknown') {
        const settled = await eventually(async () => (await stand.record(body.id)).settled, {
          what: `the command with the fault ${fault.kind} is settled`,
        })
        assert.equal(settled.effect, 'done')
      }
      assert.equal(timesWritten(valve(), value), 1, fault.kind)
    }
  })

  test('the ledger lists them newest first, the same from every web process', async () => {
    const ids: string[] = []
    for (let n = 0; n < 4; n++) ids.unshift((await submit(nextValue(), { web: n % 2 })).body.id)
    for (const web of [0, 1]) {
      const { body } = await stand.api<CommandRecord[]>('/api/commands?instrument=valve-0&limit=4', { web })
      assert.deepEqual(
        body.map(({ id }) => id),
        ids,
      )
      const all = await stand.api<CommandRecord[]>('/api/commands?limit=500', { web })
      const times = all.body.map(({ submittedAt }) => submittedAt)
      assert.deepEqual(times, times.toSorted().toReversed())
    }
    for (const id of ids) await stand.ended(id)
  })
})
