import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Address, GolemError, type LineDriver, type LineIo, type SerialSettings } from '@golem/core'
import { type Channel, type Link, openLink } from './link.ts'

/** Real pseudo terminals (socat), their other end a socket of this process. */

const folder = mkdtempSync(join(tmpdir(), 'golem-pty-'))
const children: ChildProcess[] = []
const links: Link[] = []
after(async () => {
  for (const link of links) await link.close()
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Cable {
  path: string
  plug: () => Promise<void>
  pull: () => Promise<void>
  received: string[]
}

/** A serial port that can be pulled and plugged in again; behind it an instrument that echoes `A` as `a:A`. */
async function cable(name: string): Promise<Cable> {
  const path = join(folder, name)
  const socketPath = join(folder, `${name}.sock`)
  const received: string[] = []
  let other: Socket | undefined
  const server = createServer((socket) => {
    other = socket
    socket.on('error', () => socket.destroy())
    let piece = ''
    socket.on('data', (bytes) => {
      const lines = (piece + bytes.toString('latin1')).split('\r\n')
      piece = lines.pop() ?? ''
      for (const line of lines) {
        received.push(line)
        socket.write(`a:${line}\r\n`)
      }
    })
  })
  server.listen(socketPath)
  await once(server, 'listening')
  server.unref()
  let child: ChildProcess | undefined
  return {
    path,
    received,
    plug: async () => {
      child = spawn('socat', [`PTY,link=${path},rawer,b19200`, `UNIX-CONNECT:${socketPath}`])
      children.push(child)
      while (!existsSync(path) || !other || other.destroyed) await pause(5)
    },
    pull: async () => {
      if (!child) return
      const gone = once(child, 'exit')
      child.kill()
      await gone
      while (other && !other.destroyed) await pause(5)
    },
  }
}

const driver: LineDriver = {
  transport: 'line',
  link: {
    sendTerminator: '\r\n',
    receiveTerminator: '\r\n',
    replyTimeoutMs: 2000,
    quietMs: 50,
    baudRate: 19_200,
  },
  parameters: {},
  actions: {},
  identify: async (io) => void (await io.ask('who')),
  readAll: async () => ({}),
}

function linkTo(
  path: string,
  settings: SerialSettings = {},
): { channel: Channel; connection: boolean[]; link: Link } {
  const endpoint: Address = { kind: 'serial', path, ...settings }
  const connection: boolean[] = []
  const link = openLink({
    endpoint,
    guard: () => undefined,
    onConnection: (up) => connection.push(up),
  })
  links.push(link)
  return { channel: link.attach({ driver, endpoint }), connection, link }
}

const asking =
  (line: string) =>
  (io: LineIo): Promise<string> =>
    io.ask(line)

function isLinkDown(error: unknown): boolean {
  assert.ok(error instanceof GolemError, String(error))
  assert.equal(error.code, 'LINK_DOWN', error.message)
  return true
}

test('a hundred exchanges over a serial port', async () => {
  const { path, plug } = await cable('many')
  await plug()
  const { channel } = linkTo(path)
  for (let number = 0; number < 100; number += 1) {
    assert.equal(await channel.run('poll', asking(`q${number}`)), `a:q${number}`)
  }
})

test('a port that is not there is LINK_DOWN; pulled and plugged in again it works without a restart', async () => {
  const { path, plug, pull, received } = await cable('pulled')
  const { channel, connection } = linkTo(path)
  await assert.rejects(channel.run('poll', asking('A')), isLinkDown)
  await plug()
  assert.equal(await channel.run('poll', asking('B')), 'a:B')
  await pull()
  while (connection.length < 3) await pause(5)
  await assert.rejects(channel.run('poll', asking('C')), isLinkDown)
  await assert.rejects(channel.run('command', asking('C')), isLinkDown)
  await plug()
  assert.equal(await channel.run('poll', asking('D')), 'a:D')
  assert.deepEqual(connection, [false, true, false, true])
  assert.deepEqual(received, ['who', 'B', 'who', 'D'])
})

test('a second opener of the same port is refused as long as the first has it', async () => {
  const { path, plug } = await cable('shared')
  await plug()
  const first = linkTo(path)
  const second = linkTo(path)
  await first.channel.run('poll', asking('A'))
  await assert.rejects(second.channel.run('poll', asking('B')), (error) => {
    assert.match(String(error), /lock|busy/i)
    return isLinkDown(error)
  })
  await first.link.close()
  assert.equal(await second.channel.run('poll', asking('C')), 'a:C')
})

test('the line is set as the address says, else as the driver says, else 9600 8N1 without flow control', async () => {
  const { path, plug } = await cable('settings')
  await plug()
  /** What a pseudo terminal keeps of it: speed, stop bits and software flow control. */
  const settings = (): string[] => {
    const said = execFileSync('stty', ['-F', path, '-a'], { encoding: 'utf8' })
    return said.match(/speed \d+|-?\bcstopb\b|-?\bixon\b|-?\bixoff\b/g) ?? []
  }
  const given = linkTo(path, { baudRate: 57_600, stopBits: 2, flowControl: 'xonxoff' })
  await given.channel.run('poll', asking('A'))
  assert.deepEqual(settings(), ['speed 57600', 'cstopb', 'ixon', 'ixoff'])
  await given.link.close()
  const usual = linkTo(path)
  await usual.channel.run('poll', asking('B'))
  assert.deepEqual(settings(), ['speed 19200', '-cstopb', '-ixon', '-ixoff'])
})

test('settings that can not be had are told when the port is opened, and it is not left open', async () => {
  const { path, plug } = await cable('impossible')
  await plug()
  const fails = async (settings: SerialSettings, message: RegExp): Promise<void> => {
    await assert.rejects(linkTo(path, settings).channel.run('poll', asking('A')), (error) => {
      assert.match(String(error), message)
      return isLinkDown(error)
    })
  }
  await fails({ parity: 'mark' }, /parity/)
  // A pseudo terminal has no such wires.
  await fails({ dtr: false }, /DTR/)
  assert.equal(await linkTo(path).channel.run('poll', asking('B')), 'a:B')
})
