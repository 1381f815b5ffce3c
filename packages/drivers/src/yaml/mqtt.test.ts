import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { GolemError, isFault, type MqttDriver, type MqttIo } from '@golem/core'
import { readModelFile } from './index.ts'

const dir = mkdtempSync(join(tmpdir(), 'golem-mqtt-'))
after(() => rmSync(dir, { recursive: true }))

const HEAD = 'model: m\nlabel: M\nkind: thing\nsource: this test\ntransport: mqtt\n'

function read(text: string): { driver: MqttDriver; faults: string[] } {
  const file = join(dir, 'm.yaml')
  writeFileSync(file, HEAD + text)
  const { model, faults } = readModelFile(file)
  return {
    driver: model?.create({}) as MqttDriver,
    faults: faults.map(({ line, message }) => `${line}: ${message}`),
  }
}

function driverOf(text: string): MqttDriver {
  const { driver, faults } = read(text)
  assert.deepEqual(faults, [])
  return driver
}

/** An io that notes what is published and answers confirmations with these payloads. */
function io(confirmations: readonly string[] = [], latest?: string): { io: MqttIo; published: unknown[] } {
  const published: unknown[] = []
  return {
    published,
    io: {
      publish: async (topic, payload, options) => {
        published.push([topic, payload, options?.qos])
      },
      latest: () => (latest === undefined ? undefined : { payload: latest, at: 0, retained: false }),
      expect: async (_topic, { accept = () => true } = {}) => {
        const taken = confirmations.find((one) => accept(one))
        if (taken === undefined) throw new GolemError('REPLY_TIMEOUT', 'none')
        return taken
      },
      sleep: async () => undefined,
    },
  }
}

const VALUES = `
parameters:
  power: { label: Power, type: number, scale: 0.1, read: { topic: t, path: 'a.b[1].c' } }
  on: { label: On, type: boolean, map: { on: 'ON', off: ['OFF', 'standby'] }, read: { topic: t, path: state, retained: true } }
  plain: { label: Plain, type: number, read: p }
  wave: { label: Wave, type: array, read: { topic: t, path: wave } }
`

test('values are found by their path, scaled and put into words; what is absent says nothing', () => {
  const { onMessage, subscriptions } = driverOf(VALUES)
  assert.deepEqual(subscriptions, ['t', 'p'])
  assert.deepEqual(onMessage('t', '{"a":{"b":[0,{"c":"215"}]},"state":"standby","wave":[1,2.5]}', false), {
    power: 21.5,
    on: false,
    wave: [1, 2.5],
  })
  assert.deepEqual(onMessage('p', ' 7 ', false), { plain: 7 })
  assert.deepEqual(onMessage('t', '{"else":1,"a":[]}', false), {})
})

test('what is no value is a fault of that parameter only; what the broker has kept counts only where the model says so', () => {
  const { onMessage } = driverOf(VALUES)
  const found = onMessage('t', '{"a":{"b":[0,{"c":"warm"}]},"state":true,"wave":{"x":1}}', false) ?? {}
  assert.ok(isFault(found['power'] ?? 0) && isFault(found['wave'] ?? 0) && isFault(found['on'] ?? 0))
  const garbage = onMessage('t', '}{', false) ?? {}
  assert.deepEqual(Object.keys(garbage), ['power', 'on', 'wave'])
  assert.ok(Object.values(garbage).every(isFault))
  assert.equal(isFault((onMessage('t', '{"wave":null}', false) ?? {})['wave'] ?? 0), true)
  // Names that every object has are not in the message.
  assert.deepEqual(onMessage('t', '[]', false), {})
  assert.deepEqual(onMessage('t', '{"state":"ON","wave":[1]}', true), { on: true })
  assert.equal(onMessage('p', '7', true), undefined)
})

