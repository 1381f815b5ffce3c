import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord, StateDocument } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

interface Handle {
  fd: number
  close(): void
}

interface SharedWeb {
  url: string
  /** SIGTERM; settles with its exit code. */
  end(): Promise<number | null>
  kill(): void
}

let stand: Stand
let socket: Handle
let first: SharedWeb
let second: SharedWeb

before(async () => {
  stand = await startStand({
    // The worker is not the matter here: on a busy machine it must not be missed for two seconds.
    leaseMs: 10_000,
    devices: [relayBoard('relays'), { name: 'lamp', kind: 'pwm-lamp', infoDelayMs: 5 }],
  })
  socket = holdSocket()
  first = await startShared()
  second = await startShared()
})
after(async () => {
  first.kill()
  second.kill()
  socket.close()
  await stand.close()
})

/** A bound socket that this process holds, as systemd does, and takes no connections from. */
function holdSocket(): Handle {
  const internals = net as unknown as {
    _createServerHandle(address: string, port: number, family: 4): Handle
  }
  return internals._createServerHandle('127.0.0.1', 0, 4)
}

/** Starts a web process with the socket handed over as systemd does it. */
async function startShared(): Promise<SharedWeb> {
  // The shell gives its own process id to LISTEN_PID and then becomes the web process.
  const script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$1" --site "$2"'
  const main = join(ROOT, 'apps', 'web', 'dist', 'main.js')
  const child: ChildProcess = spawn('/bin/sh', ['-c', script, process.execPath, main, stand.siteFile], {
    stdio: ['ignore', 'ignore', 'inherit', socket.fd, 'ipc'],
  })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  return {
    url,
    kill: () => void child.kill('SIGKILL'),
    end: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    },
  }
}

/** Both are replaced, one after the other, as `systemctl restart golem-web@1 golem-web@2` does it. */
async function roll(): Promise<void> {
  assert.equal(await first.end(), 0)
  first = await startShared()
  assert.equal(await second.end(), 0)
  second = await startShared()
}

interface Client {
  answers: number
  /** Processes that have answered, by the part of the cursor that names them. */
  readonly processes: Set<string>
  readonly loop: Promise<void>
}

/** Polls as the page does, each poll with the cursor of the last answer, until `over`. Whatever fails rejects the loop. */
function poller(
  get: (path: string) => Promise<{ status: number; text: string }>,
  pauseMs: number,
  over: () => boolean,
): Client {
  const processes = new Set<string>()
  const run = async (): Promise<void> => {
    let cursor = ''
    const values = new Map<string, string>()
    while (!over()) {
      const since = cursor === '' ? '' : `?since=${encodeURIComponent(cursor)}`
      const { status, text } = await get(`/api/state${since}`)
      assert.equal(status, 200, text)
      const state = JSON.parse(text) as StateDocument
      if (cursor === '') assert.equal(state.full, true)
      cursor = state.cursor
      processes.add(cursor.split('~')[2] ?? '')
      for (const [id, { seenAt, condition }] of Object.entries(state.instruments)) {
        // The lamp is degraded while its channels differ.
        assert.match(condition, /^(ok|degraded)$/, `${id} by a fresh process`)
        values.set(id, seenAt ?? '')
      }
      assert.equal(state.bus.ok, true, state.bus.message)
      client.answers++
      await sleep(pauseMs)
    }
    assert.equal(values.size, 2, 'each client knows both instruments')
  }
  const client = { answers: 0, processes, loop: Promise.resolve() }
  client.loop = run()
  // It is awaited at the end; until then its failure is no unhandled one.
  client.loop.catch(() => undefined)
  return client
}

function agentGet(agent: Agent, base: string): (path: string) => Promise<{ status: number; text: string }> {
  return (path) =>
    new Promise((resolve, reject) => {
      request(new URL(path, base), { agent }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
        .on('error', reject)
        .end()
    })
}

test('web processes that share a socket are replaced one by one under load, twice: no poll and no command fails', async () => {
  const { url } = first
  let rolled = false
  const over = (): boolean => rolled
  const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  const fetched = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(new URL(path, url))
    return { status: response.status, text: await response.text() }
  }
  const clients = [
    // Without a pause, in step with a page, and slower than that.
    ...agents.map((agent, n) => poller(agentGet(agent, url), [0, 5, 100, 1_000][n] ?? 0, over)),
    ...[1, 20, 300].map((pauseMs) => poller(fetched, pauseMs, over)),
    poller(agentGet(new Agent({ keepAlive: false }), url), 10, over),
  ]
  const outcomes: CommandRecord[] = []
  const commander = (async () => {
    for (let n = 0; !rolled; n++) {
      const response = await fetch(new URL('/api/instruments/lamp/commands', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'wait=5' },
        body: JSON.stringify({ parameter: `channel${n % 4}`, value: 1 + (Math.floor(n / 4) % 100) }),
      })
      assert.equal(response.status, 200)
      outcomes.push((await response.json()) as CommandRecord)
      await sleep(20)
    }
  })()
  commander.catch(() => undefined)
  await roll()
  await roll()
  rolled = true
  await Promise.all([...clients.map(({ loop }) => loop), commander])
  agents.forEach((agent) => agent.destroy())

  const processes = new Set(clients.flatMap((client) => [...client.processes]))
  assert.ok(processes.size >= 3, `${processes.size} processes have answered`)
  for (const { answers } of clients) assert.ok(answers > 5)
  assert.ok(outcomes.every(({ outcome }) => outcome === 'done'))
  const sent = stand.sim.device('lamp').counters()['POST /pwm']
  assert.equal(sent, outcomes.length, 'each command was sent once')
})

test('a cursor of one process is answered by another with what changed since, and nothing is missed', async () => {
  const one = await stand.state()
  const ask = async (since: string): Promise<StateDocument> => {
    const response = await fetch(new URL(`/api/state?since=${encodeURIComponent(since)}`, second.url))
    return (await response.json()) as StateDocument
  }
  const { body } = await stand.command('relays', { parameter: 'relay2', value: true })
  assert.equal(body.outcome, 'done')
  const delta = await eventually(
    async () => {
      const state = await ask(one.cursor)
      return state.instruments['relays']?.readings['relay2']?.value === true ? state : undefined
    },
    { what: 'the other process tells what has changed since' },
  )
  assert.equal(delta.full, false)
  // And back: the first process takes the cursor of the other.
  const { body: back } = await stand.api<StateDocument>(
    `/api/state?since=${encodeURIComponent(delta.cursor)}`,
  )
  assert.equal(back.full, false)
})

test('a web process that is killed loses the requests it had, and no other: the next connection is served', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const get = agentGet(agent, first.url)
  assert.equal((await get('/api/state')).status, 200)
  first.kill()
  const failures = []
  for (let n = 0; n < 50; n++) {
    try {
      assert.equal((await get('/api/state')).status, 200)
    } catch (error) {
      failures.push(error)
    }
  }
  assert.ok(failures.length <= 1, `${failures.length} failed`)
  first = await startShared()
  agent.destroy()
})
