import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { GolemError, type ModbusAddress, type ModbusDriver, type ModbusIo } from '@golem/core'
import { type Channel, openLink } from './link.ts'
import { rtuFrame } from './modbus-framing.ts'

const open: { close: () => unknown }[] = []
after(async () => {
  for (const one of open) await one.close()
})

interface Line {
  channel: Channel
  /** The connection of each request, from 1, and its bytes. */
  requests: [connection: number, hex: string][]
}

/** A unit behind a converter: RTU on TCP. @param replyTimeoutMs - of its driver */
async function unit(
  framing: ModbusAddress['framing'],
  replyTimeoutMs: number,
  answer: (socket: Socket, request: Buffer, connection: number) => void,
): Promise<Line> {
  const requests: Line['requests'] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = (connections += 1)
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      requests.push([connection, bytes.toString('hex')])
      answer(socket, bytes, connection)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const endpoint: ModbusAddress = {
    kind: 'modbus',
    framing,
    place: { kind: 'tcp', host: '127.0.0.1', port: address.port },
    unit: 1,
  }
  const driver: ModbusDriver = {
    transport: 'modbus',
    link: { replyTimeoutMs, gapMs: 0 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
  }
  const link = openLink({ endpoint, guard: () => undefined })
  open.push(link, {
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return { channel: link.attach({ driver, endpoint }), requests }
}

const code = (wanted: string) => (error: unknown) => error instanceof GolemError && error.code === wanted
const read = (io: ModbusIo): Promise<number[]> => io.readHoldingRegisters(0, 1)

test('a connection on which nothing comes any more is made anew, soon but not for one lost answer', async () => {
  const { channel, requests } = await unit('tcp', 400, (socket, request, connection) => {
    if (connection === 1) return
    const answer = Buffer.from(`${request.toString('hex', 0, 2)}000000050103020007`, 'hex')
    socket.write(answer)
  })
  for (let lost = 0; lost < 3; lost += 1) {
    await assert.rejects(channel.run('poll', read), code('REPLY_TIMEOUT'))
  }
  assert.deepEqual(await channel.run('poll', read), [7])
  assert.deepEqual(
    requests.map(([connection]) => connection),
    [1, 1, 1, 2],
  )
})

test('a stop whose connection is cut while it waits for its turn goes out on a new one', async () => {
  const stop = rtuFrame(1, Buffer.from('0500000000', 'hex'))
  const { channel, requests } = await unit('rtu', 400, (socket, request, connection) => {
    if (connection === 1) setTimeout(() => socket.destroy(), 30)
    // An adapter that hears itself, so that it is told from the answer.
    else socket.write(Buffer.concat([request, request]))
  })
  const running = channel.run('poll', read)
  while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  const stopped = channel.run('stop', (io: ModbusIo) => io.writeCoil(0, false))
  await assert.rejects(running, code('INTERRUPTED'))
  await stopped
  assert.deepEqual(requests.at(-1), [2, stop.toString('hex')])
})
