import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { RawClient, runProgram } from '../kit/raw-client.ts'
import { block } from '../kit/supply.ts'
import { type SupplyStand, startSupplyStand } from '../kit/supply-stand.ts'

/** Debian's, whose packages python3-pyvisa and python3-serial have. */
const PYTHON = '/usr/bin/python3'

let bench: SupplyStand
before(async () => {
  bench = await startSupplyStand()
})
after(() => bench.close())

const clients: RawClient[] = []
async function connect(port = bench.port, localAddress?: string): Promise<RawClient> {
  const client = await RawClient.to(port, localAddress)
  clients.push(client)
  return client
}
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

async function python(script: string): Promise<string> {
  const { code, output } = await runProgram(PYTHON, ['-c', script])
  assert.equal(code, 0, `${output}\n${bench.log()}`)
  return output.trim()
}

async function ledger(wanted: (record: CommandRecord) => boolean): Promise<CommandRecord[]> {
  const { body } = await bench.stand.api<CommandRecord[]>('/api/commands?limit=1000')
  return body.filter((record) => record.exchange !== undefined && wanted(record))
}

async function inLedger(exchange: string): Promise<CommandRecord> {
  return eventually(async () => (await ledger((record) => record.exchange === exchange))[0], {
    what: `"${exchange}" is in the ledger`,
  })
}

/** golem goes on reading it: a reading newer than now comes. */
async function isPolled(): Promise<void> {
  const { now } = (await bench.stand.api<{ now: string }>('/api/state')).body
  const since = now ?? new Date().toISOString()
  await bench.stand.until(
    'supply',
    ({ condition, seenAt }) => condition === 'ok' && (seenAt ?? '') > since,
    'the supply goes on being read',
  )
}

test('PyVISA asks, writes and fetches a waveform while golem polls', async () => {
  const output = await python(`
import pyvisa
rm = pyvisa.ResourceManager('@py')
inst = rm.open_resource('TCPIP::127.0.0.1::${bench.port}::SOCKET', read_termination='\\n', write_termination='\\n')
print(inst.query('*IDN?'))
inst.write('VOLT 3.5')
print(inst.query('VOLT?'))
for n in range(100):
    assert inst.query('ECHO? %d' % n) == str(n)
data = inst.query_binary_values('WAVE? 100000', datatype='B', container=bytes)
assert data == bytes(n % 256 for n in range(100000)), len(data)
inst.write_binary_values('LOAD ', list(range(256)) * 10, datatype='B')
print(inst.query('ECHO? end'))
inst.timeout = 1500
try:
    inst.query('MUTE?')
    print('answered')
except pyvisa.errors.VisaIOError as e:
    print(e.abbreviation)
print(inst.query('ECHO? after'))
`)
  assert.deepEqual(output.split(/\r?\n/), ['GOLEM,SUPPLY,1,1.0', '3.5', 'end', 'VI_ERROR_TMO', 'after'])
  assert.equal(bench.supply.state.blockBytes, 2_560)
  await bench.stand.until(
    'supply',
    ({ readings }) => readings['voltage']?.value === 3.5,
    'golem sees the voltage',
  )
  const record = await inLedger('VOLT 3.5')
  assert.match(record.by, /^gateway 127\.0\.0\.1:\d+$/)
  assert.deepEqual([record.instrument, record.outcome, record.state], ['supply', 'done', 'ended'])
})

test('lxi and socat talk to it, and what is sent before the end of the connection is carried out', async () => {
  const lxi = await runProgram('lxi', ['scpi', '-r', '-a', '127.0.0.1', '-p', String(bench.port), '*IDN?'])
  assert.match(lxi.output, /GOLEM,SUPPLY/, lxi.output)
  const target = `TCP:127.0.0.1:${bench.port}`
  const socat = await runProgram('socat', ['-t', '5', '-', target], 'VOLT 7.25\r\nVOLT?\r\n')
  assert.equal(socat.output, '7.25\n')
  await runProgram('socat', ['-u', '-', target], 'OUTP 1\n')
  await eventually(() => bench.supply.state.output, { what: 'the output is switched on' })
})

test('eight clients and golem on one instrument: each answer goes to its asker', async () => {
  const until = performance.now() + 5_000
  let asked = 0
  const wrong: string[] = []
  await Promise.all(
    Array.from({ length: 8 }, async (_, who) => {
      const client = await connect()
      for (let n = 0; performance.now() < until; n += 1) {
        const answer = await client.ask(`ECHO? ${who}-${n}`)
        if (answer !== `${who}-${n}`) wrong.push(`${who}-${n}: ${answer}`)
        asked += 1
      }
      assert.equal(client.received.length, 0)
    }),
  )
  assert.deepEqual(wrong, [])
  assert.ok(asked > 200, `only ${asked} in 5 s`)
  const state = (await bench.stand.state()).instruments['supply']
  assert.equal(state?.condition, 'ok', state?.message)
  const polls = bench.supply.heard.filter((text) => text === 'OUTP?').length
  assert.ok(polls > 10, `golem polled ${polls} times only`)
  await isPolled()
  // Questions are counted, not listed.
  assert.deepEqual(await ledger((record) => record.exchange?.startsWith('ECHO') === true), [])
})

