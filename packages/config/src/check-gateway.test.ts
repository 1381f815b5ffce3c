import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Model, ModbusDriver } from '@golem/core'
import { faultsOf, loadText, models as linesAndHttp } from './testing.ts'

/** A unit on a Modbus line. */
const oven: Model = {
  id: 'oven',
  label: 'Oven',
  kind: 'oven',
  source: 'invented for tests',
  transport: 'modbus',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: (): ModbusDriver => ({
    transport: 'modbus',
    link: { replyTimeoutMs: 500, gapMs: 0 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
  }),
}
const models = new Map([...linesAndHttp, [oven.id, oven]])

const site = (gateway: string, head = '', address = 'tcp://a:1', model = 'gauge'): string =>
  `site: lab\n${head}instruments:\n  - { id: one, model: ${model}, address: "${address}"${gateway && `, gateway: ${gateway}`} }\n`
const faults = (text: string): string[] =>
  faultsOf(text, { models }).map(({ path, message }) => `${path} ${message}`)

test('no port is opened unless the site says so', () => {
  assert.equal(loadText(site('')).instruments[0]?.gateway, null)
})

test('a port is for this machine only, for everything, and waits as the model has it', () => {
  assert.deepEqual(loadText(site('{ port: 5025 }'), { models }).instruments[0]?.gateway, {
    listen: '127.0.0.1',
    port: 5025,
    allow: ['127.0.0.0/8', '::1'],
    readOnly: false,
    telnet: 'raw',
    timeoutMs: null,
  })
})

test('a Modbus unit has a port too, on whatever line it is', () => {
  for (const address of [
    'modbus-tcp://a/3',
    'modbus-rtu:/dev/ttyS0?unit=3',
    'modbus-rtu://a:1/3',
    'sim:oven',
  ]) {
    const { gateway } = loadText(site('{ port: 502 }', '', address, 'oven'), { models }).instruments[0] ?? {}
    assert.equal(gateway?.port, 502, address)
  }
})

test('what holds for the whole site can be said otherwise for one instrument', () => {
  const head = 'gateway: { listen: 0.0.0.0, allow: [10.0.0.0/24], readOnly: true }\n'
  const { gateway } =
    loadText(site('{ port: 1, readOnly: false, timeout: 2 min }', head)).instruments[0] ?? {}
  assert.deepEqual(gateway, {
    listen: '0.0.0.0',
    port: 1,
    allow: ['10.0.0.0/24'],
    readOnly: false,
    telnet: 'raw',
    timeoutMs: 120_000,
  })
})

test('what can not be is told with its place', () => {
  const table: [text: string, wanted: RegExp][] = [
    [site('{ port: 1, listen: 0.0.0.0 }'), /^instruments\[0\]\.gateway\.listen .* without a token.*"allow"/],
    [site('{ port: 1 }', 'gateway: { listen: 10.0.0.1 }\n'), /^gateway\.listen .*"allow"/],
    [site('{ port: 1, allow: [10.0.0.0/33] }'), /gateway\.allow\[0\] "10\.0\.0\.0\/33" is no address/],
    [site('{ port: 1, allow: [lab-pc] }'), /gateway\.allow\[0\] "lab-pc" is no address/],
    [site('{ port: 0 }'), /gateway\.port .*1 to 65535/],
    [site('{ readOnly: true }'), /"port" is missing/],
    [site('{ port: 1, telnet: rfc2217 }'), /gateway\.telnet RFC 2217 .*serial line/],
    [site('{ port: 1, timeout: 1 h }'), /gateway\.timeout 1 h is out of bounds/],
    [
      site('{ port: 1 }', '', 'http://a', 'heater'),
      /gateway The gateway is for instruments that speak in lines/,
    ],
    [
      site('{ port: 502, timeout: 1 s }', '', 'modbus-tcp://a/1', 'oven'),
      /gateway\.timeout The answers of a Modbus unit/,
    ],
    [
      site('{ port: 502, telnet: rfc2217 }', '', 'modbus-rtu:/dev/ttyS0?unit=1', 'oven'),
      /gateway\.telnet RFC 2217/,
    ],
    [site('{ port: 502, telnet: rfc2217 }', '', 'sim:oven', 'oven'), /gateway\.telnet .* speak Modbus TCP/],
    [site('{ port: 502 }', '', 'modbus-rtu:/dev/ttyS0?unit=0', 'oven'), /gateway Unit 0 is all units/],
    [site('{ port: 8000 }', 'web: { port: 8000 }\n'), /gateway\.port The page has the port 8000/],
  ]
  for (const [text, wanted] of table) {
    const found = faults(text)
    assert.equal(found.length, 1, `${text}\n${found.join('\n')}`)
    assert.match(found[0] ?? '', wanted)
  }
})

test('two instruments of one machine need two ports', () => {
  const two = (first: string, second: string): string =>
    `site: lab\ninstruments:\n` +
    `  - { id: one, model: gauge, address: "tcp://a:1", gateway: { port: 5025 }${first} }\n` +
    `  - { id: two, model: gauge, address: "tcp://b:1", gateway: { port: 5025 }${second} }\n`
  assert.match(faults(two('', '')).join(), /^instruments\[1\]\.gateway\.port "one" has the port 5025 already/)
  assert.equal(faults(two(', host: a', '')).length, 1)
  assert.deepEqual(faults(two(', host: a', ', host: b')), [])
})
