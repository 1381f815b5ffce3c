import { GolemError } from '@golem/core'
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, createServer, get } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { prepareDrain } from './drain.ts'
import { siteOf } from './in-memory-site.ts'
import { type RunningWeb, startWeb } from './start.ts'

const log = pino({ level: 'silent' })

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'golem-web-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A Redis of its own on a socket in `dir`. */
async function startRedis(t: TestContext, dir: string): Promise<{ url: string; end: () => Promise<void> }> {
  const socket = join(dir, 'redis.sock')
  const args = ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '', '--appendonly', 'no']
  const child = spawn('/usr/bin/redis-check-rdb', args, { argv0: 'redis-server' })
  const ended = once(child, 'exit')
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  t.after(end)
  for await (const chunk of child.stdout) if (String(chunk).includes('eady to accept')) break
  return { url: `unix://${socket}`, end }
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; await sleep(20)) {
    if (await check()) return
  }
  assert.fail(`not within 15 s: ${what}`)
}

async function isReady(web: RunningWeb): Promise<boolean> {
  return (await fetch(`${web.url}/readyz`)).ok
}

test('a web process refuses to listen for others when nobody said who may come in', async () => {
  const redisUrl = 'unix:///nonexistent'
  const refusal = (error: unknown): boolean =>
    error instanceof GolemError && error.code === 'CONFIG_INVALID' && /auth: none.*tokens/.test(error.message)
  await assert.rejects(startWeb(siteOf([], { listen: '0.0.0.0' }), { redisUrl, log }), refusal)
  await assert.rejects(startWeb(siteOf([]), { redisUrl, log, listen: { host: '0.0.0.0', port: 0 } }), refusal)
})

test('a port that is taken is an error when it was chosen, and another is found when not', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const redisUrl = 'unix:///nonexistent'
  await assert.rejects(
    startWeb(siteOf([], { port }), { redisUrl, log }),
    new RegExp(`port ${port}: another program`),
  )
  const web = await startWeb(siteOf([], { port, portFixed: false }), { redisUrl, log })
  await web.close()
  assert.notEqual(new URL(web.url).port, String(port))
})

test('without Redis the page is served, says so, and nothing hangs', async (t) => {
  const web = await startWeb(siteOf(['relay-1']), { redisUrl: `unix://${folder(t)}/none`, log })
  t.after(() => web.close())
  const state = (await (await fetch(`${web.url}/api/state`)).json()) as { bus: { ok: boolean } }
  assert.equal(state.bus.ok, false)
  const command = await fetch(`${web.url}/api/instruments/relay-1/commands`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"parameter":"relay0","value":true}',
  })
  assert.equal(command.status, 503)
  const stop = await fetch(`${web.url}/api/stop`, { method: 'POST' })
  const problem = (await stop.json()) as { status: number; code: string }
  assert.deepEqual([problem.status, problem.code], [503, 'QUEUE_DOWN'])
  assert.equal((await fetch(`${web.url}/readyz`)).status, 503)
  assert.ok(web.isHealthy())
})

/** Sends bytes as they are. @returns all that comes back */
async function sendRaw(url: string, bytes: string): Promise<string> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  let said = ''
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
  // The server may close before it has read everything.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.write(bytes)
  await closed
  return said
}

test('what is no HTTP, and headers without end, get a problem document too', async (t) => {
  const web = await startWeb(siteOf([]), { redisUrl: `unix://${folder(t)}/none`, log })
  t.after(() => web.close())
  const noise = await sendRaw(web.url, 'hello\r\n\r\n')
  assert.match(noise, /^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"INVALID_REQUEST"/)
  const endless = await sendRaw(
    web.url,
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
  )
  assert.match(endless, /^HTTP\/1\.1 431 [^]*application\/problem\+json/)
  const nameless = await sendRaw(web.url, 'GET /api/state HTTP/1.0\r\n\r\n')
  assert.match(nameless, /^HTTP\/1\.1 403 [^]*"field":"header\.host"/)
})

