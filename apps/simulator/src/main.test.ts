import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, until } from './testing.ts'

const MAIN = path.join(import.meta.dirname, 'main.js')

interface Ready {
  ready: true
  addresses: Record<string, string>
  control: string
}

function launch(t: TestContext, flags: string[]) {
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, problems] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (problems += bytes.toString()))
  t.after(async () => {
    child.kill('SIGTERM')
    await ended(child)
  })
  return { child, out: () => out, problems: () => problems }
}

async function ready(t: TestContext, flags: string[]) {
  const launched = launch(t, flags)
  await until('it is ready', () => launched.out().endsWith('\n') || launched.child.exitCode !== null)
  return { ...launched, ready: JSON.parse(launched.out()) as Ready }
}

async function ended(child: ChildProcess): Promise<number | null> {
  await until('it has ended', () => child.exitCode !== null || child.signalCode !== null)
  return child.exitCode
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('it prints one line when all is there, keeps ports and folder, and SIGTERM ends it cleanly', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'simulator-main-'))
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }))
  const port = await freePort()
  const { child, ready: said } = await ready(t, ['--ports', `relay-1=${port}`, '--pty-dir', dir, '--esphome'])
  assert.equal(said.ready, true)
  assert.equal(said.addresses['relay-1'], `http://127.0.0.1:${port}`)
  assert.equal(said.addresses['sba5'], `serial:${dir}/sba5?baud=19200`)
  assert.ok(said.addresses['esphome-1'])
  assert.equal((await fetch(`${said.control}/devices`)).status, 200)
  const begun = performance.now()
  child.kill('SIGTERM')
  assert.equal(await ended(child), 0)
  assert.ok(performance.now() - begun < 1000)
  assert.deepEqual(fs.readdirSync(dir), [])
  await assert.rejects(connect(said.addresses['relay-1'] ?? ''), /ECONNREFUSED/)
})

test('with --with-parent it ends when its standard input is closed', async (t) => {
  const { child } = await ready(t, ['--with-parent'])
  child.stdin.end()
  assert.equal(await ended(child), 0)
})

test('with --with-parent it ends when the process that started it is killed', async (t) => {
  const script = `
    const child = require('node:child_process').spawn(process.execPath,
      [${JSON.stringify(MAIN)}, '--with-parent'], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.pipe(process.stdout)`
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => parent.kill('SIGKILL'))
  let out = ''
  parent.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  await until('it is ready', () => out.endsWith('\n'))
  const address = (JSON.parse(out) as Ready).addresses['relay-1'] ?? ''
  const connection = await connect(address)
  parent.kill('SIGKILL')
  await until('its connections are gone', () => connection.closed())
})

test('without --with-parent a closed standard input is nothing to it', async (t) => {
  const { child, ready: said } = await ready(t, [])
  child.stdin.end()
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal((await fetch(`${said.control}/devices`)).status, 200)
})

test('mistakes on the command line are told in a sentence', async (t) => {
  const port = launch(t, ['--ports', 'relay-1'])
  assert.equal(await ended(port.child), 1)
  await until('it is told', () => port.problems().includes('Write name=port'))
  const name = launch(t, ['--ports', 'relay-9=8000'])
  assert.equal(await ended(name.child), 1)
  await until('it is told', () => name.problems().includes('there is no board "relay-9" here'))
})
