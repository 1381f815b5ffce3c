/**
 * Runs inside the machine that `usb.test.ts` boots: golem's links to a real /dev/usbtmcN and a real /dev/hidrawN of
 * Debian's kernel. Prints a line for each check that passed; ends with code 0 when all did.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { type Driver, GolemError, type HidDriver, type HidIo, type LineIo, parseAddress } from '@golem/core'
import { builtIn } from '@golem/drivers'
import { Tc420Device } from '@golem/simulator'
import { type Channel, type Link, openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'

const EXCHANGES = Number(process.argv[2] ?? 1000)
const BLOCK = Buffer.concat([Buffer.from('#71000000'), Buffer.alloc(1_000_000, 'all bytes: \0\n\r#')])
const rig = (...args: string[]): string[] =>
  execFileSync(join(ROOT, 'test', 'kit', 'usb-rig'), args, { encoding: 'utf8' })
    .trim()
    .split('\n')
const code = (wanted: string) => (error: unknown) => error instanceof GolemError && error.code === wanted
const links: Link[] = []

function connect(address: string, driver: Driver): Channel {
  const endpoint = parseAddress(address)
  const link = openLink({ endpoint, guard: () => undefined })
  links.push(link)
  return link.attach({ driver, endpoint })
}

async function check(what: string, run: () => Promise<void>): Promise<void> {
  const begun = performance.now()
  await run()
  process.stdout.write(`ok ${what} (${Math.round(performance.now() - begun)} ms)\n`)
}

/** Opens a device file in the sandbox of the worker's unit. @returns false when that is not permitted */
function opensInSandbox(path: string, allow: readonly string[]): boolean {
  const properties = ['DevicePolicy=closed', ...allow].flatMap((line) => ['-p', line])
  const program = `open(${JSON.stringify(path)}, 'r+b', 0)`
  const args = ['--quiet', '--wait', '--pipe', ...properties, '/usr/bin/python3', '-c', program]
  return spawnSync('systemd-run', args).status === 0
}

function checkSandbox(path: string): Promise<void> {
  const unit = readFileSync(join(ROOT, 'deploy', 'systemd', 'golem-worker@.service'), 'utf8')
  const allow = unit.split('\n').filter((line) => line.startsWith('DeviceAllow='))
  return check(`${path} can be opened in the sandbox of a worker, and only by its DeviceAllow=`, async () => {
    assert.ok(opensInSandbox(path, allow))
    assert.ok(!opensInSandbox(path, []))
  })
}

