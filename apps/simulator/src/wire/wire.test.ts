import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect, openSerial, until } from '../testing.ts'
import { answererEnd, tcpEnd } from './device-end.ts'
import { listenOn, type NearSide, serveSerial } from './near-ends.ts'
import { httpRequests, lineRequests, modbusRtuRequests, modbusTcpRequests } from './requests.ts'
import { FaultyWire } from './wire.ts'

/** What both near sides offer a client. */
interface Client {
  send(text: string): void
  received(): string
  closed(): boolean
  end(): void
}

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'golem-wire-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** An echo that numbers what it gets, so that its count is the judge. */
function countingEcho(): { wire: FaultyWire; got: string[]; reboots: () => number } {
  const got: string[] = []
  let reboots = 0
  const device = answererEnd(
    (request) => {
      got.push(request.toString('latin1').trim())
      return Buffer.from(`${got.length}:${got.at(-1)}\n`)
    },
    { reboot: () => void (reboots += 1) },
  )
  const stranger = answererEnd(() => Buffer.from('who?\n'))
  return {
    wire: new FaultyWire({ device, stranger, requests: lineRequests('\n') }),
    got,
    reboots: () => reboots,
  }
}

const SIDES: Record<
  string,
  { serve: (wire: FaultyWire) => Promise<NearSide>; open: (at: string) => Promise<Client> }
> = {
  TCP: { serve: (wire) => listenOn(wire), open: (address) => connect(address) },
  'a serial port': {
    serve: (wire) => serveSerial(wire, join(folder, 'port'), 9600),
    open: async (address) => {
      const end = openSerial(address)
      return {
        send: (text) => end.send(text),
        received: () => end.text(),
        closed: () => end.hungUp(),
        end: () => end.close(),
      }
    },
  },
}

for (const [name, side] of Object.entries(SIDES)) {
  describe(`a faulty wire on ${name}`, () => {
    const at = async (
      faults: Parameters<FaultyWire['setFaults']>[0],
      use: (client: Client, echo: ReturnType<typeof countingEcho>, near: NearSide) => Promise<void>,
    ): Promise<void> => {
      const echo = countingEcho()
      const near = await side.serve(echo.wire)
      try {
        const client = await side.open(near.address)
        await echo.wire.setFaults(faults)
        try {
          await use(client, echo, near)
        } finally {
          client.end()
        }
      } finally {
        await near.close()
      }
      assert.deepEqual(echo.wire.errors, [])
    }
    const says = (client: Client, text: string): Promise<void> =>
      until(`"${text}", not "${client.received()}"`, () => client.received() === text)

    test('passes both ways, and counts', () =>
      at([], async (client, { wire, got }) => {
        client.send('a\nb')
        await says(client, '1:a\n')
        assert.deepEqual(got, ['a'])
        client.send('c\n')
        await says(client, '1:a\n2:bc\n')
        assert.deepEqual(wire.counters, { requests: 2, connections: 1 })
        assert.deepEqual(
          wire.arrived.map(({ key, passed, fault }) => [key, passed, fault]),
          [
            ['a', true, null],
            ['bc', true, null],
          ],
        )
      }))

    for (const kind of ['delay', 'late'] as const) {
      test(`${kind}: the answer comes later, in the order of the questions`, () =>
        at([{ kind, ms: 150, times: 1 }], async (client, { got }) => {
          const askedAt = performance.now()
          client.send('a\nb\n')
          await until('both arrived', () => got.length === 2)
          assert.equal(client.received(), '')
          await says(client, '1:a\n2:b\n')
          assert.ok(performance.now() - askedAt >= 145)
        }))
    }

    test('jitter and drip: the answer comes in pieces and whole', () =>
      at(
        [
          { kind: 'jitter', ms: 30, times: 1 },
          { kind: 'drip', ms: 1 },
        ],
        async (client) => {
          client.send('a\nb\n')
          await says(client, '1:a\n2:b\n')
        },
      ))

    test('silence: it arrives, nothing comes; drop: it does not arrive', () =>
      at(
        [
          { kind: 'silence', times: 1 },
          { kind: 'drop', times: 1 },
        ],
        async (client, { got, wire }) => {
          client.send('a\nb\nc\n')
          await says(client, '2:c\n')
          assert.deepEqual(got, ['a', 'c'])
          assert.equal(wire.counters.requests, 3)
        },
      ))

    test('duplicate, garbage, a wrong terminator', () =>
      at(
        [
          { kind: 'duplicate', times: 1 },
          { kind: 'garbage', bytes: '##', times: 1 },
          { kind: 'garbage', bytes: '##', where: 'inside', times: 1 },
          { kind: 'garbage', bytes: '##\n', where: 'instead', times: 1 },
          { kind: 'terminator', times: 1 },
        ],
        async (client) => {
          let expected = ''
          for (const [line, answer] of [
            ['a', '1:a\n1:a\n'],
            ['b', '##2:b\n'],
            ['c', '3:##c\n'],
            ['d', '##\n'],
            ['e', '5:e\u001a'],
            ['f', '6:f\n'],
          ] as const) {
            client.send(`${line}\n`)
            expected += answer
            await says(client, expected)
          }
        },
      ))

    test('cut: half the answer, then the connection ends, and can be made anew', () =>
      at([{ kind: 'cut', from: 2, times: 1 }], async (client, _echo, near) => {
        client.send('a\n')
        await says(client, '1:a\n')
        client.send('b\n')
        await until('it ended', () => client.closed())
        assert.equal(client.received(), '1:a\n2:')
        let again: Client | undefined
        await until('the place is back', () => {
          side.open(near.address).then(
            (found) => {
              if (again) found.end()
              else again = found
            },
            () => undefined,
          )
          return again !== undefined
        })
        again?.send('c\n')
        await until('it answers again', () => again?.received() === '3:c\n')
        again?.end()
      }))

    test('refuse: nobody is there; afterwards the same place is', () =>
      at([], async (client, { wire }, near) => {
        await wire.setFaults([{ kind: 'refuse' }])
        await until('it ended', () => client.closed())
        await assert.rejects(side.open(near.address))
        await wire.setFaults([])
        const again = await side.open(near.address)
        again.send('a\n')
        await until('it answers', () => again.received() === '1:a\n')
        again.end()
      }))

    test('half open: dead without a word', () =>
      at([{ kind: 'halfOpen', times: 1 }], async (client, { got }) => {
        client.send('a\nb\n')
        await new Promise((resolve) => setTimeout(resolve, 100))
        assert.deepEqual([got, client.received(), client.closed()], [[], '', false])
      }))

    test('stuck: answered as the last time, and not done', () =>
      at([{ kind: 'stuck', from: 2, times: 1 }], async (client, { got }) => {
        client.send('a\n')
        await says(client, '1:a\n')
        client.send('a\n')
        await says(client, '1:a\n1:a\n')
        assert.deepEqual(got, ['a'])
      }))

    test('wrong identity, reboot', () =>
      at(
        [
          { kind: 'wrongIdentity', times: 1 },
          { kind: 'reboot', times: 1 },
        ],
        async (client, { got, reboots }) => {
          client.send('a\nb\n')
          await says(client, 'who?\n')
          await until('it rebooted', () => reboots() === 1)
          assert.deepEqual(got, [])
        },
      ))
  })
}

