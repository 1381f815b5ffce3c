import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { GolemError, isFault, type MqttDriver, type MqttIo } from '@golem/core'
import { readModelFile } from './index.ts'
import { createMqttAnswerer, type MqttAnswerer } from './mqtt-simulation.ts'

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

const PLAYED = `
parameters: { a: { label: A, type: number, read: a } }
simulation:
  state: { level: { value: 3, min: 0, max: 10 }, mode: idle }
  will: { topic: there, payload: no, retain: true }
  connect: [{ topic: there, payload: yes, retain: true }, { topic: 'x/{topic}', payload: '{mode}' }]
  rules:
    - { topic: set, pattern: '^stop$', when: { mode: run }, set: { mode: idle }, publish: [{ topic: mode, payload: '{mode}' }] }
    - { topic: set, pattern: '^\\{"level":(?<level>[0-9]+)\\}$', set: { mode: run }, publish: [{ topic: level, payload: '{{"level":{level}}}', changed: [level] }, { topic: said, qos: 1 }] }
    - { topic: get, publish: [{ topic: level, payload: '{level}' }] }
  every: 2 s
  publish: [{ topic: tele, payload: '{mode} {level}' }]
`

function played(text: string, base = 'lab/dev'): MqttAnswerer {
  const file = join(dir, 'm.yaml')
  writeFileSync(file, HEAD + text)
  const { raw, faults } = readModelFile(file)
  assert.deepEqual(faults, [])
  const answerer = raw && createMqttAnswerer(raw, base)
  assert.ok(answerer)
  return answerer
}

test('a device is played by its model: what it says at connecting, on messages, by itself, and as its last will', () => {
  const device = played(PLAYED)
  const said = (topic: string, payload: string): string[] =>
    device.receive(topic, payload).map((one) => `${one.topic} ${one.payload} ${one.qos}`)
  assert.deepEqual(device.topics, ['lab/dev/set', 'lab/dev/get'])
  assert.deepEqual(device.will, { topic: 'lab/dev/there', payload: 'no', retain: true, qos: 0 })
  assert.deepEqual(
    device.greeting().map(({ topic, payload, retain }) => [topic, payload, retain]),
    [
      ['lab/dev/there', 'yes', true],
      ['x/lab/dev', 'idle', false],
    ],
  )
  assert.deepEqual(said('lab/dev/set', 'stop'), [])
  assert.deepEqual(said('lab/dev/set', '{"level":7}'), ['lab/dev/level {"level":7} 0', 'lab/dev/said  1'])
  assert.deepEqual(said('lab/dev/set', '{"level":7}'), ['lab/dev/said  1'])
  // Out of its range: nothing changes and nothing is said.
  assert.deepEqual(said('lab/dev/set', '{"level":70}'), [])
  assert.deepEqual(said('set', '{"level":5}'), [])
  assert.deepEqual(device.state, { level: 7, mode: 'run' })
  assert.equal(device.talks?.everyMs, 2000)
  assert.deepEqual(
    device.talks?.next().map(({ payload }) => payload),
    ['run 7'],
  )
  assert.deepEqual(said('lab/dev/set', 'stop'), ['lab/dev/mode idle 0'])
  device.set('level', 1)
  assert.deepEqual(said('lab/dev/get', 'whatever'), ['lab/dev/level 1 0'])
  device.reset()
  assert.deepEqual(device.state, { level: 3, mode: 'idle' })
})

test('faults of a simulation are told with their line', () => {
  const { faults } = read(`parameters: { a: { label: A, type: number, read: a } }
simulation:
  state: { level: 3 }
  connect:
    - { topic: 'a/#', payload: '{nothing}' }
  rules:
    - { topic: set, pattern: '^(?<x>a', publish: [{ topic: t }] }
    - topic: set
      pattern: '^(?<word>.*)$'
      set: { levl: 1, level: '{wird}' }
      publish: [{ topic: t, payload: '{word}', changed: [levl] }]
  every: 1 s
`)
  assert.deepEqual(
    faults.map((fault) => fault.slice(0, 45)),
    [
      '10: A topic here has no wildcards (+, #).',
      '10: There is no {nothing}: neither a variable',
      '8: Of "every" and "publish" each needs the ot',
      "12: The pattern can't be read: Invalid regula",
      '15: There is no variable "levl" in "state".',
      '15: There is no {wird}: neither a variable in',
      '16: There is no variable "levl" in "state".',
    ],
  )
  assert.match(read('parameters: {}\nsimulation: { wil: {} }').faults.join(), /7: .*wil/)
})

test('a command that changes nothing is confirmed by the echo, and only by one that was asked for after it', async () => {
  const text = `
echo: { topic: ping, answer: pong }
parameters:
  on: { label: On, type: boolean, map: { on: 'ON', off: 'OFF' }, read: s, write: { topic: set, confirm: true, onlyChanges: true } }
`
  const { parameters, subscriptions, readAll, onMessage } = driverOf(text)
  assert.deepEqual(subscriptions, ['s', 'pong'])
  assert.equal(parameters['on']?.note, undefined)
  const write = async (answers: number, latest: string): Promise<unknown[]> => {
    const { io: device, published } = io([], latest)
    let left = answers
    await parameters['on']?.write?.(
      {
        ...device,
        expect: async (topic) => {
          assert.equal(topic, 'pong')
          left -= 1
          if (left < 0) throw new GolemError('REPLY_TIMEOUT', 'none')
          return ''
        },
      },
      true,
    )
    return published.map((each) => (each as string[])[0])
  }
  assert.deepEqual(await write(1, 'ON'), ['set', 'ping'])
  await assert.rejects(write(0, 'ON'), { code: 'REPLY_TIMEOUT' })
  // The answer that comes first may be that of the question before.
  await assert.rejects(write(1, 'ON'), { code: 'REPLY_TIMEOUT' })
  assert.deepEqual(await write(3, 'ON'), ['set', 'ping', 'ping', 'ping'])
  assert.deepEqual(await write(1, 'ON'), ['set', 'ping'])
  // Garbled: it may be on, and would then tell nothing.
  assert.deepEqual(await write(1, '?'), ['set', 'ping'])
  const { io: device } = io()
  assert.deepEqual(await readAll(device, new Set()), { on: true })
  assert.deepEqual(await readAll(device, new Set()), {})
  await write(1, '?')
  assert.deepEqual(onMessage('s', 'OFF', false), { on: false })
  assert.deepEqual(await readAll(device, new Set()), {})
  const without = driverOf(text.replace(/echo.*\n/, ''))
  assert.match(without.parameters['on']?.note ?? '', /changes only/)
})