test('two web processes on one Redis answer each other’s cursors, and both notice when it dies', async (t) => {
  const redis = await startRedis(t, folder(t))
  const options = { redisUrl: redis.url, log }
  const [a, b] = await Promise.all([startWeb(siteOf(['r1']), options), startWeb(siteOf(['r1']), options)])
  t.after(() => Promise.all([a.close(), b.close()]))
  await until('both are ready', async () => (await isReady(a)) && isReady(b))
  const first = (await (await fetch(`${a.url}/api/state`)).json()) as { cursor: string }
  const stop = await fetch(`${a.url}/api/stop`, {
    method: 'POST',
    body: '{"reason":"smoke"}',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(stop.status, 200)
  await until('the other process tells of the stop', async () => {
    const answer = await fetch(`${b.url}/api/state?since=${encodeURIComponent(first.cursor)}`)
    const { stop: state } = (await answer.json()) as { stop: { site: { reason: string } | null } }
    return state.site?.reason === 'smoke'
  })
  const events = (await (await fetch(`${b.url}/api/events?kind=stop`)).json()) as { by: string }[]
  assert.equal(events[0]?.by, 'local')
  await redis.end()
  await until('both say that Redis is away', async () => !(await isReady(a)) && !(await isReady(b)))
  const started = performance.now()
  assert.equal((await fetch(`${a.url}/api/stop`, { method: 'POST' })).status, 503)
  assert.ok(performance.now() - started < 5_000)
})

/** One GET on a kept connection. */
function poll(agent: Agent, port: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ agent, host: '127.0.0.1', port, path: '/' }, (response) => {
      response.resume().on('end', () => resolve(response))
    }).on('error', reject)
  })
}

test('a server that drains answers the next request of each connection and asks to close it', async (t) => {
  const server = createServer((_request, response) => response.end('ok'))
  const drain = prepareDrain(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  assert.equal((await poll(agent, port)).headers.connection, 'keep-alive')
  const drained = drain()
  await sleep(100)
  const last = await poll(agent, port)
  assert.deepEqual([last.statusCode, last.headers.connection], [200, 'close'])
  await drained
  await assert.rejects(poll(agent, port), { code: 'ECONNREFUSED' })
})

test('a server that drains closes connections that stay idle, and finishes what is in flight', async (t) => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let requests = 0
  const server = createServer((_request, response) => {
    requests += 1
    if (requests === 1) response.end('ok')
    else void held.then(() => response.end('late'))
  })
  const drain = prepareDrain(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const idle = new Agent({ keepAlive: true })
  const busy = new Agent({ keepAlive: true })
  t.after(() => {
    idle.destroy()
    busy.destroy()
  })
  await poll(idle, port)
  const late = poll(busy, port)
  await until('the slow request has arrived', () => Promise.resolve(requests === 2))
  const drained = drain()
  await until('the idle connection is closed', () =>
    Promise.resolve(Object.keys(idle.freeSockets).length === 0),
  )
  release()
  assert.equal((await late).statusCode, 200)
  await drained
})

/** A bound socket that this process holds, as systemd does, and takes no connections from. */
function holdSocket(t: TestContext, address: string): { fd: number } {
  const internals = net as unknown as {
    _createServerHandle(address: string, port: number, family: 4): { fd: number; close(): void }
  }
  const handle = internals._createServerHandle(address, 0, 4)
  t.after(() => handle.close())
  return handle
}

/** Starts main.js with a socket handed over as systemd does it. */
function startProcess(t: TestContext, fd: number): ChildProcess {
  const dir = folder(t)
  const file = join(dir, 'site.yaml')
  const instrument = '{ id: r1, label: R1, model: esp32-relay, address: "http://192.0.2.1" }'
  writeFileSync(file, `site: web-test\ninstruments:\n  - ${instrument}\n`)
  // The shell gives its own process id to LISTEN_PID and then becomes the web process.
  const script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$1" --site "$2"'
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  const child = spawn('/bin/sh', ['-c', script, process.execPath, main, file], {
    stdio: ['ignore', 'pipe', 'inherit', fd, 'ipc'],
    env: { ...process.env, REDIS_URL: `unix://${dir}/none`, GOLEM_LOG_LEVEL: 'fatal' },
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

test('a socket that was handed over is refused too when others reach it', async (t) => {
  const child = startProcess(t, holdSocket(t, '0.0.0.0').fd)
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 1)
  assert.match(said, /does not listen on 0\.0\.0\.0/)
})

test('processes that share a socket are replaced one by one without a failed poll', async (t) => {
  const { fd } = holdSocket(t, '127.0.0.1')
  const start = async (): Promise<{ port: number; end: () => Promise<unknown[]> }> => {
    const child = startProcess(t, fd)
    const ended = once(child, 'exit')
    const [message] = (await once(child, 'message')) as [{ ready: boolean; url: string }]
    assert.equal(message.ready, true)
    const end = (): Promise<unknown[]> => {
      child.kill('SIGTERM')
      return ended
    }
    return { port: Number(new URL(message.url).port), end }
  }
  const first = await start()
  const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  t.after(() => agents.forEach((agent) => agent.destroy()))
  let polls = 0
  let over = false
  const polling = agents.map(async (agent) => {
    for (; !over; polls += 1) {
      await poll(agent, first.port)
      await sleep(5)
    }
  })
  const second = await start()
  assert.deepEqual(await first.end(), [0, null])
  const third = await start()
  assert.deepEqual(await second.end(), [0, null])
  over = true
  await Promise.all(polling)
  assert.ok(polls > 20)
  assert.deepEqual(await third.end(), [0, null])
})
