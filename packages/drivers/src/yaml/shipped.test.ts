import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Fault, GolemError, isFault, type LineIo, type Readings, type Value } from '@golem/core'
import { type Channel, type Link, openLink } from '@golem/transports'
import { SHIPPED_MODELS } from '../load-models.ts'
import { loadYamlModels, modelFileOf } from './index.ts'
import { type Answerer, createAnswerer } from './simulation.ts'
import { type Served, serve } from './testing.ts'

interface Bench {
  answerer: Answerer
  served: Served
  link: Link
  channel: Channel
  came: Record<string, Value | Fault>
}

const open: Bench[] = []
after(async () => {
  for (const { link, served } of open) {
    await link.close()
    await served.close()
  }
})

/** A shipped model on a real TCP connection to the instrument that its own simulation plays. */
async function bench(id: string, pieces?: number): Promise<Bench> {
  const { model, raw } = modelFileOf(id, [SHIPPED_MODELS])
  const answerer = createAnswerer(raw)
  assert.ok(answerer, `${id} has no simulation`)
  const served = await serve(answerer, pieces)
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port: served.port } as const
  const link = openLink({ endpoint, guard: () => undefined })
  const came: Record<string, Value | Fault> = {}
  const onReadings = (found: Readings): void => void Object.assign(came, found)
  const channel = link.attach({ driver: model.create({}), endpoint, onReadings })
  const stand = { answerer, served, link, channel, came }
  open.push(stand)
  return stand
}

const poll = ({ channel }: Bench): Promise<Readings> =>
  channel.run('poll', (io: LineIo) => {
    const { parameters, readAll } = channel.driver
    return (readAll as (io: LineIo, due: ReadonlySet<string>) => Promise<Readings>)(
      io,
      new Set(Object.keys(parameters)),
    )
  })

const write = ({ channel }: Bench, name: string, value: Value): Promise<void> =>
  channel.run('command', async (io: LineIo) => {
    const spec = channel.driver.parameters[name] as { write?: (io: LineIo, value: Value) => Promise<void> }
    assert.ok(spec.write, `${name} can't be written`)
    await spec.write(io, value)
  })

const act = ({ channel }: Bench, name: string, args: Record<string, Value> = {}): Promise<Value | void> =>
  channel.run('command', (io: LineIo) => {
    const action = channel.driver.actions[name] as {
      run: (io: LineIo, args: Record<string, Value>) => Promise<Value | void>
    }
    return action.run(io, args)
  })

const code =
  (wanted: string, message = /./) =>
  (error: unknown): boolean =>
    error instanceof GolemError && error.code === wanted && message.test(error.message)

/** Models for transports of this folder's own languages; those of others have tests of their own. */
const LINE_MODELS = loadYamlModels(SHIPPED_MODELS).models.filter(({ transport }) => transport === 'line')

test('no shipped model has a fault', () => {
  assert.deepEqual(loadYamlModels(SHIPPED_MODELS).faults, [])
})

