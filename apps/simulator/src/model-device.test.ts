import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { GolemError } from '@golem/core'
import type { DeviceSpec } from './device.ts'
import { demoDevices } from './demo-devices.ts'
import { startSimulator } from './simulator.ts'
import { connect, until } from './testing.ts'

const SUPPLY: DeviceSpec = { name: 'supply', kind: 'model', model: 'rigol-dp800' }

async function start(t: TestContext, devices: readonly DeviceSpec[]) {
  const simulator = await startSimulator({ devices })
  t.after(() => simulator.close())
  return simulator
}

/** A client on the device's TCP port. */
async function client(t: TestContext, address: string) {
  const connection = await connect(address)
  t.after(() => connection.end())
  return {
    ...connection,
    /** Sends a line and waits for one more line than there was. */
    ask: async (line: string): Promise<string> => {
      const before = connection.received().length
      connection.send(`${line}\n`)
      await until(`${line} is answered`, () => connection.received().indexOf('\n', before) >= 0)
      return connection.received().slice(before).trim()
    },
  }
}

test('it is the instrument of the model file: it answers, takes values and counts what it gets', async (t) => {
  const device = (await start(t, [SUPPLY])).device('supply')
  assert.match(device.address, /^tcp:\/\/127\.0\.0\.1:\d+$/)
  const { ask, send } = await client(t, device.address)
  assert.match(await ask('*IDN?'), /^RIGOL TECHNOLOGIES,DP832,/)
  send(':APPL CH2,5,1\n')
  assert.equal(await ask(':APPL? CH2'), 'CH2,5.000,1.0000')
  assert.equal(device.state()['voltage2'], 5)
  assert.deepEqual(device.counters(), { '*IDN?': 1, ':APPL': 1, ':APPL?': 1 })
  assert.deepEqual(
    device.requests().map(({ body, acted }) => [body, acted]),
    [
      ['*IDN?', false],
      [':APPL CH2,5,1', true],
      [':APPL? CH2', false],
    ],
  )
  device.resetCounters()
  assert.deepEqual(device.counters(), {})
})

test('the meter of the demo stand shows what the first output of the supply gives', async (t) => {
  const devices = demoDevices().filter(({ name }) => name === 'supply' || name === 'meter')
  const simulator = await start(t, devices)
  const supply = await client(t, simulator.device('supply').address)
  const meter = await client(t, simulator.device('meter').address)
  const reading = async (): Promise<number> => Number(await meter.ask('READ?'))
  supply.send(':SOUR1:VOLT 12\n')
  assert.equal(await supply.ask(':OUTP? CH1'), 'OFF')
  assert.ok(Math.abs(await reading()) < 0.01)
  supply.send(':OUTP CH1,ON\n')
  assert.equal(await supply.ask(':OUTP? CH1'), 'ON')
  const [first, second] = [await reading(), await reading()]
  assert.ok(Math.abs(first - 12) < 0.01 && first !== second, `${first}, ${second}`)
})

test('it misbehaves as it is told, for so many requests, and says so in its log', async (t) => {
  const device = (await start(t, [SUPPLY])).device('supply')
  const { ask, send, received, closed } = await client(t, device.address)
  await device.setFault({ kind: 'silence', times: 1, match: { method: ':OUTP?' } })
  assert.match(await ask('*IDN?'), /^RIGOL/)
  assert.deepEqual(device.fault(), { kind: 'silence', times: 1, match: { method: ':OUTP?' } })
  send(':OUTP? CH1\n')
  await until('the request has arrived', () => device.counters()[':OUTP?'] === 1)
  assert.equal(device.fault(), null)
  assert.equal(await ask(':OUTP? CH2'), 'OFF')
  assert.deepEqual(
    device.requests().map(({ fault }) => fault),
    [undefined, 'silence', undefined],
  )

  await device.setFault({ kind: 'garbage' })
  send('*IDN?\n')
  await until('something comes', () => received().includes('5;'))
  assert.equal(received().match(/RIGOL/g)?.length, 1)
  await device.setFault({ kind: 'hugeReply', bytes: 100_000 })
  send('*IDN?\n')
  await until('it is long', () => received().length > 100_000)
  await device.setFault({ kind: 'cut' })
  send('*IDN?\n')
  await until('the connection has ended', () => closed())
})

test('without power it has forgotten its settings, and comes back at the same address', async (t) => {
  const device = (await start(t, [SUPPLY])).device('supply')
  const { address } = device
  for (const away of ['unplug', 'reboot'] as const) {
    const first = await client(t, address)
    first.send(':APPL CH1,7,1\n')
    assert.equal(await first.ask(':APPL? CH1'), 'CH1,7.000,1.0000')
    if (away === 'unplug') await device.unplug()
    else await device.setFault({ kind: 'reboot', seconds: 0.2 })
    await until('the client has lost it', () => first.closed())
    assert.equal(device.state()['reachable'], false)
    if (away === 'unplug') {
      await assert.rejects(connect(address), /ECONNREFUSED/)
      await device.replug()
    }
    await until('it is there again', () => device.state()['reachable'] === true)
    assert.equal(device.address, address)
    const second = await client(t, address)
    assert.equal(await second.ask(':APPL? CH1'), 'CH1,0.000,0.1000')
    assert.equal(device.fault(), null)
  }
})

test('a fault that it cannot have is refused by name, and nothing changes', async (t) => {
  const device = (await start(t, [SUPPLY])).device('supply')
  for (const fault of [{ kind: 'http500' }, { kind: 'silence', act: false }] as const) {
    await assert.rejects(
      () => device.setFault(fault),
      (error) => error instanceof GolemError && error.code === 'INVALID_REQUEST',
    )
    assert.equal(device.fault(), null)
  }
})

test('an unknown model, one that is no instrument of lines, and a taken port are said', async (t) => {
  const taken = new URL((await start(t, [SUPPLY])).device('supply').address).port
  const fails = (spec: DeviceSpec, message: RegExp): Promise<void> =>
    assert.rejects(
      () => startSimulator({ devices: [spec] }),
      (error) =>
        error instanceof GolemError && error.code === 'CONFIG_INVALID' && message.test(error.message),
    )
  await fails({ ...SUPPLY, model: 'nonsense' }, /no model file with "model: nonsense"/)
  await fails({ ...SUPPLY, model: 'modbus-temperature-controller' }, /no simulation that can be played/)
  await fails({ ...SUPPLY, port: Number(taken) }, /can't listen on 127\.0\.0\.1:\d+/)
})

test('the weather station of the demo stand tells air and wind by turns', async (t) => {
  const simulator = await start(t, [
    { name: 'weather', kind: 'stream', line: 'tcp', perSecond: 50, measures: true },
  ])
  const { received } = await client(t, simulator.device('weather').address)
  await until('four sentences', () => received().split('\r\n').length > 4)
  assert.match(received(), /\$WIXDR,C,\d+\.\d,C,TEMP1,H,\d+\.\d,P,RH1\*[0-9A-F]{2}\r\n/)
  assert.match(received(), /\$WIMWV,\d+\.\d,T,\d+\.\d,K,A\*[0-9A-F]{2}\r\n/)
})