test('a client killed in the middle of a question leaves the line in step, and nobody gets its answer', async () => {
  const other = await connect()
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const child = spawn(PYTHON, [
      '-c',
      `import socket,time; s=socket.create_connection(('127.0.0.1',${bench.port})); s.sendall(b'SLOW? 300,666\\n'); time.sleep(30)`,
    ])
    const before = bench.supply.heard.length
    await eventually(() => bench.supply.heard.slice(before).includes('SLOW? 300,666'), {
      what: 'the question has been sent',
    })
    child.kill(signal)
    await once(child, 'exit')
    for (let n = 0; n < 10; n += 1) assert.equal(await other.ask(`ECHO? ${n}`), String(n))
  }
  await isPolled()
})

test('an answer that comes too late is nobody’s: not of the next question, not of the next client', async () => {
  const [one, two] = [await connect(), await connect()]
  one.send('SLOW? 900,666\n')
  await sleep(20)
  assert.equal(await two.ask('ECHO? 2'), '2')
  assert.equal(await one.ask('ECHO? 1'), '1')
  await sleep(1_000)
  assert.deepEqual([one.received.length, two.received.length], [0, 0])
  assert.equal(await one.ask('ECHO? 3'), '3')
  await isPolled()
})

test('an instrument that answers two questions in two lines does not mix up the next one', async () => {
  const client = await connect()
  client.send('TWO?;TWO?\nECHO? 3\n')
  assert.deepEqual([await client.line(), await client.line(), await client.line()], ['1', '2', '3'])
})

test('a block without a line end is passed on all the same', async () => {
  const client = await connect()
  client.send('BARE? 1000\n')
  assert.deepEqual(await client.bytes(1_006), block(1_000))
  assert.equal(await client.ask('ECHO? 1'), '1')
})

test('a megabyte for a client that takes nothing holds up nobody, and does not fill the memory', async () => {
  const stuck = await connect()
  stuck.socket.pause()
  stuck.send('WAVE? 1000000\n'.repeat(60))
  const pid = bench.workers[0]?.pid ?? 0
  const rss = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  const before = rss()
  const other = await connect()
  for (let n = 0; n < 50; n += 1) assert.equal(await other.ask(`ECHO? ${n}`), String(n))
  await isPolled()
  await sleep(500)
  const waves = bench.supply.heard.filter((text) => text === 'WAVE? 1000000').length
  assert.ok(waves < 30, `${waves} waveforms were fetched for a client that takes none`)
  assert.ok(rss() - before < 60, `${Math.round(rss() - before)} MB more than before`)
  // It takes them in the end, all of them whole.
  stuck.socket.resume()
  const wave = Buffer.concat([block(1_000_000), Buffer.from('\n')])
  for (let n = 0; n < 60; n += 1)
    assert.ok((await stuck.bytes(wave.length, 30_000)).equals(wave), `the ${n}th`)
})

test('a stop ends what clients do, is told in the ledger, and goes on until it is released', async () => {
  const { stand, supply } = bench
  const [writer, asker] = [await connect(), await connect()]
  writer.send('OUTP 1\n')
  await eventually(() => supply.state.output, { what: 'the output is on' })
  asker.send('SLOW? 400,1\n')
  await sleep(50)
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'smoke' } })
  await eventually(() => !supply.state.output, { what: 'the output is off', timeoutMs: 2_000 })
  await eventually(() => asker.closed, { what: 'the client in the middle of a question is disconnected' })
  writer.send('OUTP 1\n')
  await eventually(() => writer.closed, { what: 'the client that wants to switch on is disconnected' })
  const refused = await eventually(
    async () => (await ledger(({ exchange, outcome }) => exchange === 'OUTP 1' && outcome === 'refused'))[0],
    { what: 'the refusal is in the ledger' },
  )
  assert.deepEqual([refused.code, refused.effect], ['STOPPED', 'none'])
  assert.equal(supply.state.output, false)
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  await stand.until('supply', ({ condition }) => condition === 'ok', 'the supply answers')
  const later = await eventually(
    async () => {
      const client = await connect()
      client.send('OUTP 1\n')
      return (await client.ask('OUTP?')) === '1'
    },
    { what: 'a client may again' },
  )
  assert.ok(later)
})