async function usbtmc(): Promise<void> {
  const messages: string[] = []
  const server = net.createServer((socket) => {
    let kept = ''
    socket.setEncoding('latin1').on('error', () => socket.destroy())
    socket.on('data', (text: string) => {
      const lines = (kept + text).split('\n')
      kept = lines.pop() ?? ''
      for (const line of lines) {
        messages.push(line)
        const [, word = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? []
        if (word === '*IDN?') socket.write('GOLEM,USB,1\n')
        if (word === 'ECHO?') socket.write(`${rest}\n`)
        if (word === 'LATE?') setTimeout(() => socket.write(`${rest}\n`), 2500)
        if (word === 'WAV?') socket.write(BLOCK)
      }
    })
  })
  await once(server.listen('/run/instrument'), 'listening')
  const [path = ''] = rig('plug', 'dmm', '--tmc', '/run/instrument')
  await checkSandbox(path)
  const driver: Driver = {
    transport: 'line',
    link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: 1500, quietMs: 50 },
    parameters: {},
    actions: {},
    identify: async (io) => assert.equal(await io.ask('*IDN?'), 'GOLEM,USB,1'),
    readAll: async () => ({}),
  }
  const channel = connect('usbtmc:16c0:03e8:SN-dmm', driver)
  const ask = (line: string): Promise<string> => channel.run('command', (io: LineIo) => io.ask(line))

  await check(`${path}: ${EXCHANGES} exchanges with their numbers`, async () => {
    for (let n = 0; n < EXCHANGES; n += 1) assert.equal(await ask(`ECHO? ${n}`), String(n))
    assert.equal(messages.length, EXCHANGES + 1)
  })
  await check('a command without an answer is not read', async () => {
    await channel.run('command', (io: LineIo) => io.send('OUTP ON'))
    assert.equal(await ask('ECHO? in step'), 'in step')
  })
  await check('1 MB in a block', async () => {
    const complete = (bytes: Uint8Array): number | undefined =>
      bytes.length >= BLOCK.length ? BLOCK.length : undefined
    const got = await channel.run('command', (io: LineIo) =>
      io.askBytes(Buffer.from('WAV?\n'), { complete, maxBytes: 2_000_000, timeoutMs: 60_000 }),
    )
    assert.ok(BLOCK.equals(got))
    assert.equal(await ask('ECHO? in step'), 'in step')
  })
  await check('no answer in time, then a late one: aborted, cleared, in step', async () => {
    await assert.rejects(ask('MUTE? x'), code('REPLY_TIMEOUT'))
    assert.equal(await ask('ECHO? 1'), '1')
    await assert.rejects(ask('LATE? old'), code('REPLY_TIMEOUT'))
    assert.equal(await ask('ECHO? 2'), '2')
  })
  await check('a second program is refused', async () => {
    const second = connect('usbtmc:16c0:03e8:SN-dmm', driver)
    const asked = second.run('command', (io: LineIo) => io.ask('ECHO? mine'))
    await assert.rejects(asked, (error) => code('LINK_DOWN')(error) && /another program/.test(String(error)))
  })
  await check('pulled out while an answer is waited for, plugged in again', async () => {
    const waiting = channel.run('command', (io: LineIo) => io.ask('MUTE? y', { timeoutMs: 60_000 }))
    await eventually(() => messages.includes('MUTE? y'), { what: 'it was asked', timeoutMs: 30_000 })
    const lost = assert.rejects(waiting, code('LINK_LOST'))
    rig('unplug', 'dmm')
    await lost
    await assert.rejects(ask('ECHO? nothing'), code('LINK_DOWN'))
    rig('replug', 'dmm')
    assert.equal(await eventually(() => ask('ECHO? back'), { what: 'it is back', timeoutMs: 30_000 }), 'back')
  })
  server.close()
}

async function hid(): Promise<void> {
  const lamp = await Tc420Device.start({ path: '/run/lamp', playMs: 60_000 })
  const [path = ''] = rig('plug', 'lamp', '--hid', '/run/lamp', '--id', '0888:4000')
  await checkSandbox(path)
  const driver = builtIn.find(({ id }) => id === 'tc420')?.create({}) as HidDriver
  const channel = connect('hid:0888:4000', driver)
  const set = (number: number, percent: number): Promise<void> =>
    channel.run('command', (io: HidIo) => driver.parameters[`channel${number}`]!.write!(io, percent))

  await check(`${path}: a TC420 takes channels and holds them`, async () => {
    await set(2, 40)
    assert.deepEqual(lamp.light, [0, 40, 0, 0, 0])
    const readings = await channel.run('poll', (io: HidIo) => driver.readAll(io, new Set()))
    assert.equal(readings['channel2'], 40)
  })
  await check('no answer, then in step again', async () => {
    lamp.setFault({ kind: 'deaf', times: 1, command: 0x16 })
    await assert.rejects(set(1, 90), code('REPLY_TIMEOUT'))
    await set(3, 5)
    assert.deepEqual(lamp.light, [0, 40, 5, 0, 0])
  })
  await check('pulled out while an answer is waited for, plugged in again', async () => {
    lamp.setFault({ kind: 'deaf', times: 1, command: 0x16 })
    const waiting = assert.rejects(set(1, 91), code('LINK_LOST'))
    await eventually(() => lamp.packets.some((packet) => packet[6] === 91), { what: 'it was sent' })
    rig('unplug', 'lamp')
    await waiting
    await assert.rejects(set(1, 92), code('LINK_DOWN'))
    rig('replug', 'lamp')
    await eventually(() => set(4, 6).then(() => true), { what: 'it is back', timeoutMs: 30_000 })
    assert.deepEqual(lamp.light, [0, 40, 5, 6, 0])
  })
  await lamp.close()
}

await usbtmc()
await hid()
for (const link of links) await link.close()
process.exit(0)
