import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { type Answerer, createAnswerer, modelFileOf, SHIPPED_MODELS } from '@golem/drivers'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

/** A bench supply as its model's own simulation plays it, on a TCP port. */
interface Supply {
  address: string
  answerer: Answerer
  /** What it received, without line ends. */
  received: string[]
  close: () => Promise<void>
}

async function supply(): Promise<Supply> {
  const answerer = createAnswerer(modelFileOf('rigol-dp800', [SHIPPED_MODELS]).raw)
  assert.ok(answerer)
  const received: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      received.push(...bytes.toString('latin1').split('\n').filter(Boolean))
      for (const answer of answerer.receive(bytes)) socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerer,
    received,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

let stand: Stand
let careful: Supply
let holding: Supply
before(async () => {
  careful = await supply()
  holding = await supply()
  stand = await startStand({
    devices: [],
    instruments: () => [
      { id: 'careful', model: 'rigol-dp800', address: careful.address, onStop: 'safe' },
      { id: 'holding', model: 'rigol-dp800', address: holding.address, onStop: 'hold' },
    ],
  })
})
after(async () => {
  await stand.close()
  await careful.close()
  await holding.close()
})

async function switchOn(): Promise<void> {
  for (const id of ['careful', 'holding']) {
    for (const [parameter, value] of [
      ['voltage1', 12],
      ['output1', true],
    ] as const) {
      const { body } = await stand.command(id, { parameter, value })
      assert.equal(body.outcome, 'done', JSON.stringify(body))
    }
    const { readings } = await stand.until(
      id,
      (state) => state.readings['measuredVoltage1']?.value === 12,
      `${id} measures what it was set to`,
    )
    assert.equal(readings['output1']?.value, true)
  }
}

test('an instrument without a line of code is read, written, and refuses with its own words', async () => {
  await switchOn()
  const args = { channel: 'CH3', voltage: 12, current: 1 }
  const { body } = await stand.command('careful', { action: 'apply', arguments: args })
  assert.equal(body.outcome, 'failed')
  assert.equal(body.code, 'INSTRUMENT_REFUSED')
  assert.match(body.message ?? '', /-222 Data out of range/)
  assert.equal(careful.answerer.state['voltage3'], 0)
})

test('when its worker is stopped, one goes to its safe state and back to local control, the other holds', async () => {
  await switchOn()
  const [worker] = stand.workers
  assert.ok(worker)
  careful.received.length = 0
  holding.received.length = 0
  await worker.kill('SIGTERM')
  await eventually(() => careful.received.at(-1) === ':SYST:LOC', {
    what: 'the last thing sent is local control',
  })
  assert.deepEqual([careful.answerer.state['output1'], careful.answerer.state['voltage1']], ['OFF', 0])
  assert.deepEqual([holding.answerer.state['output1'], holding.answerer.state['voltage1']], ['ON', 12])
  const polls = holding.received.filter((line) => !line.includes('?'))
  assert.deepEqual(polls, [])
})