test('where only reading is allowed, questions pass and nothing else does, however it is dressed up', async () => {
  const { supply } = bench
  supply.state.volt = 1
  const client = await connect(bench.readOnlyPort)
  assert.equal(await client.ask('VOLT?'), '1')
  for (const text of [
    'VOLT 5',
    'VOLT?;VOLT 5',
    'VOLT 5;VOLT?',
    'VOLT? #15;VOLT 5',
    'ECHO? "a;VOLT 5;"',
    'ECHO? 1\rVOLT 5',
    '*TST?',
    'ECHO? #213\nVOLT 5\n',
  ]) {
    const heard = supply.heard.length
    const each = await connect(bench.readOnlyPort)
    each.send(`${text}\n`)
    await eventually(() => each.closed, { what: `${JSON.stringify(text)} ends the connection` })
    const sent = supply.heard.slice(heard).filter((one) => /VOLT 5|TST/.test(one))
    assert.deepEqual(sent, [], JSON.stringify(text))
  }
  assert.equal(supply.state.volt, 1)
  const record = await inLedger('VOLT?;VOLT 5')
  assert.deepEqual([record.instrument, record.outcome, record.code], ['guarded', 'refused', 'NOT_ALLOWED'])
})

test('browsers, endless messages, strange addresses and the seventeenth client are sent away', async () => {
  const browser = await connect()
  browser.send('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nVOLT 66\n')
  await eventually(() => browser.closed, { what: 'it is disconnected' })
  const endless = await connect()
  endless.send('A'.repeat(70_000))
  await eventually(() => endless.closed, { what: 'it is disconnected' })
  const huge = await connect()
  huge.send('LOAD #9999999999')
  await eventually(() => huge.closed, { what: 'it is disconnected' })
  assert.notEqual(bench.supply.state.volt, 66)
  const all = await Promise.all(Array.from({ length: 16 }, () => connect()))
  for (const [n, client] of all.entries()) assert.equal(await client.ask(`ECHO? ${n}`), String(n))
  const more = await connect()
  await eventually(() => more.closed, { what: 'there is no place for it' })
  assert.ok(all.every((client) => !client.closed))
  for (const client of all) client.close()
  await eventually(async () => (await connect()).ask('ECHO? 1', 500), { what: 'there is a place again' })
})

test('a script that writes without a pause is in the ledger, and does not flood it', async () => {
  const client = await connect()
  for (let n = 0; n < 500; n += 1) client.send(`VOLT ${n}.125\n`)
  assert.equal(await client.ask('VOLT?', 20_000), '499.125')
  await eventually(
    async () => {
      const records = await ledger(({ exchange }) => /\.125/.test(exchange ?? ''))
      const told = records.reduce(
        (sum, { exchange }) => sum + Number(/^(\d+) messages/.exec(exchange ?? '')?.[1] ?? 1),
        0,
      )
      assert.equal(told, 500)
      assert.ok(records.length < 150, `${records.length} records`)
      return true
    },
    { what: 'all 500 are told' },
  )
})

test('the worker is killed: the gateway opens at the one that takes over', async () => {
  const { stand, supply } = bench
  const client = await connect()
  assert.equal(await client.ask('ECHO? 1'), '1')
  await bench.addWorker()
  const before = (await stand.state()).instruments['supply']?.owner
  const index = bench.workers.findIndex((_, n) => before === `worker-${n}`)
  await bench.workers[index]?.kill()
  await eventually(() => client.closed, { what: 'the client notices' })
  const answer = await eventually(async () => (await connect()).ask('ECHO? again', 500), {
    what: 'the other worker answers',
    timeoutMs: 20_000,
  })
  assert.equal(answer, 'again')
  assert.equal(supply.heard.filter((text) => text === 'ECHO? 1').length >= 1, true)
})

test('a port that somebody else has is told, and taken as soon as it is free', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const other = await startSupplyStand({ gateway: { port, allow: ['127.0.0.2'] } })
  try {
    const told = await eventually(
      async () => {
        const { body } = await other.stand.api<{ message: string }[]>('/api/events?kind=gateway')
        return JSON.stringify(body).includes('EADDRINUSE')
      },
      { what: 'it is in the log' },
    )
    assert.ok(told)
    assert.equal((await other.stand.state()).instruments['supply']?.condition, 'ok')
    taken.close()
    const answer = await eventually(async () => (await connect(port, '127.0.0.2')).ask('ECHO? 1', 1_000), {
      what: 'the port is open',
    })
    assert.equal(answer, '1')
    const stranger = await connect(port)
    await eventually(() => stranger.closed, { what: 'an address that is not allowed is sent away' })
  } finally {
    taken.close()
    await other.close()
  }
})
