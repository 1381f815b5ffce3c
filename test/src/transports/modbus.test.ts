import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { GolemError, type ModbusDriver, type ModbusIo, parseAddress } from '@golem/core'
import { type DeviceSpec, type SimulatedDevice, startSimulator } from '@golem/simulator'
import { type Channel, type Link, openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { plugSerialPort } from '../kit/serial.ts'
import { pymodbusMaster, startPymodbus } from '../kit/pymodbus.ts'

type ModbusSpec = Extract<DeviceSpec, { kind: 'modbus' }>

const closers: (() => unknown)[] = []
after(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close()
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function driver(over: Partial<ModbusDriver> = {}): ModbusDriver {
  return {
    transport: 'modbus',
    link: { replyTimeoutMs: 300, gapMs: 0 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
    ...over,
  }
}

interface Opened {
  link: Link
  channel: Channel
  connection: string[]
  /** Another unit on the same link. */
  unit: (address: string, over?: Partial<ModbusDriver>) => Channel
}

function linkTo(address: string, over: Partial<ModbusDriver> = {}, guard = (): void => undefined): Opened {
  const connection: string[] = []
  const endpoint = parseAddress(address)
  const link = openLink({
    endpoint,
    guard,
    onConnection: (up, message) => connection.push(`${up ? 'up' : 'down'}: ${message}`),
  })
  closers.push(() => link.close())
  return {
    link,
    connection,
    channel: link.attach({ driver: driver(over), endpoint }),
    unit: (other, more = {}) => link.attach({ driver: driver(more), endpoint: parseAddress(other) }),
  }
}

async function simulated(spec: Partial<ModbusSpec> = {}): Promise<SimulatedDevice> {
  const simulator = await startSimulator({
    devices: [{ name: 'oven', kind: 'modbus', units: [1, 2], ...spec }],
  })
  closers.push(() => simulator.close())
  return simulator.device('oven')
}

const run = <T>(
  channel: Channel,
  work: (io: ModbusIo) => Promise<T>,
  priority: 'stop' | 'command' | 'poll' = 'command',
): Promise<T> => channel.run(priority, work)
const reading =
  (address: number, count = 1) =>
  (io: ModbusIo): Promise<number[]> =>
    io.readHoldingRegisters(address, count)
const writing =
  (address: number, value: number) =>
  (io: ModbusIo): Promise<void> =>
    io.writeRegister(address, value)
const code = (expected: string) => (error: unknown) =>
  error instanceof GolemError && (error.code === expected || assert.fail(`${error.code}: ${error.message}`))
const overlaps = (device: SimulatedDevice): unknown => device.state()['overlaps']
const faulty = (device: SimulatedDevice): unknown => device.state()['clientFaults']

const LINES: Partial<ModbusSpec>[] = [
  { line: 'tcp' },
  { line: 'rtu-tcp' },
  { line: 'rtu' },
  { line: 'rtu', echo: true },
]
const nameOf = ({ line, echo }: Partial<ModbusSpec>): string => `${line ?? ''}${echo ? ' with echo' : ''}`

for (const spec of LINES) {
  test(`${nameOf(spec)}: everything is read and written, and refusals are such`, async () => {
    const device = await simulated(spec)
    const { channel } = linkTo(device.address)
    await run(channel, async (io) => {
      assert.deepEqual(await io.readHoldingRegisters(0, 3), [0x7e41, 250, 0])
      assert.deepEqual(await io.readInputRegisters(0, 2), [210, 0])
      assert.deepEqual(await io.readDiscreteInputs(0, 2), [false, false])
      await io.writeRegister(100, 0xffff)
      await io.writeRegisters(101, [1, 2, 3])
      assert.deepEqual(await io.readHoldingRegisters(100, 4), [0xffff, 1, 2, 3])
      await io.writeCoils(16, [true, false, true, true, false, true, false, false, true])
      await io.writeCoil(17, true)
      assert.deepEqual((await io.readCoils(16, 9)).map(Number), [1, 1, 1, 1, 0, 1, 0, 0, 1])
      await io.writeRegisters(
        200,
        Array.from({ length: 123 }, (_, n) => n),
      )
      assert.equal((await io.readHoldingRegisters(200, 125))[122], 122)
    })
    await assert.rejects(run(channel, reading(5000)), code('INSTRUMENT_REFUSED'))
    await assert.rejects(run(channel, writing(2, 7)), /exception 3 \(illegal data value\)/)
    // Several at once go one after the other.
    const both = await run(channel, (io) =>
      Promise.all([io.readHoldingRegisters(101, 1), io.readHoldingRegisters(102, 1)]),
    )
    assert.deepEqual(both, [[1], [2]])
    assert.deepEqual([overlaps(device), faulty(device)], [0, 0])
  })

  test(`${nameOf(spec)}: whatever comes in place of an answer, it is no answer, and the next one is right`, async () => {
    const device = await simulated(spec)
    const { channel, unit } = linkTo(device.address, { link: { replyTimeoutMs: 120, gapMs: 0 } })
    const other = unit(device.addressOf?.(2) ?? '')
    await run(channel, writing(100, 1))
    await run(other, writing(100, 2))
    const faults = [
      'silence',
      'garbage',
      'cut',
      'late',
      'wrongUnit',
      'hugeReply',
      'duplicate',
      'delay',
    ] as const
    for (const kind of faults) {
      const fine = kind === 'duplicate' || kind === 'delay'
      for (const work of [reading(100), writing(101, 9)]) {
        const ms = kind === 'late' ? 180 : 60
        await device.setFault({ kind, times: 1, ms })
        const attempt = run<unknown>(channel, work)
        if (fine) await attempt
        else {
          await assert.rejects(attempt, (error) => {
            assert.ok(error instanceof GolemError)
            assert.ok(
              ['REPLY_TIMEOUT', 'REPLY_MALFORMED', 'LINK_LOST'].includes(error.code),
              `${kind}: ${error.message}`,
            )
            assert.ok(error.message.length < 400, error.message)
            return true
          })
        }
        assert.equal(device.fault(), null, kind)
        // The other unit is not held up, and nobody gets the late answer.
        assert.deepEqual(await run(other, reading(100)), [2], kind)
        assert.deepEqual(await run(channel, reading(100)), [1], kind)
        assert.deepEqual(await run(channel, reading(102)), [0], kind)
      }
    }
    assert.equal(faulty(device), 0)
  })
}

test('RTU: an acknowledgement of another value is none; TCP tells it at once', async () => {
  for (const line of ['tcp', 'rtu-tcp'] as const) {
    const device = await simulated({ line })
    const { channel } = linkTo(device.address)
    await run(channel, reading(0))
    await device.setFault({ kind: 'wrongValue', times: 1 })
    await assert.rejects(
      run(channel, writing(100, 5)),
      code(line === 'tcp' ? 'REPLY_MALFORMED' : 'REPLY_TIMEOUT'),
    )
  }
})

test('exceptions: what says that nothing was done is a refusal, what does not is unknown', async () => {
  const device = await simulated()
  const { channel } = linkTo(device.address)
  const expected: [number, string, string][] = [
    [1, 'INSTRUMENT_REFUSED', 'INSTRUMENT_REFUSED'],
    [4, 'INSTRUMENT_REFUSED', 'REPLY_MALFORMED'],
    [5, 'INSTRUMENT_REFUSED', 'REPLY_TIMEOUT'],
    [6, 'INSTRUMENT_REFUSED', 'INSTRUMENT_REFUSED'],
    [10, 'INSTRUMENT_REFUSED', 'INSTRUMENT_REFUSED'],
    [11, 'REPLY_TIMEOUT', 'REPLY_TIMEOUT'],
  ]
  for (const [value, onRead, onWrite] of expected) {
    await device.setFault({ kind: 'exception', value, times: 1 })
    await assert.rejects(run(channel, reading(100)), code(onRead))
    await device.setFault({ kind: 'exception', value, times: 1 })
    await assert.rejects(run(channel, writing(100, 1)), code(onWrite))
  }
  assert.deepEqual(await run(channel, reading(100)), [0])
})

test('the guard is asked directly before the bytes: what it forbids does not go out', async () => {
  for (const spec of LINES) {
    const device = await simulated(spec)
    let allowed = true
    const { channel } = linkTo(device.address, {}, () => {
      if (!allowed) throw new GolemError('LEASE_LOST', 'gone')
    })
    await run(channel, writing(100, 1))
    allowed = false
    await assert.rejects(run(channel, writing(100, 2)), code('LEASE_LOST'))
    allowed = true
    assert.deepEqual(await run(channel, reading(100)), [1])
    // In the middle of a conversation: what was sent may have been done.
    await assert.rejects(
      run(channel, async (io) => {
        await io.writeRegister(100, 3)
        allowed = false
        await io.writeRegister(100, 4)
      }),
      code('INTERRUPTED'),
    )
    allowed = true
    assert.deepEqual(await run(channel, reading(100)), [3])
    assert.equal(device.counters()['6 /1/100'], 2)
  }
})

test('a unit that wants a pause between an answer and the next request gets it', async () => {
  const device = await simulated({ line: 'rtu' })
  const { unit } = linkTo(device.address)
  const slow = unit(device.address, { link: { replyTimeoutMs: 300, gapMs: 40 } })
  await run(slow, reading(0))
  const before = performance.now()
  for (let n = 0; n < 5; n += 1) await run(slow, reading(0))
  assert.ok(performance.now() - before >= 195)
})

test('unit 0 on a line: all of them do it, none answers, and nothing can be read', async () => {
  const device = await simulated({ line: 'rtu' })
  const { channel, unit } = linkTo(device.address)
  const everybody = unit(device.addressOf?.(0) ?? '')
  await run(everybody, writing(100, 77))
  assert.deepEqual(await run(channel, reading(100)), [77])
  assert.deepEqual(await run(unit(device.addressOf?.(2) ?? ''), reading(100)), [77])
  await assert.rejects(run(everybody, reading(100)), code('CONFIG_INVALID'))
})

test('a stop goes at once: it interrupts what waits for an answer, and its own answer is its own', async () => {
  for (const spec of LINES) {
    const device = await simulated(spec)
    const { channel } = linkTo(device.address, { link: { replyTimeoutMs: 3000, gapMs: 0 } })
    await run(channel, reading(0))
    await device.setFault({ kind: 'late', ms: 60, times: 1 })
    const interrupted = assert.rejects(run(channel, writing(100, 5)), code('INTERRUPTED'))
    await eventually(() => device.counters()['6 /1/100'] === 1, { what: 'it was sent' })
    const before = performance.now()
    await run(channel, writing(100, 0), 'stop')
    assert.ok(performance.now() - before < 1000)
    await interrupted
    assert.deepEqual(await run(channel, reading(100)), [0])
  }
})

test('a line that is pulled out and plugged in again', async () => {
  for (const spec of LINES) {
    const device = await simulated(spec)
    let identified = 0
    const { channel, connection } = linkTo(device.address, {
      link: { replyTimeoutMs: 3000, gapMs: 0 },
      identify: async () => void (identified += 1),
    })
    await run(channel, writing(100, 8))
    await device.setFault({ kind: 'silence' })
    const lost = assert.rejects(run(channel, reading(100)), code('LINK_LOST'))
    await eventually(() => device.counters()['3 /1/100'] === 1, { what: 'it was sent' })
    await device.unplug()
    await lost
    await assert.rejects(run(channel, reading(100)), code('LINK_DOWN'))
    await device.setFault(null)
    await device.replug()
    assert.deepEqual(await run(channel, reading(100)), [8])
    assert.equal(identified, 2)
    assert.deepEqual(
      connection.map((told) => told.slice(0, 4)),
      ['down', 'up: '],
    )
  }
})

test('units of one line have to be spoken to alike', async () => {
  const { unit } = linkTo('modbus-rtu:/dev/ttyNone?unit=1&baud=9600')
  assert.throws(() => unit('modbus-rtu:/dev/ttyNone?unit=2&baud=19200'), code('CONFIG_INVALID'))
  assert.throws(
    () => linkTo('modbus-tcp://127.0.0.1/1').unit('modbus-rtu://127.0.0.1:502/2'),
    code('CONFIG_INVALID'),
  )
  assert.throws(() => unit('tcp://127.0.0.1:502'), code('CONFIG_INVALID'))
})

/** A connection that takes requests and says nothing, as one to a device that has gone without a word. */
async function deafServer(): Promise<{ address: string; server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return { address: `modbus-tcp://127.0.0.1:${address.port}/1`, server, sockets }
}

test('a connection from which nothing comes any more is made anew', async () => {
  const { address, sockets } = await deafServer()
  const { channel } = linkTo(address, { link: { replyTimeoutMs: 1500, gapMs: 0 } })
  await eventually(
    async () => {
      await run(channel, reading(0)).catch((error: unknown) => assert.ok(error instanceof GolemError))
      return sockets.length > 1
    },
    { what: 'it connects again', timeoutMs: 20_000 },
  )
})

/** Numbers go out and come back: each answer has to be its question's. @returns what came as no answer */
async function numbered(
  device: SimulatedDevice,
  channels: readonly Channel[],
  count: number,
): Promise<number> {
  const kinds = ['late', 'silence', 'garbage', 'cut', 'duplicate', 'wrongUnit', 'delay', 'exception'] as const
  let bad = 0
  const exchange = async (channel: Channel, at: number, n: number): Promise<void> => {
    try {
      await run(channel, async (io) => {
        await io.writeRegister(at, n)
        const [read = -1] = await io.readHoldingRegisters(at, 1)
        assert.equal(read, n, `register ${at}`)
      })
    } catch (error) {
      if (!(error instanceof GolemError)) throw error
      bad += 1
    }
  }
  for (let n = 1; n <= count; n += 1) {
    const kind = n % 50 === 0 ? kinds[(n / 50) % kinds.length] : undefined
    if (kind) await device.setFault({ kind, times: 1, ms: kind === 'late' ? 45 : 10 })
    await Promise.all(channels.map((channel, index) => exchange(channel, 100 + index, n)))
  }
  return bad
}

for (const [line, count] of [
  ['tcp', 2500],
  ['rtu-tcp', 1500],
  ['rtu', 400],
] as const) {
  test(`${line}: ${count * 4} numbered exchanges with two units and faults between, nothing is mixed up`, async () => {
    const device = await simulated({ line })
    const { channel, unit } = linkTo(device.address, { link: { replyTimeoutMs: 30, gapMs: 0 } })
    const other = unit(device.addressOf?.(2) ?? '', { link: { replyTimeoutMs: 30, gapMs: 0 } })
    const bad = await numbered(device, [channel, other], count)
    assert.ok(bad > 0 && bad < count / 10, `${bad} failed`)
    // On a busy machine a unit may still be at a request that was given up.
    assert.ok(Number(overlaps(device)) <= bad, `${String(overlaps(device))} overlaps, ${bad} failed`)
    assert.equal(faulty(device), 0)
  })
}

test('pymodbus on TCP: all tables, exceptions, and a second master beside', async () => {
  const server = await startPymodbus()
  closers.push(() => server.close())
  const { channel, unit } = linkTo(`modbus-tcp://127.0.0.1:${server.port}/1`, {
    link: { replyTimeoutMs: 3000, gapMs: 0 },
  })
  await withPymodbus(channel, unit(`modbus-tcp://127.0.0.1:${server.port}/2`))
  const master = pymodbusMaster(server.port, 1, 500, 500)
  let rounds = 0
  let over = false
  const done = master.finally(() => (over = true))
  while (!over) {
    rounds += 1
    assert.deepEqual(
      await run(channel, async (io) => {
        await io.writeRegister(501, rounds & 0xffff)
        return io.readHoldingRegisters(501, 1)
      }),
      [rounds & 0xffff],
    )
  }
  assert.deepEqual(await done, { good: 500, bad: 0 })
  assert.ok(rounds > 50, `${rounds} rounds`)
})

test('pymodbus on a serial line: all tables, exceptions, a unit that is not there', async () => {
  const port = await plugSerialPort()
  closers.push(() => port.close())
  const server = await startPymodbus(port.farPath)
  closers.push(() => server.close())
  const at = (unit: number): string => `modbus-rtu:${port.path}?unit=${unit}&baud=19200`
  const { channel, unit } = linkTo(at(1), { link: { replyTimeoutMs: 2000, gapMs: 5 } })
  const second = unit(at(2), { link: { replyTimeoutMs: 2000, gapMs: 5 } })
  await withPymodbus(channel, second)
  const missing = unit(at(9), { link: { replyTimeoutMs: 100, gapMs: 5 } })
  await assert.rejects(run(missing, reading(0)), code('REPLY_TIMEOUT'))
  assert.deepEqual(await run(second, reading(0)), [2])
})

async function withPymodbus(first: Channel, second: Channel): Promise<void> {
  await run(first, async (io) => {
    assert.deepEqual(await io.readHoldingRegisters(0, 2), [1, 0])
    assert.deepEqual(await io.readInputRegisters(0, 3), [0x41ac, 0, 7])
    assert.deepEqual(await io.readDiscreteInputs(0, 3), [true, false, true])
    await io.writeCoil(10, true)
    await io.writeCoils(12, [true, true])
    assert.deepEqual(await io.readCoils(10, 5), [true, false, true, true, false])
    await io.writeRegister(10, 3)
    await io.writeRegisters(11, [4, 5])
    assert.deepEqual(await io.readHoldingRegisters(10, 3), [3, 4, 5])
    assert.equal((await io.readHoldingRegisters(0, 125)).length, 125)
    await assert.rejects(io.readHoldingRegisters(2000, 1), code('INSTRUMENT_REFUSED'))
  })
  assert.deepEqual(await run(second, reading(10)), [0])
  assert.deepEqual(await run(second, reading(0)), [2])
}

test('a link that is closed while a request is under way ends it, and sends nothing more', async () => {
  const device = await simulated()
  const { link, channel } = linkTo(device.address)
  await run(channel, reading(0))
  await device.setFault({ kind: 'silence' })
  const ended = assert.rejects(run(channel, writing(100, 1)), code('LEASE_LOST'))
  await eventually(() => device.counters()['6 /1/100'] === 1, { what: 'it was sent' })
  await link.close('LEASE_LOST')
  await ended
  await assert.rejects(run(channel, reading(0)), code('WORKER_STOPPING'))
  await pause(50)
  assert.equal(device.state()['connections'], 0)
})
