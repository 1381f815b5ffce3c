import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { GolemError, type HidDriver, type HidIo, parseAddress } from '@golem/core'
import { builtIn } from '@golem/drivers'
import { Tc420Device } from '@golem/simulator'
import { type Channel, type Link, openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { makeTempDir } from '../kit/temp.ts'
import { pretendUsb } from '../kit/usb.ts'

pretendUsb()
const dir = makeTempDir('golem-hid')
after(() => dir.remove())

const model = builtIn.find(({ id }) => id === 'tc420')!
const code = (wanted: string) => (error: unknown) => error instanceof GolemError && error.code === wanted
const CHANNELS = 0x16

let place = 0
let lamp: Tc420Device
let link: Link
let channel: Channel
let driver: HidDriver
const links: Link[] = []

function connect(replyTimeoutMs = 300): { channel: Channel; driver: HidDriver; link: Link } {
  const endpoint = parseAddress(lamp.address)
  const it = model.create({}) as HidDriver
  it.link.replyTimeoutMs = replyTimeoutMs
  const opened = openLink({ endpoint, guard: () => undefined })
  links.push(opened)
  return { channel: opened.attach({ driver: it, endpoint }), driver: it, link: opened }
}

beforeEach(async () => {
  lamp = await Tc420Device.start({ path: join(dir.path, `hidraw${(place += 1)}`) })
  ;({ channel, driver, link } = connect())
})
afterEach(async () => {
  for (const each of links.splice(0)) await each.close()
  await lamp.close()
})

const set = (number: number, percent: number): Promise<void> =>
  channel.run('command', (io: HidIo) => driver.parameters[`channel${number}`]!.write!(io, percent))
const read = (): Promise<Record<string, unknown>> =>
  channel.run('poll', (io: HidIo) => driver.readAll(io, new Set(Object.keys(driver.parameters))))
const act = (name: string, args = {}): Promise<unknown> =>
  channel.run('command', (io: HidIo) => driver.actions[name]!.run(io, args))
const stop = (): Promise<void> => channel.run('stop', (io: HidIo) => driver.makeSafe!(io))

test('channels are set, held by polls and given back', async () => {
  assert.deepEqual(await read(), { held: false })
  await set(2, 40)
  await set(5, 7)
  assert.deepEqual(lamp.light, [0, 40, 0, 0, 7])
  assert.equal((await read())['channel2'], 40)
  await act('endSession')
  assert.equal(lamp.light, null)
  assert.deepEqual(await read(), { held: false })
  assert.equal(lamp.light, null)
})

test('a clock and a program arrive as they were written', async () => {
  await act('setClock')
  const off = Math.abs(new Date(lamp.clock!.replace(' ', 'T')).getTime() - Date.now())
  assert.ok(off < 5000, `${lamp.clock} is ${off} ms off`)
  await set(1, 30)
  await act('uploadProgram', { bank: 2, name: 'Day', steps: '06:30 100 50j 0 0 10; 20:00 0 0 0 0 0' })
  assert.deepEqual(lamp.programs.get(2), {
    name: 'Day',
    steps: [
      { at: '06:30', channels: [100, 50, 0, 0, 10], jumps: 2 },
      { at: '20:00', channels: [0, 0, 0, 0, 0], jumps: 0 },
    ],
  })
  await read()
  assert.deepEqual(lamp.light, [30, 0, 0, 0, 0])
  await act('deletePrograms')
  assert.equal(lamp.programs.size, 0)
})

test('a refusal is one, and nonsense, a short report or silence is an unknown outcome; the poll tells the truth', async () => {
  await set(1, 10)
  const outcomes = { refuse: 'INSTRUMENT_REFUSED', garbage: 'REPLY_MALFORMED', short: 'REPLY_MALFORMED' }
  for (const [kind, wanted] of [
    ...Object.entries(outcomes),
    ['silence', 'REPLY_TIMEOUT'],
    ['deaf', 'REPLY_TIMEOUT'],
  ]) {
    lamp.setFault({ kind: kind as 'deaf', times: 1, command: CHANNELS })
    await assert.rejects(set(1, 90), code(wanted!), kind)
    assert.equal((await read())['channel1'], 10, kind)
    assert.deepEqual(lamp.light, [10, 0, 0, 0, 0], kind)
    // What was not acknowledged was sent once.
    assert.equal(lamp.packets.filter((packet) => packet[2] === CHANNELS && packet[6] === 90).length, 1)
    lamp.packets.length = 0
  }
})

test('a late or doubled answer is not that of the next packet', async () => {
  await set(1, 10)
  lamp.setFault({ kind: 'late', ms: 400, times: 1, command: CHANNELS })
  await assert.rejects(set(1, 20), code('REPLY_TIMEOUT'))
  // If the late success counted, this would be "done".
  lamp.setFault({ kind: 'refuse', times: 1, command: CHANNELS })
  await assert.rejects(set(1, 30), code('INSTRUMENT_REFUSED'))
  lamp.setFault({ kind: 'duplicate', times: 1, command: CHANNELS })
  await set(1, 40)
  lamp.setFault({ kind: 'refuse', times: 1, command: CHANNELS })
  await assert.rejects(set(1, 50), code('INSTRUMENT_REFUSED'))
  assert.equal((await read())['channel1'], 40)
})

test('a stop makes it dark at once, also in the middle of a command without answer, and it stays dark', async () => {
  await set(1, 80)
  lamp.setFault({ kind: 'silence', times: 1, command: CHANNELS })
  const running = set(2, 90)
  await eventually(() => lamp.light?.[1] === 90, { what: 'the command has arrived' })
  const stopped = stop()
  await assert.rejects(running, code('INTERRUPTED'))
  await stopped
  assert.deepEqual(lamp.light, [0, 0, 0, 0, 0])
  await read()
  assert.deepEqual(lamp.light, [0, 0, 0, 0, 0])
})

test('pulled out it is lost at once, also while an answer is waited for; plugged in again what was held is held', async () => {
  await link.close()
  ;({ channel, driver, link } = connect(20_000))
  await set(3, 55)
  lamp.setFault({ kind: 'deaf', times: 1, command: CHANNELS })
  const pending = set(3, 60)
  await eventually(() => lamp.packets.some((packet) => packet[8] === 60), { what: 'it was sent' })
  await lamp.unplug()
  await assert.rejects(pending, (error) => code('LINK_LOST')(error) && /unplugged/.test(String(error)))
  await assert.rejects(read(), (error) => code('LINK_DOWN')(error) && /plugged in/.test(String(error)))
  await lamp.replug()
  assert.equal((await read())['channel3'], 55)
  assert.deepEqual(lamp.light, [0, 0, 55, 0, 0])
})

test('idle, without any exchange, an unplugged controller is noticed by the next poll', async () => {
  await read()
  await lamp.unplug()
  await eventually(() => read().then(() => false, code('LINK_DOWN')), { what: 'the poll fails' })
  await lamp.replug()
  assert.deepEqual(await read(), { held: false })
})

test('a second program is told that the file is taken', async () => {
  await set(1, 10)
  const other = connect()
  await assert.rejects(
    other.channel.run('command', (io: HidIo) => other.driver.parameters['channel1']!.write!(io, 99)),
    (error) => code('LINK_DOWN')(error) && /another program has it open/.test(String(error)),
  )
  await link.close()
  await other.channel.run('command', (io: HidIo) => other.driver.parameters['channel1']!.write!(io, 99))
  assert.deepEqual(lamp.light, [99, 0, 0, 0, 0])
})

test('10 000 exchanges: each packet arrives once, in its order', async () => {
  await set(1, 0)
  lamp.packets.length = 0
  const count = 10_000
  const wanted = Array.from({ length: count }, (_, n) => [1, n % 100, Math.floor(n / 100), 0, 0])
  await channel.run('command', async (io: HidIo) => {
    for (const values of wanted) {
      const packet = Buffer.alloc(64)
      packet.set([0x55, 0xaa, CHANNELS, 0, 7, 0xf5, ...values])
      packet[61] = packet.reduce((sum, byte) => sum + byte, 0) % 256
      packet.set([0x0d, 0x0a], 62)
      const answer = await io.ask(packet)
      assert.equal(answer[4], 1)
    }
  })
  assert.deepEqual(
    lamp.packets.map((packet) => [...packet.subarray(6, 11)]),
    wanted,
  )
})