/** They mostly wait, for instruments that take their time: all at once. */
describe('shipped models', { concurrency: true }, () => {
  for (const { id } of LINE_MODELS) {
    describe(id, { concurrency: true }, () => {
      test('reads every readable parameter from its own simulation, also in pieces of three bytes', async () => {
        for (const pieces of [Infinity, 3]) {
          const stand = await bench(id, pieces)
          const { talks } = stand.answerer
          let found = await poll(stand)
          const deadline = performance.now() + 10_000
          const readable = Object.entries(stand.channel.driver.parameters)
            .filter(([, spec]) => spec.readable !== false)
            .map(([name]) => name)
          while (talks && readable.some((name) => !(name in stand.came)) && performance.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, 20))
            found = { ...(await poll(stand)), ...stand.came }
          }
          for (const name of readable) {
            const value = found[name] ?? stand.came[name]
            assert.ok(value !== undefined && !isFault(value), `${name}: ${JSON.stringify(value)}`)
          }
        }
      })

      test('writes its safe values and reads them back', async () => {
        const stand = await bench(id)
        const outputs = Object.entries(stand.channel.driver.parameters).filter(
          ([, { safe }]) => safe !== undefined,
        )
        await poll(stand)
        for (const [name, { safe }] of outputs) await write(stand, name, safe ?? 0)
        const found = await poll(stand)
        for (const [name, { safe }] of outputs) assert.equal(found[name], safe, name)
      })

      test('what is switched on or off has a safe value', () => {
        const { model } = modelFileOf(id, [SHIPPED_MODELS])
        const { parameters } = model.create({})
        for (const [name, spec] of Object.entries(parameters)) {
          if (spec.type === 'boolean' && spec.write) assert.notEqual(spec.safe, undefined, name)
        }
      })
    })
  }

  test('rigol-dp800: set, measure, refuse, survive the loss of its settings', async () => {
    const stand = await bench('rigol-dp800')
    await write(stand, 'voltage1', 12.5)
    await write(stand, 'output1', true)
    let found = await poll(stand)
    assert.deepEqual([found['voltage1'], found['output1'], found['measuredVoltage1']], [12.5, true, 12.5])
    assert.deepEqual([found['output2'], found['measuredVoltage2']], [false, 0])
    await act(stand, 'apply', { channel: 'CH2', voltage: 3.3, current: 0.5 })
    await assert.rejects(
      act(stand, 'apply', { channel: 'CH3', voltage: 12, current: 0.5 }),
      code('INSTRUMENT_REFUSED', /-222/),
    )
    found = await poll(stand)
    assert.deepEqual(
      [found['voltage2'], found['current2'], found['voltage3'], found['lastError']],
      [3.3, 0.5, 0, ''],
    )
    stand.answerer.answer('NONSENSE')
    assert.equal((await poll(stand))['lastError'], '-113 Undefined header')
    stand.answerer.reset()
    assert.equal((await poll(stand))['voltage1'], 0)
  })

  test('siglent-spd: outputs and regulation from the status bits', async () => {
    const stand = await bench('siglent-spd')
    await write(stand, 'voltage2', 5)
    await write(stand, 'output2', true)
    const found = await poll(stand)
    assert.deepEqual(
      ['output1', 'output2', 'mode1', 'measuredVoltage2'].map((name) => found[name]),
      [false, true, 'constant voltage', 5],
    )
    await act(stand, 'track', { mode: 'series' })
    assert.equal(stand.answerer.state['track'], 1)
  })

  test('keysight-34461a: an overload is no reading; many readings are a list', async () => {
    const stand = await bench('keysight-34461a')
    await write(stand, 'function', 'resistance')
    assert.equal((await poll(stand))['function'], 'resistance')
    stand.answerer.set('measured', 9.9e37)
    assert.ok(isFault((await poll(stand))['reading'] ?? 0))
    const burst = await act(stand, 'burst', { count: 5000 })
    assert.equal((burst as number[]).length, 5000)
    stand.answerer.set('measured', 1.25)
    assert.equal((await poll(stand))['reading'], 1.25)
    // Another program has left it with many, or with a function the model does not know.
    stand.answerer.set('count', 3)
    await assert.rejects(poll(stand))
    assert.equal((await poll(stand))['reading'], 1.25)
    stand.answerer.set('function', 'DIOD')
    const found = await poll(stand)
    assert.ok(isFault(found['function'] ?? 0))
    assert.equal(found['reading'], 1.25)
  })

  test('keithley-2400: current and voltage as one answer', async () => {
    const stand = await bench('keithley-2400')
    await write(stand, 'voltage', 1)
    await write(stand, 'output', true)
    assert.deepEqual(await act(stand, 'measure'), [1, 9.999999e-5])
  })

  test('rigol-ds1000z: a waveform in volts, in pieces, and 250 000 points from its memory', async () => {
    const stand = await bench('rigol-ds1000z', 100)
    const screen = (await act(stand, 'waveform', { channel: 'CHAN2' })) as number[]
    assert.equal(screen.length, 1200)
    assert.ok(Math.abs(Math.max(...screen) - 2) < 1e-9 && Math.abs(Math.min(...screen) + 2) < 1e-9)
    assert.equal(stand.answerer.state['source'], 'CHAN2')
    const fast = await bench('rigol-ds1000z')
    const memory = (await act(fast, 'memory', { channel: 'CHAN1', first: 1, last: 250_000 })) as number[]
    assert.equal(memory.length, 250_000)
    assert.equal((await poll(fast))['trigger'], 'stopped')
  })

  test('lakeshore-335: a heater is switched off by the stop at once', async () => {
    const stand = await bench('lakeshore-335')
    await write(stand, 'range1', 'high')
    await write(stand, 'setpoint1', 77.35)
    await act(stand, 'pid', { proportional: 30, integral: 15, derivative: 0 })
    const found = await poll(stand)
    assert.deepEqual(
      ['setpoint1', 'heater1', 'proportional1', 'temperatureA'].map((name) => found[name]),
      [77.35, 12.5, 30, 77.35],
    )
    await stand.channel.run('stop', async (io: LineIo) =>
      (stand.channel.driver.makeSafe as (io: LineIo) => Promise<void>)(io),
    )
    assert.equal((await poll(stand))['range1'], 'off')
  })

  test('nmea: garbage, a wrong checksum and a cut line between sentences change nothing', async () => {
    const stand = await bench('nmea')
    await poll(stand)
    stand.served.say(
      Buffer.from('\u00ff\u00fe\r\n$WIMWV,99.9,R,0.1,K,A*28\r\n$WIXDR,C,99.9,C,TEM\r\n', 'latin1'),
    )
    const deadline = performance.now() + 10_000
    while (!('windDirection' in stand.came && 'temperature' in stand.came) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.deepEqual([stand.came['windDirection'], stand.came['temperature']], [214.8, 21.5])
  })

  test('another instrument at the address is not taken for this one', async () => {
    const { model } = modelFileOf('rigol-dp800', [SHIPPED_MODELS])
    const { served } = await bench('keysight-34461a')
    const endpoint = { kind: 'tcp', host: '127.0.0.1', port: served.port } as const
    const link = openLink({ endpoint, guard: () => undefined })
    const channel = link.attach({ driver: model.create({}), endpoint })
    await assert.rejects(
      channel.run('poll', async () => undefined),
      code('WRONG_INSTRUMENT', /34461A/),
    )
    await link.close()
  })
})
