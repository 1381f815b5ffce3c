import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { GolemError, type ModbusDriver, type ModbusIo, parseAddress } from '@golem/core'
import { startSimulator } from '@golem/simulator'
import { openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { plugSerialPort } from '../kit/serial.ts'
import { makeTempDir } from '../kit/temp.ts'

/** Debian's, whose package python3-pymodbus has it. */
const PYTHON = '/usr/bin/python3'
/** What the other master writes is larger. */
const OWN_MAX = 0x7fff

const closers: (() => unknown)[] = []
after(async () => {
  for (const close of closers.toReversed()) await close()
})

/** A two-wire line: whoever is on it hears what the others say. @returns where to join it */
async function bus(device: string): Promise<string> {
  const dir = makeTempDir('golem-bus')
  closers.push(() => dir.remove())
  const path = join(dir.path, 'bus.sock')
  const all = new Set<Socket>()
  const joins = (socket: Socket): void => {
    all.add(socket)
    socket.on('close', () => all.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      for (const other of all) if (other !== socket) other.write(bytes)
    })
  }
  const { hostname, port } = new URL(device.replace('modbus-rtu:', 'http:'))
  const unit = connect({ host: hostname, port: Number(port) })
  await once(unit, 'connect')
  joins(unit)
  const server = createServer(joins).listen(path)
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of all) socket.destroy()
    server.close()
  })
  return path
}

test('another master on the line: no answer of his is taken for golem’s, and what went wrong is told', async () => {
  const simulator = await startSimulator({
    devices: [{ name: 'oven', kind: 'modbus', line: 'rtu-tcp', units: [1] }],
    replyDelayMs: 4,
  })
  closers.push(() => simulator.close())
  const unix = await bus(simulator.device('oven').address)
  const [own, foreign] = [await plugSerialPort({ unix }), await plugSerialPort({ unix })]
  closers.push(
    () => own.close(),
    () => foreign.close(),
  )
  const endpoint = parseAddress(`modbus-rtu:${own.path}?unit=1&baud=19200`)
  const told: string[] = []
  const onConnection = (_up: boolean, message: string): void => void told.push(message)
  const link = openLink({ endpoint, guard: () => undefined, onConnection })
  closers.push(() => link.close())
  const driver: ModbusDriver = {
    transport: 'modbus',
    link: { replyTimeoutMs: 200, gapMs: 0 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
  }
  const channel = link.attach({ driver, endpoint })
  let over = false
  const other = promisify(execFile)(PYTHON, [
    '-c',
    `
import time
from pymodbus.client import ModbusSerialClient
c = ModbusSerialClient('${foreign.path}', baudrate=19200, timeout=0.1, retries=0)
c.connect()
end = time.time() + 5
n = 0
while time.time() < end:
    n += 1
    try:
        c.write_register(200, 0x8000 + n % 0x7fff, slave=1)
        c.read_holding_registers(200, 1, slave=1)
    except Exception:
        c.connect()
    time.sleep(0.05 if n % 3 else 0.001)
print(n)
`,
  ]).finally(() => (over = true))
  const failures = new Map<string, number>()
  const number = (n: number): Promise<number | undefined> =>
    channel.run('command', async (io: ModbusIo) => {
      await io.writeRegister(100, n)
      return (await io.readHoldingRegisters(100, 1))[0]
    })
  for (let n = 1; !over; n += 1) {
    try {
      assert.equal(await number(n & OWN_MAX), n & OWN_MAX)
    } catch (error) {
      if (!(error instanceof GolemError)) throw error
      failures.set(error.message, (failures.get(error.message) ?? 0) + 1)
    }
  }
  const asked = Number((await other).stdout)
  assert.ok(asked > 10, `the other master asked ${asked} times`)
  // A line that somebody else keeps busy is not golem's to take; once he is gone all goes well.
  await eventually(async () => (await number(1)) === 1, { what: 'it answers again' })
  for (let n = 2; n < 50; n += 1) assert.equal(await number(n), n)
  for (const [message] of failures) {
    assert.match(message, /[Aa]nother master talks on|no answer within|does not become quiet/)
  }
  assert.deepEqual(
    told.filter((message) => message.startsWith('Another master talks on serial:')).length,
    1,
    told.join('\n'),
  )
})
