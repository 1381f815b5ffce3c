import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { RawClient } from '../kit/raw-client.ts'
import { type SupplyStand, startSupplyStand } from '../kit/supply-stand.ts'

/** Longer than a question that somebody is killed in the middle of. */
const SLOW_MS = 400

let bench: SupplyStand
before(async () => {
  bench = await startSupplyStand({ leaseMs: 4_000 })
})
after(() => bench?.close())

const clients: RawClient[] = []
async function connect(): Promise<RawClient> {
  const client = await RawClient.to(bench.port)
  clients.push(client)
  return client
}
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

const heard = (text: string): number => bench.supply.heard.filter((one) => one === text).length
const isHeard = (text: string): Promise<unknown> =>
  eventually(() => heard(text) > 0, { what: `the supply hears ${text}` })

/** A client whose questions are answered: by the worker that has the instrument by now. */
async function served(): Promise<RawClient> {
  return eventually(
    async () => {
      const client = await connect()
      return (await client.ask('ECHO? there', 1_000)) === 'there' ? client : undefined
    },
    { what: 'a gateway answers', timeoutMs: 30_000 },
  )
}

async function inLedger(exchange: string): Promise<CommandRecord[]> {
  return eventually(
    async () => {
      const { body } = await bench.stand.api<CommandRecord[]>('/api/commands?limit=1000')
      const found = body.filter((record) => record.exchange === exchange)
      return found.length > 0 ? found : undefined
    },
    { what: `"${exchange}" is in the ledger`, timeoutMs: 20_000 },
  )
}

async function owner(): Promise<NodeProcess> {
  const { owner: name } = await bench.stand.until('supply', (state) => state.owner, 'it has an owner')
  const found = bench.workers.find((_, n) => name === `worker-${n}`)
  assert.ok(found)
  return found
}

test('a worker that is stopped in an orderly way finishes the exchange, tells of it, and sends nothing of what waits', async () => {
  const first = await owner()
  const second = await bench.addWorker()
  const client = await served()
  client.send(`VOLT 11;SLOW? ${SLOW_MS},1\n`)
  client.send('VOLT 12\n')
  // The supply takes it for one command, which it does not know: no answer comes.
  await isHeard(`VOLT 11;SLOW? ${SLOW_MS},1`)
  const ending = first.kill('SIGTERM')
  await eventually(() => client.closed, { what: 'the client is disconnected' })
  await ending
  const next = await served()
  for (let n = 0; n < 10; n += 1) assert.equal(await next.ask(`ECHO? ${n}`), String(n))
  assert.equal(await owner(), second)
  assert.equal(heard('VOLT 12'), 0)
  const records = await inLedger(`VOLT 11;SLOW? ${SLOW_MS},1`)
  assert.deepEqual(
    records.map(({ outcome, code }) => [outcome, code]),
    [['unknown', 'REPLY_TIMEOUT']],
  )
})

test('a worker frozen in the middle of an exchange sends nothing more when it wakes, and its client is let go', async () => {
  const frozen = await owner()
  const successor = await bench.addWorker()
  const client = await served()
  client.send(`SLOW? ${SLOW_MS},2\nVOLT 13\n`)
  await isHeard(`SLOW? ${SLOW_MS},2`)
  frozen.stop()
  try {
    await eventually(async () => (await owner()) === successor, {
      what: 'the other worker takes over',
      timeoutMs: 20_000,
    })
  } finally {
    frozen.cont()
  }
  await eventually(() => client.closed, { what: 'the client is disconnected' })
  // The one that woke up gives the port back.
  const next = await served()
  for (let n = 0; n < 10; n += 1) assert.equal(await next.ask(`ECHO? ${n}`), String(n))
  assert.equal(heard('VOLT 13'), 0)
  assert.equal(heard(`SLOW? ${SLOW_MS},2`), 1)
  await frozen.kill('SIGKILL')
})

test('while Redis is away nothing is changed, for no stop would be heard of; questions are answered', async () => {
  const [writer, asker] = [await served(), await served()]
  await bench.stand.redis.kill()
  // A moment passes until the worker has seen it.
  const refused = await eventually(
    async () => {
      const client = await connect()
      const text = `VOLT ${14 + clients.length / 1000}`
      client.send(`${text}\n`)
      await eventually(() => client.closed, { what: 'it is disconnected', timeoutMs: 1_000 })
      return text
    },
    { what: 'a change is refused' },
  )
  assert.equal(heard(refused), 0)
  assert.equal(await asker.ask('ECHO? 5'), '5')
  writer.send('OUTP 1\n')
  await eventually(() => writer.closed, { what: 'it is disconnected' })
  await bench.stand.redis.start()
  const [record] = await inLedger(refused)
  assert.deepEqual([record?.outcome, record?.code, record?.effect], ['refused', 'QUEUE_DOWN', 'none'])
  assert.equal(heard('OUTP 1'), 0)
  const again = await served()
  again.send('VOLT 15\n')
  await isHeard('VOLT 15')
  assert.deepEqual(
    (await inLedger('VOLT 15')).map(({ outcome }) => outcome),
    ['done'],
  )
})

test('a change that went out before anybody knew that Redis is frozen is told when it goes on, later ones are refused', async () => {
  const client = await served()
  bench.stand.redis.freeze()
  try {
    client.send('VOLT 16\n')
    await isHeard('VOLT 16')
    await eventually(
      async () => {
        if (client.closed) return true
        client.send('VOLT 17\n')
        return false
      },
      { what: 'changes are refused', timeoutMs: 15_000, everyMs: 200 },
    )
  } finally {
    bench.stand.redis.resume()
  }
  assert.deepEqual(
    (await inLedger('VOLT 16')).map(({ outcome }) => outcome),
    ['done'],
  )
  await bench.stand.until('supply', ({ condition }) => condition === 'ok', 'it is read again', 30_000)
  await served()
})

test('a client that vanishes with half a command, of a few bytes or a megabyte, changes nothing', async () => {
  const block = Buffer.alloc(500_000, 'all bytes: \0\r#')
  for (const half of [
    Buffer.from('VOLT 18'),
    Buffer.from('OUTP 1'),
    Buffer.concat([Buffer.from('LOAD #71000000'), block]),
  ]) {
    for (const way of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const before = bench.supply.heard.length
      const client = await served()
      client.send(half)
      client.socket[way]()
      const next = await served()
      for (let n = 0; n < 5; n += 1) assert.equal(await next.ask(`ECHO? ${n}`), String(n))
      const came = bench.supply.heard.slice(before)
      assert.deepEqual(
        came.filter((text) => /^(LOAD|OUTP|VOLT) /.test(text)),
        [],
        `${half.toString('latin1', 0, 20)}, ${way}`,
      )
    }
  }
  assert.equal(bench.supply.state.blockBytes, 0)
})
