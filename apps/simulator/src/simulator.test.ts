import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parseAddress } from '@golem/core'
import { demoDevices, esphomeDevice } from './demo-devices.ts'
import { startSimulator } from './simulator.ts'
import { connect } from './testing.ts'

test('the demo stand comes up with addresses as site.yaml takes them, and leaves nothing behind', async () => {
  const simulator = await startSimulator({ devices: [...demoDevices(), esphomeDevice()] })
  const names = [
    'relay-1',
    'relay-2',
    'relay-3',
    'relay-5',
    'lamp-0',
    'lamp-1',
    'lamp-2',
    'sba5',
    'supply',
    'meter',
    'scope',
    'oven',
    'stage',
    'weather',
    'esphome-1',
  ]
  assert.deepEqual(Object.keys(simulator.addresses), names)
  for (const address of Object.values(simulator.addresses)) parseAddress(address)
  const serial = parseAddress(simulator.addresses['sba5'] ?? '')
  assert.ok(serial.kind === 'serial' && serial.baudRate === 19_200)
  await simulator.close()
  assert.equal(fs.existsSync(path.dirname(serial.path)), false)
  await assert.rejects(connect(simulator.addresses['relay-1'] ?? ''), /ECONNREFUSED/)
})

test('boards of one stand act on each other through the air', async (t) => {
  const simulator = await startSimulator({ devices: demoDevices(), timeScale: 300 })
  t.after(() => simulator.close())
  const lamp = simulator.addresses['lamp-0'] ?? ''
  const before = simulator.stand.state().experiment.temperature
  for (const channel of [0, 1, 2, 3]) {
    const reply = await fetch(`${lamp}/pwm`, { method: 'POST', body: JSON.stringify({ channel, duty: 100 }) })
    assert.match(await reply.text(), /SUCCESS/)
  }
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.ok(simulator.stand.state().experiment.temperature > before + 0.5)
  assert.ok(simulator.stand.state().control.temperature < before + 0.5)
})

test('ports that were asked for are kept; one that is taken is named, and nothing stays open', async (t) => {
  const first = await startSimulator({ devices: [{ name: 'relay-1', kind: 'esp32-relay' }] })
  t.after(() => first.close())
  const port = Number(new URL(first.addresses['relay-1'] ?? '').port)
  await assert.rejects(
    startSimulator({ devices: [{ name: 'lamp-0', kind: 'pwm-lamp', port }] }),
    new RegExp(`lamp-0 can't listen on 127.0.0.1:${port}`),
  )
  await first.close()
  const second = await startSimulator({ devices: [{ name: 'relay-1', kind: 'esp32-relay', port }] })
  assert.equal(second.addresses['relay-1'], first.addresses['relay-1'])
  await second.close()
})

test('a serial port replaces a dead link of an earlier run, but never a file', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'simulator-test-'))
  t.after(() => fs.rmSync(dir, { recursive: true }))
  fs.symlinkSync('/dev/pts/none', path.join(dir, 'sba5'))
  const simulator = await startSimulator({ devices: [{ name: 'sba5', kind: 'sba5' }], ptyDir: dir })
  assert.ok(fs.existsSync(path.join(dir, 'sba5')))
  await simulator.close()
  assert.deepEqual(fs.readdirSync(dir), [])
  fs.writeFileSync(path.join(dir, 'sba5'), 'mine')
  await assert.rejects(
    startSimulator({ devices: [{ name: 'sba5', kind: 'sba5' }], ptyDir: dir }),
    /can't be made/,
  )
  assert.equal(fs.readFileSync(path.join(dir, 'sba5'), 'utf8'), 'mine')
})

test('without socat it says which package to install', async (t) => {
  const { PATH } = process.env
  t.after(() => (process.env['PATH'] = PATH))
  process.env['PATH'] = '/nonexistent'
  await assert.rejects(startSimulator({ devices: [{ name: 'sba5', kind: 'sba5' }] }), /apt install socat/)
})

test('names have to be different and plain, and unknown ones are refused with the known', async (t) => {
  const board = { name: 'relay-1', kind: 'esp32-relay' } as const
  await assert.rejects(
    startSimulator({ devices: [board, board] }),
    /Two simulated devices are called relay-1/,
  )
  await assert.rejects(startSimulator({ devices: [{ ...board, name: '../x' }] }), /is no name for a device/)
  const simulator = await startSimulator({ devices: [board] })
  t.after(() => simulator.close())
  assert.throws(() => simulator.device('relay-9'), /no device "relay-9". It has: relay-1/)
})
