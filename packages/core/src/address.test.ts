import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, isOfOneMachine, linkOf, parseAddress } from './address.ts'

const serial = (path: string, settings: object = {}): object => ({ kind: 'serial', path, ...settings })

const UNDERSTOOD: readonly (readonly [text: string, address: object, link: string])[] = [
  ['http://board/api/', { kind: 'http', host: 'board', port: 80, path: '/api' }, 'http:board:80'],
  ['tcp://psu:5025', { kind: 'tcp', host: 'psu', port: 5025 }, 'tcp:psu:5025'],
  [
    'serial:/dev/ttyS0?baud=9600&bits=7&parity=even&stop=2&flow=rtscts&dtr=off&rts=on',
    serial('/dev/ttyS0', {
      baudRate: 9600,
      dataBits: 7,
      parity: 'even',
      stopBits: 2,
      flowControl: 'rtscts',
      dtr: false,
      rts: true,
    }),
    'serial:/dev/ttyS0',
  ],
  ['usbtmc:/dev/usbtmc0', { kind: 'usbtmc', path: '/dev/usbtmc0' }, 'usbtmc:/dev/usbtmc0'],
  [
    'usbtmc:1AB1:0588:DS1K1',
    { kind: 'usbtmc', vendor: '1ab1', product: '0588', serial: 'DS1K1' },
    'usbtmc:1ab1:0588:DS1K1',
  ],
  [
    'modbus-tcp://oven/7',
    { kind: 'modbus', framing: 'tcp', place: { kind: 'tcp', host: 'oven', port: 502 }, unit: 7 },
    'tcp:oven:502',
  ],
  [
    'modbus-rtu:/dev/ttyUSB0?unit=3&baud=19200&parity=even',
    {
      kind: 'modbus',
      framing: 'rtu',
      place: serial('/dev/ttyUSB0', { baudRate: 19_200, parity: 'even' }),
      unit: 3,
    },
    'serial:/dev/ttyUSB0',
  ],
  [
    'modbus-rtu://moxa:4001/3',
    { kind: 'modbus', framing: 'rtu', place: { kind: 'tcp', host: 'moxa', port: 4001 }, unit: 3 },
    'tcp:moxa:4001',
  ],
  [
    'mqtt://broker/tele/plug/',
    { kind: 'mqtt', host: 'broker', port: 1883, tls: false, topic: 'tele/plug' },
    'mqtt:broker:1883',
  ],
  ['hid:0888:4000', { kind: 'hid', vendor: '0888', product: '4000', serial: null }, 'hid:0888:4000'],
  ['sim:psu', { kind: 'sim', name: 'psu' }, 'sim:psu'],
]

for (const [text, address, link] of UNDERSTOOD) {
  test(`${text} is understood`, () => {
    const parsed = parseAddress(text)
    assert.deepEqual(parsed, address)
    assert.equal(linkOf(parsed), link)
  })
}

// The forms and their meaning are PyVISA's, obtained by running its parser (2026-08).
const VISA: readonly (readonly [visa: string, url: string])[] = [
  ['TCPIP::1.2.3.4::5025::SOCKET', 'tcp://1.2.3.4:5025'],
  ['TCPIP0::psu.lab::5555::socket', 'tcp://psu.lab:5555'],
  ['asrl/dev/ttyUSB0::INSTR', 'serial:/dev/ttyUSB0'],
  ['ASRL/dev/ttyUSB0', 'serial:/dev/ttyUSB0'],
  ['USB::0x1AB1::0x0588::DS1K1::INSTR', 'usbtmc:1ab1:0588:DS1K1'],
  ['USB0::6833::1416::DS1K1::0::INSTR', 'usbtmc:1ab1:0588:DS1K1'],
  ['USB::0x1AB1::0x0588::A B::INSTR', 'usbtmc:1ab1:0588:A%20B'],
]

for (const [visa, url] of VISA) {
  test(`${visa} is ${url}`, () => assert.deepEqual(parseAddress(visa), parseAddress(url)))
}

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ['board', /neither a URL nor a VISA resource name/],
  ['FOO::1', /is not known/],
  ['gpib::9', /no GPIB interface/],
  ['ASRL1::INSTR', /path of the port/],
  ['TCPIP::h', /neither VXI-11 nor HiSLIP.*TCPIP::h::5025::SOCKET/],
  ['TCPIP::1.2.3.4::5025', /needs the class SOCKET: TCPIP::1\.2\.3\.4::5025::SOCKET/],
  ['TCPIP::1.2.3.4::SOCKET', /port is missing/],
  ['TCPIP::[::1]::5025::SOCKET', /no IPv6 literals/],
  ['USB0::0x1AB1::0x0588', /serial number are all needed/],
  ['USB::0x1AB1::0x0588::X::RAW', /not raw USB/],
  ['tcp://psu', /host and port/],
  ['serial:/dev/x?bits=9', /bits=9 is none of 5, 6, 7, 8/],
  ['serial:/dev/x?speed=9', /"speed" is no setting/],
  ['modbus-tcp://h/300', /0 to 255/],
  ['modbus-rtu:/dev/x', /unit is a number/],
  ['mqtt://b/a/#', /fragment|wildcards/],
  ['mqtt://b/a/+/c', /wildcards/],
  ['usbtmc:1ab1:0588', /serial number are all needed/],
  ['hid:xyz:4000', /no USB id/],
  ['http://user:secret@board', /passwords do not belong/],
]

for (const [text, why] of REFUSED) {
  test(`${text} is refused with the reason`, () => {
    assert.throws(() => parseAddress(text), { code: 'CONFIG_INVALID', message: why })
  })
}

test('a device file is of one machine, an address in the network is not', () => {
  const of = (text: string): boolean => isOfOneMachine(parseAddress(text) satisfies Address)
  assert.deepEqual(
    ['serial:/dev/x', 'usbtmc:/dev/usbtmc0', 'hid:0888:4000', 'modbus-rtu:/dev/x?unit=1'].map(of),
    [true, true, true, true],
  )
  assert.deepEqual(['tcp://h:1', 'http://h', 'modbus-rtu://h:1/1', 'mqtt://h'].map(of), [
    false,
    false,
    false,
    false,
  ])
})
