import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { RawClient, runProgram } from '../kit/raw-client.ts'
import { ROOT } from '../kit/root.ts'
import { plugSerialPort, type TestPort } from '../kit/serial.ts'
import { type Supply, startSupply } from '../kit/supply.ts'
import { freePort, type SupplyStand, startSupplyStand } from '../kit/supply-stand.ts'
import { makeTempDir, type TempDir } from '../kit/temp.ts'

/** Debian's, whose package python3-serial has pyserial. */
const PYTHON = '/usr/bin/python3'

let dir: TempDir
let line: TestPort
let bench: SupplyStand
before(async () => {
  dir = makeTempDir('golem-gateway')
  bench = await startSupplyStand({
    gateway: { telnet: 'rfc2217' },
    address: async (supply) => {
      line = await plugged(supply)
      return `serial:${line.path}?baud=19200`
    },
  })
})
after(async () => {
  await bench.close()
  await line.close()
  dir.remove()
})

async function plugged(supply: Supply): Promise<TestPort> {
  const unix = join(dir.path, `supply-${supply.port}`)
  await supply.alsoAt(unix)
  return plugSerialPort({ unix })
}

test('pyserial speaks RFC 2217 with the line, bytes of every value pass, and golem goes on polling', async () => {
  const { code, output } = await runProgram(PYTHON, [
    '-W',
    'ignore',
    '-c',
    `
import serial
port = serial.serial_for_url('rfc2217://127.0.0.1:${bench.port}', baudrate=19200, timeout=5)
def ask(text):
    port.write(text.encode() + b'\\n')
    return port.readline().decode().strip()
print(ask('*IDN?'))
for n in range(30):
    assert ask('ECHO? %d' % n) == str(n)
port.write(b'WAVE? 1000\\n')
wave = port.read(1007)
assert wave == b'#41000' + bytes(n % 256 for n in range(1000)) + b'\\n', wave
port.write(b'LOAD #3256' + bytes(range(256)) + b'\\n')
print(ask('ECHO? end'), port.cts, port.dsr)
port.close()
try:
    serial.serial_for_url('rfc2217://127.0.0.1:${bench.port}', baudrate=9600, timeout=5)
    print('took another speed')
except (ValueError, serial.SerialException) as e:
    print('rejected' if 'reject' in str(e) else e)
`,
  ])
  assert.equal(code, 0, `${output}\n${bench.log()}`)
  assert.deepEqual(
    output
      .trim()
      .split('\n')
      .map((text) => text.trim()),
    ['GOLEM,SUPPLY,1,1.0', 'end True True', 'rejected'],
  )
  assert.equal(bench.supply.state.blockBytes, 256)
  const state = (await bench.stand.state()).instruments['supply']
  assert.equal(state?.condition, 'ok', state?.message)
})

test('a client that knows nothing of telnet options can ignore them', async () => {
  const client = await RawClient.to(bench.port)
  try {
    client.send('ECHO? 5\r\n')
    await eventually(() => client.received.toString('latin1').endsWith('5\n'), { what: 'the answer comes' })
  } finally {
    client.close()
  }
})

test('golem gateway shares one instrument without a site', async () => {
  const supply = await startSupply()
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'apps', 'cli', 'dist', 'main.js'),
      'gateway',
      '--address',
      `TCPIP::127.0.0.1::${supply.port}::SOCKET`,
      '--port',
      String(port),
      '--timeout',
      '500 ms',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const clients: RawClient[] = []
  try {
    await eventually(() => output.includes(`127.0.0.1:${port} speaks with`), {
      what: 'it says that it is open',
    })
    const lxi = await runProgram('lxi', ['scpi', '-r', '-a', '127.0.0.1', '-p', String(port), '*IDN?'])
    assert.match(lxi.output, /GOLEM,SUPPLY/, output)
    clients.push(...(await Promise.all(Array.from({ length: 4 }, () => RawClient.to(port)))))
    await Promise.all(
      clients.map(async (client, who) => {
        for (let n = 0; n < 50; n += 1) assert.equal(await client.ask(`ECHO? ${who}-${n}`), `${who}-${n}`)
      }),
    )
    // A late answer is nobody's here either, although nothing is known of the instrument.
    clients[0]?.send('SLOW? 900,666\n')
    for (let n = 0; n < 5; n += 1) assert.equal(await clients[1]?.ask(`ECHO? ${n}`), String(n), output)
    assert.equal(clients[0]?.received.length, 0)
    const taken = await runProgram(process.execPath, [
      join(ROOT, 'apps', 'cli', 'dist', 'main.js'),
      'gateway',
      '--address',
      'tcp://127.0.0.1:1',
      '--port',
      String(port),
    ])
    assert.equal(taken.code, 1)
    assert.match(taken.output, /golem: 127\.0\.0\.1:\d+ can't be opened: .*EADDRINUSE/)
    child.kill('SIGINT')
    await eventually(() => child.exitCode === 0, { what: `it ends; it said ${output}` })
  } finally {
    for (const client of clients) client.close()
    child.kill('SIGKILL')
    await supply.close()
  }
})
