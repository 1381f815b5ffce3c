import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Bonjour } from 'bonjour-service'
import { type Model, parseAddress } from '@golem/core'
import { findAnnounced } from './announced.ts'
import { modelsThatKnow } from './guess.ts'
import { findLocalDevices } from './local-devices.ts'
import { scanHosts } from './network.ts'
import { hostsOf } from './network-range.ts'
import { unclaimed } from './unclaimed.ts'

/** A kernel tree and a /dev as a Raspberry Pi with adapters has them. */
class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'golem-sys-'))
  readonly sys = join(this.root, 'sys')
  readonly dev = join(this.root, 'dev')

  constructor(t: TestContext) {
    t.after(() => rmSync(this.root, { recursive: true }))
    for (const folder of ['class/tty', 'class/usbmisc', 'class/hidraw', 'devices']) {
      mkdirSync(join(this.sys, folder), { recursive: true })
    }
    mkdirSync(join(this.dev, 'serial/by-id'), { recursive: true })
  }

  plug(
    kind: 'tty' | 'usbmisc' | 'hidraw',
    name: string,
    facts: { vendor: string; product: string; serial?: string; manufacturer?: string; name?: string },
    byId?: string,
  ): void {
    const usb = join(this.sys, 'devices', `usb-${name}`)
    const inner = join(usb, '1-1:1.0', name)
    mkdirSync(inner, { recursive: true })
    writeFileSync(join(usb, 'idVendor'), `${facts.vendor}\n`)
    writeFileSync(join(usb, 'idProduct'), `${facts.product}\n`)
    if (facts.serial) writeFileSync(join(usb, 'serial'), `${facts.serial}\n`)
    if (facts.manufacturer) writeFileSync(join(usb, 'manufacturer'), `${facts.manufacturer}\n`)
    if (facts.name) writeFileSync(join(usb, 'product'), `${facts.name}\n`)
    const entry = join(this.sys, 'class', kind, name)
    mkdirSync(entry)
    symlinkSync(inner, join(entry, 'device'))
    writeFileSync(join(this.dev, name), '')
    if (byId) symlinkSync(join(this.dev, name), join(this.dev, 'serial/by-id', byId))
  }
}

test('serial adapters, USBTMC instruments and known HID devices are found with lasting names', async (t) => {
  const machine = new Machine(t)
  machine.plug(
    'tty',
    'ttyUSB0',
    { vendor: '0403', product: '6001', serial: 'A50285BI', manufacturer: 'FTDI', name: 'FT232R USB UART' },
    'usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0',
  )
  machine.plug('tty', 'ttyUSB1', { vendor: '1a86', product: '7523', name: 'USB Serial' })
  machine.plug('usbmisc', 'usbtmc0', { vendor: '1ab1', product: '0588', serial: 'DS1K1', name: 'DS1000Z' })
  machine.plug('hidraw', 'hidraw0', { vendor: '0888', product: '4000', name: 'TC420' })
  machine.plug('hidraw', 'hidraw1', { vendor: '046d', product: 'c31c', name: 'Keyboard' })
  const found = await findLocalDevices(machine)
  assert.deepEqual(
    found.map(({ kind, address, label }) => [kind, address.replace(machine.dev, '/dev'), label]),
    [
      [
        'serial',
        'serial:/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0',
        'FTDI FT232R USB UART, A50285BI',
      ],
      ['serial', 'serial:/dev/ttyUSB1', 'USB Serial'],
      ['usbtmc', 'usbtmc:1ab1:0588:DS1K1', 'DS1000Z, DS1K1'],
      ['hid', 'hid:0888:4000', 'TC420'],
    ],
  )
  assert.match(found[1]?.note ?? '', /no name of its own/)
  for (const { address } of found) parseAddress(address)
})

test('a machine without any of that has nothing, and is no error', async (t) => {
  const machine = new Machine(t)
  assert.deepEqual(await findLocalDevices(machine), [])
  assert.deepEqual(
    await findLocalDevices({ sys: join(machine.root, 'no'), dev: join(machine.root, 'no') }),
    [],
  )
})

test('only private ranges of a reasonable size are looked through', () => {
  assert.deepEqual(hostsOf('192.168.1.16/30'), ['192.168.1.17', '192.168.1.18'])
  assert.deepEqual(hostsOf('10.0.0.7'), ['10.0.0.7'])
  assert.equal(hostsOf('172.16.4.0/22').length, 1022)
  for (const [text, why] of [
    ['8.8.8.0/28', /not private/],
    ['172.32.0.0/28', /not private/],
    ['192.169.0.0/24', /not private/],
    ['10.0.0.0/8', /at most 1024/],
    ['lab.example', /no range/],
    ['10.0.0.0/33', /no range/],
  ] as const) {
    assert.throws(() => hostsOf(text), { code: 'CONFIG_INVALID', message: why })
  }
})