test('a command is a template; texts in JSON are escaped; no confirmation is said in the note', async () => {
  const driver = driverOf(`
parameters:
  level: { label: Level, type: number, scale: 0.5, write: { topic: set, payload: '{{"level":{value}}}', qos: 0 } }
  name: { label: Name, type: text, write: { topic: set, payload: '{{"name":"{value}"}}' } }
  bare: { label: Bare, type: boolean, write: set }
actions:
  blink:
    label: Blink
    arguments: { times: { label: Times, type: integer } }
    publish: { topic: do, payload: 'blink {times}' }
  restart: { label: Restart, publish: restart }
`)
  const { io: device, published } = io()
  await driver.parameters['level']?.write?.(device, 3)
  await driver.parameters['name']?.write?.(device, 'a"b\\')
  await driver.parameters['bare']?.write?.(device, true)
  await driver.actions['blink']?.run(device, { times: 3 })
  await driver.actions['restart']?.run(device, {})
  assert.deepEqual(published, [
    ['set', '{"level":6}', 0],
    ['set', '{"name":"a\\"b\\\\"}', 1],
    ['set', '1', 1],
    ['do', 'blink 3', 1],
    ['restart', '', 1],
  ])
  assert.match(driver.parameters['level']?.note ?? '', /does not confirm/)
  assert.equal(driver.parameters['level']?.readable, false)
})

test('a command is confirmed, contradicted, or not answered; one for what was told last is not waited for', async () => {
  const text = (more = ''): string => `
parameters:
  on: { label: On, type: boolean, map: { on: 'ON', off: 'OFF' }, read: s, write: { topic: set, confirm: true${more} } }
`
  const write = async (told: readonly string[], latest?: string, more?: string): Promise<unknown> =>
    driverOf(text(more)).parameters['on']?.write?.(io(told, latest).io, true)
  await write(['OFF', 'ON'])
  await assert.rejects(write(['OFF']), { code: 'READBACK_MISMATCH', message: /tells false/ })
  await assert.rejects(write([]), { code: 'REPLY_TIMEOUT' })
  await assert.rejects(write([], 'ON'), { code: 'REPLY_TIMEOUT' })
  await write([], 'ON', ', onlyChanges: true')
  await assert.rejects(write([], 'OFF', ', onlyChanges: true'), { code: 'REPLY_TIMEOUT' })
})

test('a device is asked when golem begins to listen, and again', async () => {
  const { initialise, readAll } = driverOf(`
ask: [{ topic: get, payload: all }]
askEvery: 20 ms
parameters: { a: { label: A, type: number, read: a } }
`)
  const { io: device, published } = io()
  await initialise?.(device)
  assert.deepEqual(await readAll(device, new Set()), {})
  assert.equal(published.length, 1)
  await new Promise((resolve) => setTimeout(resolve, 30))
  await readAll(device, new Set())
  assert.deepEqual(published, [
    ['get', 'all', 0],
    ['get', 'all', 0],
  ])
})

test('faults of a file are told with their line', () => {
  const { faults } = read(`askEvery: 1 s
parameters:
  a: { label: A, type: number, read: 'a/+/b' }
  b: { label: B, type: number }
  c: { label: C, type: number, read: { topic: c, path: 'a..b' } }
  d: { label: D, type: number, safe: 0, read: 'x/{name}' }
  e: { label: E, type: number, write: { topic: e, payload: '{valu}', confirm: true } }
  f: { label: F, type: number, write: { topic: f, within: 1 s } }
`)
  assert.deepEqual(
    faults.map((fault) => fault.slice(0, 40)),
    [
      '6: There is nothing to "ask".',
      '8: A topic here has no wildcards (+, #).',
      '9: It needs "read", "write", or both.',
      '10: "a..b" is no path into JSON. Write n',
      '11: The only placeholder of a topic is {',
      '11: What has no "write" has no safe valu',
      '12: There is nothing to put into {valu} ',
      '12: It has no "read": name the topic tha',
      '13: This is about "confirm", which is no',
    ],
  )
  assert.match(
    read('parameters: { a: { label: A, type: number, read: a, wrte: b } }').faults.join(),
    /6: .*wrte/,
  )
  assert.match(read('parameters: { a: { label: A, type: number, read: [] } }').faults.join(), /6: /)
})
