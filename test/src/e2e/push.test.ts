import type { CommandRecord, StateDocument } from '@golem/core'
import { TestSocket } from '@golem/web/testing'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { type TestContext, after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '../kit/eventually.ts'
import { type NodeProcess, spawnNode } from '../kit/process.ts'
import { runPython } from '../kit/python.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'
import { freePort } from '../kit/supply-stand.ts'

let stand: Stand
before(async () => {
  stand = await startStand({
    devices: [relayBoard('exp-board'), relayBoard('other')],
    webs: 2,
    leaseMs: 10_000,
  })
})
after(() => stand.close())

const relay = (on: boolean) => ({ parameter: 'relay0', value: on })

function socketAt(t: TestContext, web = 0, path = '/ws'): Promise<TestSocket> {
  return TestSocket.to(t, new URL(stand.url(web)).host, path)
}

/** Waits until a client is shown that relay 0 of the board is so. */
function shows(socket: TestSocket, on: boolean): Promise<StateDocument> {
  return socket.state(({ instruments }) => instruments['exp-board']?.readings['relay0']?.value === on)
}

/** The blocks of apps/web/README.md in this language. */
function examples(language: string): string[] {
  const text = readFileSync(join(ROOT, 'apps', 'web', 'README.md'), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  )
}

test('the script for Python in the README runs word for word: state, command, outcome', async () => {
  const [program = '', ...more] = examples('python')
  assert.deepEqual(more, [])
  const { code, out, errors } = await runPython(program, stand.url())
  assert.equal(code, 0, errors)
  assert.match(out, /^This is .+ and I am anna \(local\)\nexp-board \{.*'relay0': (?:True|False)/)
  assert.match(out, /\nThe command is done\n$/)
  const { body } = await stand.api<CommandRecord[]>('/api/commands?limit=1')
  assert.deepEqual([body[0]?.by, body[0]?.outcome], ['anna (local)', 'done'])
})

test('the line for the shell in the README runs word for word', async () => {
  const [line = '', ...more] = examples('sh')
  assert.deepEqual(more, [])
  const env = { ...process.env, GOLEM_URL: stand.url() }
  const { stdout: said } = await promisify(execFile)('/bin/sh', ['-c', line], { env, timeout: 60_000 })
  const [retry, , id, event, data = ''] = said.split('\n')
  assert.deepEqual([retry, event], ['retry: 1000', 'event: state'])
  const state = JSON.parse(data.replace('data: ', '')) as StateDocument
  assert.equal(`id: ${state.cursor}`, id)
  assert.deepEqual([state.full, Object.keys(state.instruments).length], [true, 2])
  assert.equal(said.match(/^data: /gm)?.length, 2)
})

test('what is changed over HTTP or over a socket is pushed to the clients of every web process', async (t) => {
  const [near, far] = await Promise.all([socketAt(t, 0), socketAt(t, 1)])
  await stand.command('exp-board', relay(true), { web: 1 })
  await Promise.all([shows(near, true), shows(far, true)])
  far.say({ type: 'command', id: 1, instrument: 'exp-board', ...relay(false) })
  const { record } = (await far.next('outcome')) as unknown as { record: CommandRecord }
  assert.equal(record.outcome, 'done')
  assert.equal((await stand.record(record.id)).outcome, 'done')
  await Promise.all([shows(near, false), shows(far, false)])
  near.say({ type: 'stop', id: 2, reason: 'smoke' })
  await near.next('stopped')
  await Promise.all([near, far].map((socket) => socket.state(({ stop }) => stop.site?.reason === 'smoke')))
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  await Promise.all([near, far].map((socket) => socket.state(({ stop }) => stop.site === null)))
})

test('a client that comes back to another process, or after a restart, goes on from its cursor', async (t) => {
  const first = await socketAt(t, 0)
  const { cursor } = await first.state()
  first.socket.terminate()
  await stand.command('exp-board', relay(true), { web: 1 })
  const other = await socketAt(t, 1, `/ws?since=${encodeURIComponent(cursor)}`)
  const missed = await shows(other, true)
  assert.equal(missed.full, false)

  const closing = other.end()
  const begun = performance.now()
  await stand.restartWeb(1)
  assert.equal(await closing, 1001)
  assert.ok(performance.now() - begun < 30_000)
  await stand.command('exp-board', relay(false), { web: 0 })
  const back = await socketAt(t, 1, `/ws?since=${encodeURIComponent(missed.cursor)}`)
  assert.equal((await shows(back, false)).full, false)
})

test('while Redis is away clients are told, commands are refused, and then it goes on', async (t) => {
  const socket = await socketAt(t)
  await socket.state()
  stand.redis.freeze()
  try {
    await socket.state(({ bus }) => !bus.ok)
    socket.say({ type: 'command', id: 1, instrument: 'exp-board', ...relay(true) })
    const { problem } = (await socket.next('error')) as unknown as {
      problem: { code: string; effect: string }
    }
    assert.deepEqual([problem.code, problem.effect], ['QUEUE_DOWN', 'none'])
  } finally {
    stand.redis.resume()
  }
  await socket.state(({ bus }) => bus.ok)
  await stand.until('exp-board', ({ condition }) => condition === 'ok', 'the board answers')
})

/** A web process at this port. */
async function startWebAt(t: TestContext, port: number): Promise<NodeProcess> {
  const main = join(ROOT, 'apps', 'web', 'dist', 'main.js')
  const web = spawnNode(main, ['--site', stand.siteFile, '--port', String(port)])
  t.after(() => web.kill())
  await web.ready
  return web
}

test('a web process is started anew at once on the same port while connections linger, and no request is lost', async (t) => {
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const old = await startWebAt(t, port)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const poll = (): Promise<number> =>
    new Promise((resolve, reject) => {
      get(`http://${host}/api/state`, { agent }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
      }).on('error', reject)
    })
  assert.equal(await poll(), 200)
  const socket = await TestSocket.to(t, host)
  // One that does not say goodbye.
  const deaf = await TestSocket.to(t, host)
  await deaf.state()
  ;(deaf.socket as unknown as { _socket: { pause(): void } })._socket.pause()
  const stream = await fetch(`http://${host}/api/state/stream`)
  // The command waits, since its worker is frozen; the request waits for it.
  stand.workers[0]?.stop()
  t.after(() => stand.workers[0]?.cont())
  const waiting = fetch(`http://${host}/api/instruments/other/commands`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify({ ...relay(true), validForMs: 60_000 }),
  })
  await eventually(
    async () => (await stand.api<CommandRecord[]>('/api/commands?limit=1')).body[0]?.state === 'queued',
    {
      what: 'the command waits',
    },
  )
  const ended = old.kill('SIGTERM')
  const fresh = await startWebAt(t, port)
  assert.equal(fresh.alive, true)
  assert.equal(await socket.end(), 1001)
  // The old process answers what it was asked, also what comes on a connection that it has.
  const answer = await waiting
  assert.equal(answer.status, 202)
  const { id } = (await answer.json()) as CommandRecord
  await stream.text()
  await ended
  assert.equal(await poll(), 200)
  const again = await TestSocket.to(t, host)
  await again.state()
  stand.workers[0]?.cont()
  assert.equal((await stand.ended(id, 30_000)).outcome, 'done')
})
