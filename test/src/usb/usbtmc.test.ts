import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { type Address, GolemError, type LineDriver, type LineIo, parseAddress } from '@golem/core'
import { UsbtmcInstrument, type UsbtmcOptions } from '@golem/simulator'
import { type Channel, type Link, openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { makeTempDir } from '../kit/temp.ts'
import { pretendUsb } from '../kit/usb.ts'

pretendUsb()
const dir = makeTempDir('golem-usb')
after(() => dir.remove())

const WAVEFORM = Buffer.alloc(1_000_000, 'all bytes: \0\n\r#')
const BLOCK = Buffer.concat([Buffer.from('#71000000'), WAVEFORM])

/** An instrument that repeats what comes after "ECHO? ", knows its name and has a waveform. */
function answer(message: string): string | Buffer | null {
  if (message === '*IDN?') return 'GOLEM,USB-1,0,1'
  if (message === 'WAV?') return BLOCK
  const [, text] = /^ECHO\? (.*)$/.exec(message) ?? []
  return text ?? null
}

const driver = (link: Partial<LineDriver['link']> = {}): LineDriver => ({
  transport: 'line',
  link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: 300, quietMs: 10, ...link },
  parameters: {},
  actions: {},
  identify: async (io) => {
    const name = await io.ask('*IDN?')
    if (!name.startsWith('GOLEM')) throw new GolemError('WRONG_INSTRUMENT', name)
  },
  readAll: async () => ({}),
})

let place = 0
let instrument: UsbtmcInstrument
const links: Link[] = []

async function setUp(
  options: Partial<UsbtmcOptions> = {},
  settings: Partial<LineDriver['link']> = {},
): Promise<Channel> {
  instrument = await UsbtmcInstrument.start({
    path: join(dir.path, `usbtmc${(place += 1)}`),
    answer,
    ...options,
  })
  return connect(instrument.address, settings).channel
}

function connect(
  address: string,
  settings: Partial<LineDriver['link']> = {},
): { channel: Channel; told: string[]; link: Link } {
  const endpoint: Address = parseAddress(address)
  const told: string[] = []
  const link = openLink({
    endpoint,
    guard: () => undefined,
    onConnection: (_up, message) => told.push(message),
  })
  links.push(link)
  return { channel: link.attach({ driver: driver(settings), endpoint }), told, link }
}

const ask = (channel: Channel, line: string, timeoutMs?: number): Promise<string> =>
  channel.run('command', (io: LineIo) => io.ask(line, timeoutMs === undefined ? {} : { timeoutMs }))
const code = (wanted: string) => (error: unknown) => error instanceof GolemError && error.code === wanted
/** The helper processes of this test. */
const helpers = (): number[] =>
  execFileSync('/bin/sh', [
    '-c',
    `ps -eo pid,stat,args | grep -F 'device-file.py usbtmc ${dir.path}/' || true`,
  ])
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !/^\s*\d+ Z|grep/.test(line))
    .map((line) => parseInt(line, 10))

before(() => assert.deepEqual(helpers(), []))
afterEach(async () => {
  for (const link of links.splice(0)) await link.close()
  await instrument?.close()
  assert.deepEqual(helpers(), [], 'a helper was left behind')
})

test('a question is answered, and what has no answer is not read', async () => {
  const channel = await setUp()
  assert.equal(await ask(channel, 'ECHO? one'), 'one')
  await channel.run('command', (io: LineIo) => io.send('OUTP ON'))
  assert.equal(await ask(channel, 'ECHO? two'), 'two')
  assert.deepEqual(instrument.messages, ['*IDN?', 'ECHO? one', 'OUTP ON', 'ECHO? two'])
  assert.deepEqual(instrument.counters, { clears: 1, aborts: 0, interrupted: 0 })
})

test('an answer whose end is only marked on the bus, and one in many transfers, are whole', async () => {
  for (const options of [{ terminator: '' }, { maxTransfer: 3 }, { maxTransfer: 1, terminator: '\r\n' }]) {
    const channel = await setUp(options)
    assert.equal((await ask(channel, 'ECHO? a longer answer')).trimEnd(), 'a longer answer')
    assert.equal((await ask(channel, 'ECHO? next')).trimEnd(), 'next')
    await instrument.close()
  }
})