test('faults by chance are the same for the same seed', async () => {
  const run = async (seed: number): Promise<boolean[]> => {
    const { wire } = countingEcho()
    const far = wire.attach({ write: () => undefined, hangUp: () => undefined })
    await wire.setFaults([{ kind: 'drop', chance: 0.3 }], seed)
    for (let number = 0; number < 100; number += 1) far.receive(Buffer.from(`${number}\n`))
    far.close()
    return wire.arrived.map(({ passed }) => passed)
  }
  const first = await run(7)
  assert.deepEqual(await run(7), first)
  assert.notDeepEqual(await run(8), first)
  const dropped = first.filter((passed) => !passed).length
  assert.ok(dropped > 15 && dropped < 45, `${dropped} of 100`)
})

test('a fault that can not be is refused, naming the field', async () => {
  const { wire } = countingEcho()
  for (const [fault, field] of [
    [{ kind: 'nonsense' as never }, '/kind'],
    [{ kind: 'delay', ms: -1 }, '/ms'],
    [{ kind: 'drop', times: 0 }, '/times'],
    [{ kind: 'drop', from: 0.5 }, '/from'],
    [{ kind: 'drop', chance: 2 }, '/chance'],
    [{ kind: 'refuse', times: 1 }, '/kind'],
  ] as const) {
    await assert.rejects(wire.setFaults([fault]), { code: 'INVALID_REQUEST', field })
  }
})

test('relays to a device that listens on TCP, and tells when it hangs up', async () => {
  const server = createServer((socket) => {
    socket.on('data', (bytes: Buffer) => {
      if (bytes.toString() === 'bye\n') socket.end('bye\n')
      else socket.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const wire = new FaultyWire({ device: tcpEnd('127.0.0.1', port), requests: lineRequests('\n') })
  const near = await listenOn(wire)
  const client = await connect(near.address)
  client.send('hello\n')
  await until('it came back', () => client.received() === 'hello\n')
  client.send('bye\n')
  await until('it ended', () => client.closed())
  assert.equal(client.received(), 'hello\nbye\n')
  await near.close()
  server.close()
})

test('a socket file serves too: for ends that are no address', async () => {
  const { wire } = countingEcho()
  const near = await listenOn(wire, join(folder, 'socket'))
  const { connect: connectTo } = await import('node:net')
  const socket = connectTo(near.address)
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
  socket.write('a\n')
  await until('it answered', () => text === '1:a\n')
  socket.destroy()
  await near.close()
})

test('requests are cut as their language has them', () => {
  const lengths = (
    requests: { length: (pending: Buffer) => number | undefined },
    text: string,
    encoding: BufferEncoding,
  ) => requests.length(Buffer.from(text, encoding))
  const http = 'POST /relay HTTP/1.1\r\nContent-Length: 4\r\n\r\n{"a"'
  assert.equal(lengths(httpRequests, http.slice(0, -1), 'latin1'), undefined)
  assert.equal(lengths(httpRequests, `${http}GET`, 'latin1'), http.length)
  assert.equal(httpRequests.key(Buffer.from(http)), 'POST /relay {"a"')
  const tcp = '000100000006010300000002'
  assert.equal(lengths(modbusTcpRequests, tcp.slice(0, -2), 'hex'), undefined)
  assert.equal(lengths(modbusTcpRequests, `${tcp}00`, 'hex'), 12)
  assert.equal(modbusTcpRequests.key(Buffer.from(tcp, 'hex')), '00000006010300000002')
  assert.equal(lengths(modbusRtuRequests, '0103000000020000', 'hex'), 8)
  assert.equal(lengths(modbusRtuRequests, '011000000001020005', 'hex'), undefined)
  assert.equal(lengths(modbusRtuRequests, '011000000001020005abcd', 'hex'), 11)
  assert.equal(lengths(lineRequests('\n', '\n', '?!'), '?', 'latin1'), 1)
})