async function listen(t: TestContext, onLine: (line: string) => string | null): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.setEncoding('latin1').on('data', (text) => {
      const answer = onLine(String(text).trim())
      if (answer !== null) socket.write(`${answer}\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

test('a SCPI socket is asked for its name, a silent one is named by its port, of Modbus nothing is asked', async (t) => {
  const asked: string[] = []
  const supply = await listen(t, (line) => (asked.push(line), 'RIGOL TECHNOLOGIES,DP832,DP8A1,00.01.14'))
  const silent = await listen(t, () => null)
  const modbus = await listen(t, (line) => (asked.push(`modbus ${line}`), null))
  const found = await scanHosts(['127.0.0.1'], {
    scpi: [
      [supply, 'one'],
      [silent, 'SCPI socket'],
    ],
    modbus,
  })
  assert.deepEqual(
    new Set(found.map(({ label }) => label)),
    new Set(['RIGOL TECHNOLOGIES,DP832,DP8A1,00.01.14', 'SCPI socket', 'Modbus TCP']),
  )
  assert.deepEqual(asked, ['*IDN?'])
})

test('the model that takes an answer to *IDN? for its own is named, and one that asks nothing is not', async () => {
  const model = (id: string, pattern: RegExp | null): Model => ({
    id,
    label: id,
    kind: 'supply',
    source: 'test',
    transport: 'line',
    optionsSchema: {},
    create: () => ({
      transport: 'line',
      link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: 100, quietMs: 10 },
      parameters: {},
      actions: {},
      identify: async (io) => {
        if (pattern) await io.ask('*IDN?', { accept: (line) => pattern.test(line) })
      },
      readAll: async () => ({}),
    }),
  })
  const models = [model('dp832', /DP832/), model('other', /SPD/), model('anything', null)]
  assert.deepEqual(await modelsThatKnow('RIGOL TECHNOLOGIES,DP832,DP8A1,1', models), ['dp832'])
})

test('what announces itself in the network is found with its address', async (t) => {
  // Two ends that speak to each other directly: a machine for tests need not pass multicast on.
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const end = (bind: string, ip: string) => ({ bind, ip, port, multicast: false })
  const mdns = end('127.0.0.1', '127.0.0.2')
  const announcer = new Bonjour(end('127.0.0.2', '127.0.0.1') as object)
  t.after(() => new Promise<void>((resolve) => announcer.destroy(() => resolve())))
  announcer.publish({ name: 'DP832 on the bench', type: 'scpi-raw', port: 5555, host: 'dp832.local' })
  announcer.publish({ name: 'DP832 on the bench', type: 'lxi', port: 80, host: 'dp832.local' })
  announcer.publish({ name: 'kolos-3', type: 'esphomelib', port: 6053, host: 'kolos-3.local' })
  let found = await findAnnounced({ forMs: 1500, mdns })
  for (let tries = 0; found.length === 0 && tries < 5; tries += 1)
    found = await findAnnounced({ forMs: 3000, mdns })
  const kinds = found.map(({ kind, address, label }) => [kind, address.split(':')[0], label])
  assert.ok(found.length > 0, 'nothing was heard')
  for (const [kind, scheme, label] of kinds) {
    if (kind === 'lxi') assert.deepEqual([scheme, label], ['tcp', 'DP832 on the bench'])
    else assert.deepEqual([kind, scheme, label], ['esphome', 'http', 'kolos-3'])
  }
  for (const { address } of found) parseAddress(address)
})

test('an instrument claims its device by whatever name site.yaml has for it', async (t) => {
  const machine = new Machine(t)
  const ids = { vendor: '0403', product: '6001', serial: 'A1' }
  machine.plug('tty', 'ttyUSB0', ids, 'usb-FTDI_A1')
  machine.plug('tty', 'ttyUSB1', ids, 'usb-FTDI_A2')
  machine.plug('usbmisc', 'usbtmc0', { vendor: '1ab1', product: '0588', serial: 'DS1K1' })
  const found = await findLocalDevices(machine)
  const left = async (...addresses: string[]): Promise<string[]> =>
    (await unclaimed(found, addresses.map(parseAddress))).map(({ file }) =>
      (file ?? '').replace(machine.dev, ''),
    )
  assert.deepEqual(await left(), ['/ttyUSB0', '/ttyUSB1', '/usbtmc0'])
  assert.deepEqual(await left(`serial:${machine.dev}/serial/by-id/usb-FTDI_A1`), ['/ttyUSB1', '/usbtmc0'])
  assert.deepEqual(await left(`modbus-rtu:${machine.dev}/ttyUSB1?unit=4`, 'usbtmc:1AB1:0588:DS1K1'), [
    '/ttyUSB0',
  ])
  assert.deepEqual(await left(`usbtmc:${machine.dev}/usbtmc0`, 'tcp://127.0.0.1:1'), ['/ttyUSB0', '/ttyUSB1'])
})