test('a megabyte comes as it is, in 64 KiB pieces and in small ones', async () => {
  for (const maxTransfer of [undefined, 5000]) {
    const channel = await setUp(maxTransfer === undefined ? {} : { maxTransfer })
    const complete = (bytes: Uint8Array): number | undefined =>
      bytes.length > BLOCK.length ? bytes.length : undefined
    const got = await channel.run('command', (io: LineIo) =>
      io.askBytes(Buffer.from('WAV?\n'), { complete, maxBytes: 2_000_000, timeoutMs: 5000 }),
    )
    assert.ok(Buffer.from(got).equals(Buffer.concat([BLOCK, Buffer.from('\n')])))
    assert.equal(await ask(channel, 'ECHO? in step'), 'in step')
    await instrument.close()
  }
})

test('an answer that comes too late is never the next one; the instrument is cleared instead', async () => {
  const channel = await setUp()
  for (let n = 0; n < 3; n += 1) {
    instrument.setFault({ kind: 'late', ms: 330 + n * 40, times: 1, match: /LATE/ })
    await assert.rejects(ask(channel, `ECHO? LATE${n}`), code('REPLY_TIMEOUT'))
    assert.equal(await ask(channel, `ECHO? ${n}`), String(n))
  }
  assert.deepEqual(instrument.counters, { clears: 4, aborts: 3, interrupted: 0 })
})

test('a question has its own time: a slow one is waited for, and the time-out of the next is short again', async () => {
  const channel = await setUp()
  instrument.setFault({ kind: 'late', ms: 800, times: 1, match: /SLOW/ })
  assert.equal(await ask(channel, 'ECHO? SLOW', 3000), 'SLOW')
  instrument.setFault({ kind: 'silence', times: 1, match: /MUTE/ })
  const begun = performance.now()
  await assert.rejects(ask(channel, 'ECHO? MUTE'), code('REPLY_TIMEOUT'))
  assert.equal(await ask(channel, 'ECHO? back'), 'back')
  assert.ok(performance.now() - begun < 2500)
})

test('what breaks the rules of the bus ends the exchange at once with a reason, and the next one works', async () => {
  const channel = await setUp()
  for (const kind of ['stall', 'wrongTag', 'tooMuch', 'garbage'] as const) {
    instrument.setFault({ kind, times: 1, match: /ECHO/ })
    await assert.rejects(
      ask(channel, `ECHO? ${kind}`),
      (error) => code('LINK_LOST')(error) && /cleared/.test(String(error)),
    )
    assert.equal(await ask(channel, 'ECHO? again'), 'again', kind)
  }
})

test('on an old kernel, without time-outs and marks of its own, it works all the same', async () => {
  const channel = await setUp({ oldKernel: true })
  assert.equal(await ask(channel, 'ECHO? old'), 'old')
  const complete = (bytes: Uint8Array): number | undefined =>
    bytes.length > BLOCK.length ? bytes.length : undefined
  const got = await channel.run('command', (io: LineIo) =>
    io.askBytes(Buffer.from('WAV?\n'), { complete, maxBytes: 2_000_000, timeoutMs: 5000 }),
  )
  assert.equal(got.length, BLOCK.length + 1)
  instrument.setFault({ kind: 'late', ms: 600, times: 1, match: /LATE/ })
  await assert.rejects(ask(channel, 'ECHO? LATE'), code('REPLY_TIMEOUT'))
  assert.equal(await ask(channel, 'ECHO? next', 2000), 'next')
})

test('pulled out it is lost at once, also in the middle of an exchange; plugged in again it is back', async () => {
  const channel = await setUp()
  assert.equal(await ask(channel, 'ECHO? 1'), '1')
  instrument.setFault({ kind: 'silence', match: /MUTE/ })
  const waiting = ask(channel, 'ECHO? MUTE', 20_000)
  await eventually(() => instrument.messages.includes('ECHO? MUTE'), { what: 'it was asked' })
  await instrument.unplug()
  await assert.rejects(waiting, (error) => code('LINK_LOST')(error) && /unplugged/.test(String(error)))
  await assert.rejects(
    ask(channel, 'ECHO? 2'),
    (error) => code('LINK_DOWN')(error) && /plugged in/.test(String(error)),
  )
  await instrument.replug()
  assert.equal(await ask(channel, 'ECHO? 3'), '3')
  assert.ok(!instrument.messages.includes('ECHO? 2'))
})

test('a helper that is killed is a lost connection, and there is a new one for the next exchange', async () => {
  const channel = await setUp()
  assert.equal(await ask(channel, 'ECHO? 1'), '1')
  instrument.setFault({ kind: 'silence', times: 1, match: /MUTE/ })
  const waiting = ask(channel, 'ECHO? MUTE', 20_000)
  await eventually(() => instrument.messages.includes('ECHO? MUTE'), { what: 'it was asked' })
  for (const pid of helpers()) process.kill(pid, 'SIGKILL')
  await assert.rejects(waiting, (error) => code('LINK_LOST')(error) && /SIGKILL/.test(String(error)))
  assert.equal(await ask(channel, 'ECHO? 2'), '2')
})

