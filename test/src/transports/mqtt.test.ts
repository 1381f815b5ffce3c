import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import {
  type Fault,
  GolemError,
  type MqttDriver,
  type MqttIo,
  parseAddress,
  type Readings,
  type Value,
} from '@golem/core'
import { type Channel, type Link, openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts'

const broker: Mosquitto = await startMosquitto()
const links: Link[] = []
after(async () => {
  for (const link of links) await link.close()
  await broker.close()
})
let round = 0
let base = ''
beforeEach(() => {
  round += 1
  base = `lab/device-${round}`
})

interface Device {
  link: Link
  channel: Channel
  readings: Readings[]
  latest: Record<string, Value | Fault>
}

/** A device that tells `value`, and is switched by `set`. */
function driver(over: Partial<MqttDriver> = {}): MqttDriver {
  return {
    transport: 'mqtt',
    link: { replyTimeoutMs: 1000 },
    parameters: {},
    actions: {},
    subscriptions: ['value'],
    identify: async () => undefined,
    readAll: async () => ({}),
    onMessage: (_topic, payload, retained) => (retained ? undefined : { value: payload }),
    ...over,
  }
}

function device(
  over: Partial<MqttDriver> = {},
  {
    url = broker.url,
    guard = (): void => undefined,
    auth = null as { user: string; password: string } | null,
  } = {},
): Device {
  const endpoint = parseAddress(`${url}/${base}`)
  const link = openLink({ endpoint, guard })
  links.push(link)
  const readings: Readings[] = []
  const latest: Record<string, Value | Fault> = {}
  const onReadings = (found: Readings): void => {
    readings.push(found)
    Object.assign(latest, found)
  }
  return {
    link,
    channel: link.attach({ driver: driver(over), endpoint, auth, onReadings }),
    readings,
    latest,
  }
}

const poll = (channel: Channel): Promise<unknown> => channel.run('poll', async () => undefined)
const say = (payload: string) => (io: MqttIo) => io.publish('set', payload)
const failsWith =
  (code: string, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof GolemError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }

test('messages become readings; topics are below that of the address, or have it in their middle', async () => {
  const heard: [string, string][] = []
  const { channel } = device({
    subscriptions: ['value', 'tele/{topic}/SENSOR', 'many/+/x'],
    onMessage: (topic, payload) => {
      heard.push([topic, payload])
      return undefined
    },
  })
  await poll(channel)
  await broker.publish(`${base}/value`, 'a')
  await broker.publish(`tele/${base}/SENSOR`, 'b')
  await broker.publish(`${base}/many/7/x`, 'c')
  await broker.publish(`${base}/many/7/y`, 'd')
  await broker.publish('value', 'e')
  await eventually(() => heard.length >= 3, { what: 'three messages came' })
  assert.deepEqual(heard, [
    ['value', 'a'],
    ['tele/{topic}/SENSOR', 'b'],
    ['many/7/x', 'c'],
  ])
  const { messages } = await broker.listen('#')
  await channel.run('command', async (io: MqttIo) => {
    await io.publish('set', '1')
    await io.publish('cmnd/{topic}/POWER', '2')
  })
  await eventually(() => messages.length === 2, { what: 'two commands came' })
  assert.deepEqual(messages, [
    { topic: `${base}/set`, payload: '1' },
    { topic: `cmnd/${base}/POWER`, payload: '2' },
  ])
})

test('of 10 000 numbered messages none is lost and the newest value stays', async () => {
  const { channel, readings, latest } = device()
  await poll(channel)
  const numbers = Array.from({ length: 10_000 }, (_, n) => String(n))
  await broker.publishLines(`${base}/value`, numbers)
  await eventually(() => latest['value'] === '9999', { what: 'the last one came', timeoutMs: 60_000 })
  assert.deepEqual(
    readings.map(({ value }) => value),
    numbers,
  )
})

test('2 000 commands come once each, in their order', async () => {
  const { channel } = device()
  const { messages } = await broker.listen(`${base}/set`)
  let passed = 0
  for (let n = 0; n < 2000; n += 1) {
    await channel.run('command', say(String(n)), {
      beforeSend: () => {
        passed += 1
      },
    })
  }
  await eventually(() => messages.length >= 2000, { what: 'all came', timeoutMs: 30_000 })
  assert.equal(passed, 2000)
  assert.deepEqual(
    messages.map(({ payload }) => payload),
    Array.from({ length: 2000 }, (_, n) => String(n)),
  )
})

test('what the broker has kept is marked, and with availability counts only while the device is there', async () => {
  await broker.publish(`${base}/value`, 'old', { retain: true })
  await broker.publish(`${base}/status`, 'offline', { retain: true })
  const heard: [string, boolean][] = []
  const { channel } = device({
    availability: { topic: 'status', online: 'online', offline: 'offline' },
    onMessage: (_topic, payload, retained) => {
      heard.push([payload, retained])
      return undefined
    },
  })
  await eventually(() => poll(channel).then(() => false, failsWith('LINK_DOWN', /good-bye/)), {
    what: 'the last will is known',
  })
  await assert.rejects(channel.run('command', say('1')), failsWith('LINK_DOWN', /good-bye/))
  assert.deepEqual(heard, [])
  await broker.publish(`${base}/status`, '{"state":"online"}')
  await eventually(() => heard.length > 0, { what: 'the kept value is handed over' })
  await poll(channel)
  await broker.publish(`${base}/value`, 'new')
  await eventually(() => heard.length > 1, { what: 'the new value is handed over' })
  assert.deepEqual(heard, [
    ['old', true],
    ['new', false],
  ])
})

test('a stop publishes although the device has said good-bye', async () => {
  await broker.publish(`${base}/status`, 'offline', { retain: true })
  const { messages } = await broker.listen(`${base}/set`)
  const { channel } = device({ availability: { topic: 'status', online: 'online', offline: 'offline' } })
  await channel.run('stop', say('0'))
  await eventually(() => messages.length === 1, { what: 'it came' })
})

test('a client that dies is told by its last will; silence is REPLY_TIMEOUT for polls and LINK_DOWN for commands', async () => {
  const { channel } = device({
    availability: { topic: 'status', online: 'online', offline: 'offline' },
    silenceMs: 400,
  })
  const client = await broker.withWill(`${base}/status`, 'offline')
  await poll(channel)
  await broker.publish(`${base}/status`, 'online')
  await broker.publish(`${base}/value`, '1')
  await poll(channel)
  client.kill()
  await eventually(() => poll(channel).then(() => false, failsWith('LINK_DOWN', /good-bye/)), {
    what: 'the last will is told',
  })
  await broker.publish(`${base}/status`, 'online')
  await eventually(() => poll(channel).then(() => true), { what: 'it is back' })
  await eventually(
    () => poll(channel).then(() => false, failsWith('REPLY_TIMEOUT', /Nothing has been heard.*for \d+ s/)),
    { what: 'it is silent' },
  )
  await assert.rejects(channel.run('command', say('1')), failsWith('LINK_DOWN', /Nothing has been heard/))
})

test('a confirmation may come before or after the acknowledgement of the broker; none is REPLY_TIMEOUT', async () => {
  const { channel } = device({ link: { replyTimeoutMs: 300 } })
  const confirmed = (io: MqttIo): Promise<string> =>
    io.expect('value', { accept: (payload) => payload === 'on' })
  await broker.publish(`${base}/value`, 'on', { retain: true })
  await assert.rejects(
    channel.run('command', async (io: MqttIo) => {
      await io.publish('set', 'on')
      return confirmed(io)
    }),
    failsWith('REPLY_TIMEOUT', /brought no answer within 300 ms/),
  )
  const answer = await channel.run('command', async (io: MqttIo) => {
    await io.publish('set', 'on')
    await broker.publish(`${base}/value`, 'off')
    await broker.publish(`${base}/value`, 'on')
    await io.sleep(50)
    return confirmed(io)
  })
  assert.equal(answer, 'on')
})

test('guard and beforeSend run before a command goes out; what they throw is the result and nothing is published', async () => {
  let held = true
  const { channel } = device(
    {},
    {
      guard: () => {
        if (!held) throw new GolemError('LEASE_LOST', 'another worker owns this link')
      },
    },
  )
  await poll(channel)
  const { messages } = await broker.listen(`${base}/set`)
  const late = {
    beforeSend: (): void => {
      throw new GolemError('COMMAND_EXPIRED', 'too late')
    },
  }
  await assert.rejects(channel.run('command', say('1'), late), failsWith('COMMAND_EXPIRED'))
  held = false
  await assert.rejects(channel.run('command', say('2')), failsWith('LEASE_LOST'))
  held = true
  await channel.run('command', say('3'))
  await eventually(() => messages.length > 0, { what: 'one came' })
  assert.deepEqual(messages, [{ topic: `${base}/set`, payload: '3' }])
})

test('without the guard no connection is opened, and none after close', async () => {
  const { channel, link } = device(
    {},
    {
      guard: () => {
        throw new GolemError('LEASE_LOST', 'another worker owns this link')
      },
    },
  )
  await assert.rejects(poll(channel), failsWith('LEASE_LOST'))
  await link.close()
  await assert.rejects(poll(channel), failsWith('WORKER_STOPPING'))
})

test('1 MB is taken, more is REPLY_MALFORMED at the next poll, and a driver that throws is INTERNAL there', async () => {
  const { channel, latest } = device({
    onMessage: (_topic, payload) => {
      if (payload === 'bang') throw new Error('no such thing')
      return { value: payload.length }
    },
  })
  await poll(channel)
  await broker.publish(`${base}/value`, 'x'.repeat(1024 * 1024))
  await eventually(() => latest['value'] === 1024 * 1024, { what: '1 MB came' })
  await broker.publish(`${base}/value`, 'x'.repeat(1024 * 1024 + 1))
  await eventually(() => poll(channel).then(() => false, failsWith('REPLY_MALFORMED', /1048577 bytes/)), {
    what: 'it was too much',
  })
  await broker.publish(`${base}/value`, 'bang')
  await eventually(() => poll(channel).then(() => false, failsWith('INTERNAL', /no such thing/)), {
    what: 'it is told',
  })
  await poll(channel)
})

test('two links have clients of their own, and a stop on one device leaves the next one of its broker alone', async () => {
  const a = device()
  const endpoint = parseAddress(`${broker.url}/${base}/second`)
  const second = a.link.attach({ driver: driver(), endpoint })
  const b = device()
  await Promise.all([poll(a.channel), poll(b.channel), poll(second)])
  const slow = second.run('command', async (io: MqttIo) => {
    await io.publish('set', 'slow')
    await io.sleep(300)
    return 'whole'
  })
  await a.channel.run('stop', say('0'))
  await b.channel.run('command', say('1'))
  assert.equal(await slow, 'whole')
  await broker.publish(`${base}/value`, 'both')
  await eventually(() => a.latest['value'] === 'both' && b.latest['value'] === 'both', {
    what: 'both heard it',
  })
})

test('the password is used; a wrong one is LINK_DOWN and says what to do', async () => {
  const locked = await startMosquitto({ user: 'lab', password: 'pä:ss' })
  try {
    const good = device({}, { url: locked.url, auth: { user: 'lab', password: 'pä:ss' } })
    await poll(good.channel)
    await locked.publish(`${base}/value`, 'secret')
    await eventually(() => good.latest['value'] === 'secret', { what: 'it came' })
    const bad = device({}, { url: locked.url, auth: { user: 'lab', password: 'guess' } })
    await assert.rejects(poll(bad.channel), failsWith('LINK_DOWN', /check "auth"/))
    assert.throws(
      () => bad.link.attach({ driver: driver(), endpoint: parseAddress(`${locked.url}/x`), auth: null }),
      failsWith('CONFIG_INVALID', /one connection/),
    )
    await good.link.close()
    await bad.link.close()
  } finally {
    await locked.close()
  }
})

test('a broker that is killed: what was not acknowledged is not published again; messages come again by themselves', async () => {
  const { channel, latest } = device({ link: { replyTimeoutMs: 5000 } })
  await poll(channel)
  broker.freeze()
  const sent = channel.run('command', say('lost'))
  const outcome = assert.rejects(sent, failsWith('LINK_LOST'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  await broker.kill()
  await outcome
  await assert.rejects(poll(channel), failsWith('LINK_DOWN'))
  await assert.rejects(channel.run('command', say('not sent')), failsWith('LINK_DOWN'))
  await broker.start()
  const { messages } = await broker.listen(`${base}/set`)
  // Nobody polls: the link comes back by itself.
  await eventually(
    async () => {
      await broker.publish(`${base}/value`, 'again')
      return latest['value'] === 'again'
    },
    { what: 'messages come again', timeoutMs: 20_000 },
  )
  await channel.run('command', say('after'))
  await eventually(() => messages.length > 0, { what: 'the next command came' })
  assert.deepEqual(messages, [{ topic: `${base}/set`, payload: 'after' }])
})

test('a frozen broker: a command is REPLY_TIMEOUT; when it goes on nothing comes twice', async () => {
  const { channel } = device({ link: { replyTimeoutMs: 300 } })
  await poll(channel)
  const { messages } = await broker.listen(`${base}/set`)
  broker.freeze()
  try {
    await assert.rejects(channel.run('command', say('1')), failsWith('REPLY_TIMEOUT', /not acknowledged/))
  } finally {
    broker.resume()
  }
  await eventually(() => poll(channel).then(() => true), { what: 'it is back', timeoutMs: 20_000 })
  await channel.run('command', say('2'))
  await eventually(() => messages.some(({ payload }) => payload === '2'), { what: 'the second command came' })
  assert.ok(messages.filter(({ payload }) => payload === '1').length <= 1)
  assert.equal(messages.filter(({ payload }) => payload === '2').length, 1)
})

test('a broker that is not there is LINK_DOWN, and beforeSend is not called', async () => {
  const { channel } = device({}, { url: 'mqtt://127.0.0.1:1' })
  let called = false
  const run = channel.run('command', say('1'), {
    beforeSend: () => {
      called = true
    },
  })
  await assert.rejects(run, failsWith('LINK_DOWN', /ECONNREFUSED/))
  assert.equal(called, false)
})
