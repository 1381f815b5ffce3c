import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CommandRecord } from '@golem/core'
import { createAnswerer, readModelFile, SHIPPED_MODELS } from '@golem/drivers'
import { openOneOff } from '@golem/gateway'
import { UsbtmcInstrument } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import { RawClient, runProgram } from '../kit/raw-client.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { startSupply } from '../kit/supply.ts'
import { freePort } from '../kit/supply-stand.ts'
import { makeTempDir } from '../kit/temp.ts'
import { pretendUsb } from '../kit/usb.ts'

/** Debian's, whose package python3-pyvisa-py has it. */
const PYTHON = '/usr/bin/python3'
const WAVEFORM = Buffer.alloc(1_000_000, 'all bytes: \0\n\r#')

/** A supply on USB, a stage that answers every line, and a station that talks by itself, each with a port. */
let stand: Stand
let supply: UsbtmcInstrument
const ports = { supply: 0, stage: 0, station: 0 }
const dir = makeTempDir('golem-gateway')
const clients: RawClient[] = []

before(async () => {
  pretendUsb()
  for (const name of ['supply', 'stage', 'station'] as const) ports[name] = await freePort()
  const { raw } = readModelFile(join(SHIPPED_MODELS, 'rigol-dp800.yaml'))
  const inside = createAnswerer(raw!)!
  supply = await UsbtmcInstrument.start({
    path: join(dir.path, 'usbtmc0'),
    terminator: '',
    answer: (message) => {
      if (message === 'WAV?') return Buffer.concat([Buffer.from('#71000000'), WAVEFORM])
      return /^ECHO\? (.*)$/.exec(message)?.[1] ?? inside.answer(message)
    },
  })
  stand = await startStand({
    leaseMs: 10_000,
    // A stage does not know its position before it has been home.
    settled: false,
    devices: [
      { kind: 'grbl', name: 'stage' },
      { kind: 'stream', name: 'station', perSecond: 20, line: 'tcp' },
    ],
    instruments: (address) => [
      { id: 'supply', model: 'rigol-dp800', address: supply.address, gateway: { port: ports.supply } },
      { id: 'stage', model: 'grbl', address: address('stage'), gateway: { port: ports.stage } },
      { id: 'station', model: 'nmea', address: address('station'), gateway: { port: ports.station } },
    ],
  })
  for (const id of ['supply', 'station']) {
    await stand.until(id, ({ condition }) => condition === 'ok', `${id} answers`, 30_000)
  }
  await stand.until('stage', ({ condition }) => condition === 'degraded', 'the stage answers', 30_000)
})
after(async () => {
  for (const client of clients) client.close()
  await stand?.close()
  await supply?.close()
  dir.remove()
})

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.to(port)
  clients.push(client)
  return client
}

test('PyVISA and lxi talk to a USBTMC instrument over the network, a waveform too, and golem goes on polling', async () => {
  const { code, output } = await runProgram(PYTHON, [
    '-c',
    `
import pyvisa
rm = pyvisa.ResourceManager('@py')
inst = rm.open_resource('TCPIP::127.0.0.1::${ports.supply}::SOCKET', read_termination='\\n', write_termination='\\n')
inst.timeout = 20000
print(inst.query('*IDN?').split(',')[0])
for n in range(200):
    assert inst.query('ECHO? %d' % n) == str(n)
inst.write(':APPL CH1,3.25,1')
print(float(inst.query(':APPL? CH1').split(',')[1]))
wave = inst.query_binary_values('WAV?', datatype='B', container=bytes)
print(len(wave), wave == b'all bytes: \\0\\n\\r#' * 66666 + b'all bytes: \\0\\n\\r#'[:1000000 - 66666 * 15])
print(inst.query('ECHO? end'))
`,
  ])
  assert.equal(code, 0, `${output}\n${stand.log()}`)
  assert.deepEqual(output.trim().split(/\r?\n/), ['RIGOL TECHNOLOGIES', '3.25', '1000000 True', 'end'])
  await stand.until('supply', ({ readings }) => readings['voltage1']?.value === 3.25, 'golem sees it')
  const lxi = await runProgram('lxi', ['scpi', '-r', '-a', '127.0.0.1', '-p', String(ports.supply), '*IDN?'])
  assert.match(lxi.output, /RIGOL TECHNOLOGIES/, lxi.output)
  assert.equal(supply.counters.interrupted, 0)
  const { condition, message } = (await stand.state()).instruments['supply'] ?? {}
  assert.equal(condition, 'ok', message)
  const { body } = await stand.api<CommandRecord[]>('/api/commands?limit=100')
  const records = body.filter(({ exchange }) => exchange === ':APPL CH1,3.25,1')
  assert.deepEqual(
    records.map(({ instrument, outcome }) => [instrument, outcome]),
    [['supply', 'done']],
  )
})