test('a second program is told that the file is taken, and gets it when the first one ends', async () => {
  const channel = await setUp()
  assert.equal(await ask(channel, 'ECHO? mine'), 'mine')
  const second = connect(instrument.address)
  await assert.rejects(
    ask(second.channel, 'ECHO? yours'),
    (error) => code('LINK_DOWN')(error) && /another program has it open/.test(String(error)),
  )
  assert.equal(await ask(channel, 'ECHO? still mine'), 'still mine')
  assert.ok(!instrument.messages.includes('ECHO? yours'))
  await links[0]?.close()
  assert.equal(await ask(second.channel, 'ECHO? yours'), 'yours')
})

test('a stop interrupts what runs and is sent as soon as the bus is free', async () => {
  const channel = await setUp()
  await ask(channel, 'ECHO? ready')
  instrument.setFault({ kind: 'silence', times: 1, match: /MUTE/ })
  const running = ask(channel, 'ECHO? MUTE', 1000)
  await eventually(() => instrument.messages.includes('ECHO? MUTE'), { what: 'it was asked' })
  const stopped = channel.run('stop', (io: LineIo) => io.send('OUTP OFF'))
  await assert.rejects(running, code('INTERRUPTED'))
  await stopped
  await eventually(() => instrument.messages.at(-1) === 'OUTP OFF', {
    what: 'the stop has arrived',
    timeoutMs: 3000,
  })
  assert.equal(await ask(channel, 'ECHO? after'), 'after')
})

test('an instrument that does not become clear is not waited for for ever', async () => {
  const channel = await setUp()
  await ask(channel, 'ECHO? ready')
  instrument.setFault({ kind: 'stuck' })
  await links[0]?.close()
  const again = connect(instrument.address)
  const first = await ask(again.channel, 'ECHO? x').then(
    (text) => text,
    (error: unknown) => error,
  )
  assert.ok(first === 'x' || code('LINK_DOWN')(first), String(first))
  instrument.setFault(null)
  assert.equal(await ask(again.channel, 'ECHO? y'), 'y')
})

test('a file of another kind, a missing one and an instrument that is not there are refused in words', async () => {
  await setUp()
  const plain = join(dir.path, 'plain')
  writeFileSync(plain, '')
  for (const [path, words] of [
    [plain, /another kind of file/],
    [join(dir.path, 'nothing'), /no such file: is it switched on and plugged in/],
  ] as const) {
    const { channel } = connect(`usbtmc:${path}`)
    await assert.rejects(
      ask(channel, 'ECHO? x'),
      (error) => error instanceof GolemError && words.test(error.message),
    )
  }
  const { channel } = connect('usbtmc:16c0:03e8:NOT-THERE')
  await assert.rejects(
    ask(channel, 'x'),
    (error) => code('LINK_DOWN')(error) && /no such instrument/.test(String(error)),
  )
})

test('when its parent dies, however, the helper dies, also while it waits for an answer', async () => {
  await setUp()
  instrument.setFault({ kind: 'silence', match: /ECHO/ })
  const program = `
    import { openLink } from '@golem/transports'
    const endpoint = { kind: 'usbtmc', path: process.argv[1] }
    const link = openLink({ endpoint, guard: () => undefined })
    const driver = { transport: 'line', link: { sendTerminator: '\\n', receiveTerminator: '\\n', replyTimeoutMs: 60000, quietMs: 10 },
      parameters: {}, actions: {}, identify: async () => undefined, readAll: async () => ({}) }
    await link.attach({ driver, endpoint }).run('command', (io) => io.ask('ECHO? x'))`
  const path = instrument.address.slice('usbtmc:'.length)
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
    stdio: 'inherit',
    cwd: import.meta.dirname,
  })
  await eventually(() => instrument.messages.includes('ECHO? x'), { what: 'it was asked' })
  assert.equal(helpers().length, 1)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await eventually(() => helpers().length === 0, { what: 'the helper has ended' })
})

test("10 000 exchanges: each answer has its question's number, nothing is lost, nothing doubled", async () => {
  const channel = await setUp({}, { replyTimeoutMs: 5000 })
  const count = 10_000
  for (let n = 0; n < count; n += 1) assert.equal(await ask(channel, `ECHO? ${n}`), String(n))
  const asked = instrument.messages.filter((message) => message.startsWith('ECHO'))
  assert.deepEqual(
    asked,
    Array.from({ length: count }, (_, n) => `ECHO? ${n}`),
  )
  assert.equal(instrument.counters.interrupted, 0)
})
