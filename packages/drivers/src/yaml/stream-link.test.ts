import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, GolemError, type LineDriver, type LineIo, type Readings, type Value } from '@golem/core'
import { type Channel, type Link, openLink } from '@golem/transports'
import type { Answerer } from './simulation.ts'
import { lineDriver, serve, type Served } from './testing.ts'

const FRAMES = `stream:
  format: frame
  header: FF 86
  length: 9
  checksum: { kind: complement, from: 1, to: 7, at: 8 }
silence: 300 ms
parameters:
  co2: { label: CO2, type: integer, unit: ppm, from: { byte: 2, as: uint16 } }
`

/** A frame of a CO2 sensor, as the wire has it. */
function frame(ppm: number): Buffer {
  const bytes = Buffer.from([0xff, 0x86, ppm >> 8, ppm & 255, 0, 0, 0, 0, 0])
  bytes[8] = (256 - (bytes.subarray(1, 8).reduce((sum, byte) => sum + byte, 0) & 255)) & 255
  return bytes
}

/** Nobody answers: what comes is what the test says. */
const mute: Answerer = {
  receive: () => [],
  answer: () => null,
  state: {},
  set: () => undefined,
  reset: () => undefined,
  greeting: null,
  talks: null,
}

interface Bench {
  served: Served
  link: Link
  channel: Channel
  came: Record<string, Value | Fault>
  poll: () => Promise<Readings>
}

async function bench(body: string): Promise<Bench> {
  const driver: LineDriver = lineDriver(body, 'stream')
  const served = await serve(mute)
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port: served.port } as const
  const link = openLink({ endpoint, guard: () => undefined })
  const came: Record<string, Value | Fault> = {}
  const onReadings = (found: Readings): void => void Object.assign(came, found)
  const channel = link.attach({ driver, endpoint, onReadings })
  const poll = (): Promise<Readings> =>
    channel.run('poll', async (io: LineIo) => {
      const found = await driver.readAll(io, new Set())
      onReadings(found)
      return found
    })
  return { served, link, channel, came, poll }
}

/** Says it again and again while `work` runs. */
async function saying<T>(
  { served }: Bench,
  bytes: () => Uint8Array,
  everyMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setInterval(() => served.say(bytes()), everyMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not happen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('frames between garbage, in halves and with wrong checksums: only whole ones count', async () => {
  const stand = await bench(FRAMES)
  try {
    await saying(stand, () => frame(400), 40, stand.poll)
    const wrong = frame(9999)
    wrong[8] = (wrong[8] ?? 0) ^ 1
    stand.served.say(Buffer.concat([Buffer.from('garbage'), wrong, frame(500), frame(7777).subarray(0, 5)]))
    await until(() => stand.came['co2'] === 500)
    const seen = new Set<unknown>()
    await saying(
      stand,
      () => frame(600),
      10,
      () =>
        until(() => {
          seen.add(stand.came['co2'])
          return stand.came['co2'] === 600
        }),
    )
    assert.ok(!seen.has(9999) && !seen.has(7777))
  } finally {
    await stand.link.close()
    await stand.served.close()
  }
})

test('silence makes a poll fail at once; when it talks again it is there again', async () => {
  const stand = await bench(FRAMES)
  try {
    await saying(stand, () => frame(400), 40, stand.poll)
    await new Promise((resolve) => setTimeout(resolve, 400))
    const started = performance.now()
    await assert.rejects(
      stand.poll(),
      (error) => error instanceof GolemError && error.code === 'REPLY_TIMEOUT',
    )
    assert.ok(performance.now() - started < 200)
    await saying(stand, () => frame(450), 40, stand.poll)
    assert.equal(stand.came['co2'], 450)
  } finally {
    await stand.link.close()
    await stand.served.close()
  }
})

test('lines without a pause, cut at the first: it is recognised, and the cut number never shows', async () => {
  const stand = await bench(`stream: { format: pattern, patterns: ['^(?<t>[0-9.]+)$'] }
silence: 1 s
parameters:
  t: { label: T, type: number }
`)
  try {
    const seen = new Set<unknown>()
    stand.served.say(Buffer.from('5\n'))
    await saying(
      stand,
      () => Buffer.from('121.5\n'),
      5,
      async () => {
        await stand.poll()
        await until(() => {
          seen.add(stand.came['t'])
          return stand.came['t'] !== undefined
        })
      },
    )
    assert.deepEqual(
      [...seen].filter((value) => value !== undefined),
      [121.5],
    )
  } finally {
    await stand.link.close()
    await stand.served.close()
  }
})