test('a USB cable that is pulled out in the middle of a client’s question ends its connection, and it comes back', async () => {
  const client = await connect(ports.supply)
  supply.setFault({ kind: 'silence', match: /MUTE/ })
  client.send('ECHO? MUTE\n')
  await eventually(() => supply.messages.includes('ECHO? MUTE'), { what: 'it was asked' })
  await supply.unplug()
  await eventually(() => client.closed, { what: 'the client is disconnected' })
  supply.setFault(null)
  await supply.replug()
  await eventually(async () => (await connect(ports.supply)).ask('ECHO? back', 2_000), {
    what: 'it answers again',
    timeoutMs: 20_000,
  })
})

test('of an instrument that answers every line each answer goes to its asker, and golem still moves it', async () => {
  const [one, two] = [await connect(ports.stage), await connect(ports.stage)]
  for (let n = 0; n < 20; n += 1) {
    one.send('G90\n')
    two.send(`hello ${n}\n`)
    assert.equal((await one.line()).trim(), 'ok')
    assert.match((await two.line()).trim(), /^error:\d+$/)
  }
  const home = await stand.command('stage', { action: 'home' }, { wait: 60 })
  assert.equal(home.body.outcome, 'done', JSON.stringify(home.body))
  one.send('G90\n')
  assert.equal((await one.line()).trim(), 'ok')
  assert.deepEqual([one.received.length, two.received.length], [0, 0])
})

test('clients of an instrument that talks by itself see its lines, all of them the same', async () => {
  const [one, two] = [await connect(ports.station), await connect(ports.station)]
  const lines = async (client: RawClient): Promise<string[]> => {
    const came: string[] = []
    while (came.length < 60) came.push(await client.line())
    return came
  }
  const [first, second] = await Promise.all([lines(one), lines(two)])
  for (const line of first) assert.match(line, /^\$[A-Z]{5},.*\*[0-9A-F]{2}\r?$/)
  const common = first.filter((line) => second.includes(line))
  assert.ok(common.length > 50, `${common.length} of 60 are the same`)
  assert.deepEqual(stand.sim.device('station').counters(), {})
})

test('of an instrument whose answers have any number of lines each client gets all of its own', async () => {
  const instrument = await startSupply()
  const port = await freePort()
  const running = openOneOff({
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: instrument.port },
    listen: '127.0.0.1',
    port,
    allow: ['127.0.0.1'],
    readOnly: false,
    timeoutMs: 500,
    sendTerminator: '\n',
    receiveTerminator: '\n',
    replies: 'quiet',
    serial: {},
    telnet: false,
    onLog: () => undefined,
    onTrouble: (message) => assert.fail(message),
  })
  try {
    const asker = await eventually(() => connect(port), { what: 'it is open' })
    const other = await connect(port)
    asker.send('TWO?;TWO?\n')
    other.send('ECHO? 7\n')
    assert.deepEqual([await asker.line(), await asker.line(), await other.line()], ['1', '2', '7'])
    asker.send('VOLT 5\nECHO? 8\n')
    assert.equal(await asker.line(), '8')
    assert.equal(instrument.state.volt, 5)
    assert.deepEqual([asker.received.length, other.received.length], [0, 0])
  } finally {
    await running.close()
    await instrument.close()
  }
})
