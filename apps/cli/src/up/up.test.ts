import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))
const PATIENCE_MS = 30_000

/** What `golem up --json` prints. */
interface UpEvent {
  event: string
  message?: string
  url?: string
  pids?: Record<string, number>
  part?: string
}

/** A `golem up` with an instance folder of its own. */
class Up {
  readonly child: ChildProcess
  readonly events: UpEvent[] = []
  readonly ended: Promise<number | string>
  err = ''

  constructor(siteFile: string, ...more: string[]) {
    this.child = spawn(process.execPath, [MAIN, 'up', '--json', '--site', siteFile, ...more], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal ?? code ?? 'nothing'))
    })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as UpEvent)
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.err += text))
  }

  async told(fits: (event: UpEvent) => boolean, what: string): Promise<UpEvent> {
    for (let waited = 0; ; waited += 20) {
      const found = this.events.find(fits)
      if (found) return found
      const all = JSON.stringify(this.events)
      assert.ok(waited < PATIENCE_MS && this.child.exitCode === null, `never: ${what}\n${all}\n${this.err}`)
      await sleep(20)
    }
  }

  async ready(): Promise<{ url: string; pids: Record<string, number> }> {
    const { url, pids } = await this.told(({ event }) => event === 'ready', 'ready')
    return { url: url!, pids: pids! }
  }
}

function siteFile(
  t: TestContext,
  lines: readonly string[] = ['web: { port: 0 }', 'instruments: []'],
): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'golem up '))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const file = path.join(dir, 'site.yaml')
  writeFileSync(file, ['site: up-test', ...lines, ''].join('\n'))
  return file
}

function start(t: TestContext, file: string, ...more: string[]): Up {
  const up = new Up(file, ...more)
  t.after(async () => {
    up.child.kill('SIGINT')
    await up.ended
  })
  return up
}

/** The living processes of the groups of these leaders: `pid name`. */
function living(leaders: Iterable<number>): string[] {
  const groups = new Set(leaders)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      let stat: string
      try {
        stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      } catch {
        return [] // gone since the folder was read
      }
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return state !== 'Z' && groups.has(Number(group)) ? [stat.slice(0, stat.lastIndexOf(')') + 1)] : []
    })
}

async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 50) {
    assert.ok(waited < PATIENCE_MS, `never: ${what()}`)
    await sleep(50)
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) }).catch(() => null)
  return response?.ok ?? false
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`everything starts, answers, and is gone within 5 s of ${signal}, with exit code 0`, async (t) => {
    const file = siteFile(t)
    const up = start(t, file, '--workers', '2')
    const { url, pids } = await up.ready()
    assert.deepEqual(Object.keys(pids), ['redis', 'worker-1', 'worker-2', 'archiver', 'scheduler', 'web'])
    assert.ok(await answers(url))
    const record = path.join(path.dirname(file), 'run', 'web.json')
    assert.deepEqual(JSON.parse(readFileSync(record, 'utf8')), { url, pid: up.child.pid })
    const began = performance.now()
    up.child.kill(signal)
    assert.equal(await up.ended, 0, up.err)
    assert.ok(performance.now() - began < 5500, 'it took too long')
    assert.deepEqual(living(Object.values(pids)), [])
    assert.ok(!existsSync(record))
  })
}

test('web, worker and Redis are started again when they are killed, the page at the same address', async (t) => {
  const up = start(t, siteFile(t))
  const { url, pids } = await up.ready()
  for (const part of ['web', 'scheduler', 'archiver', 'worker-1', 'redis']) {
    process.kill(-pids[part]!, 'SIGKILL')
    await up.told(
      (event) => event.part === part && /ended \(SIGKILL\); it is started again/.test(event.message ?? ''),
      `end of ${part}`,
    )
    await up.told(
      (event) => event.part === part && /is running again/.test(event.message ?? ''),
      `return of ${part}`,
    )
    await until(
      () => answers(url),
      () => `an answer after the return of ${part}`,
    )
  }
})

test('a simulator that is killed comes back at the same addresses, and its instruments with it', async (t) => {
  const lines = [
    'web: { port: 0 }',
    'instruments:',
    '  - { id: board, model: esp32-relay, address: "sim:relay-1" }',
  ]
  const up = start(t, siteFile(t, lines))
  const { url, pids } = await up.ready()
  const board = async (): Promise<{ condition: string; seenAt: string | null }> => {
    const response = await fetch(`${url}/api/state`)
    const { instruments } = (await response.json()) as {
      instruments: Record<string, { condition: string; seenAt: string | null }>
    }
    return instruments['board'] ?? { condition: 'unknown', seenAt: null }
  }
  await until(
    async () => (await board()).condition === 'ok',
    () => 'the board is ok',
  )
  process.kill(-pids['simulator']!, 'SIGKILL')
  const killedAt = new Date().toISOString()
  await up.told(
    ({ part, message }) => part === 'simulator' && (message ?? '').endsWith('again'),
    'its return',
  )
  await until(
    async () => ((await board()).seenAt ?? '') > killedAt && (await board()).condition === 'ok',
    () => 'the board is ok again',
  )
})

test('when it is itself killed nothing of it lives on, and the next one starts', async (t) => {
  const file = siteFile(t)
  const killed = new Up(file)
  const { pids } = await killed.ready()
  killed.child.kill('SIGKILL')
  await killed.ended
  const next = start(t, file)
  const { url } = await next.ready()
  assert.ok(await answers(url))
  await until(
    () => living(Object.values(pids)).length === 0,
    () => `the end of ${living(Object.values(pids)).join(', ')}`,
  )
})

test('what it starts is held to a small young heap', async (t) => {
  const up = start(t, siteFile(t))
  const { pids } = await up.ready()
  const youngOf = (pid: number): string | undefined =>
    /--max-semi-space-size=(\d+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1]
  const { redis, ...programs } = pids
  assert.ok(redis)
  assert.deepEqual(
    Object.entries(programs).map(([name, pid]) => [name, youngOf(pid)]),
    [
      ['worker-1', '4'],
      ['archiver', '2'],
      ['scheduler', '2'],
      ['web', '4'],
    ],
  )
})

test('a second one on the same instance says where the first one is', async (t) => {
  const file = siteFile(t)
  const first = start(t, file)
  const { url } = await first.ready()
  const second = start(t, file)
  assert.equal(await second.ended, 1)
  assert.ok(second.err.includes(`already running for ${path.dirname(file)}, at ${url}`), second.err)
  assert.ok(await answers(url))
})

test('told to end while it is starting, it leaves nothing behind', async (t) => {
  const up = start(t, siteFile(t))
  await until(
    () => existsSync(path.join(path.dirname(up.child.spawnargs[5]!), 'run', 'redis.json')),
    () => 'the beginning',
  )
  up.child.kill('SIGTERM')
  assert.equal(await up.ended, 0, up.err)
  const run = path.join(path.dirname(up.child.spawnargs[5]!), 'run')
  assert.ok(!existsSync(path.join(run, 'web.json')))
  assert.ok(!existsSync(path.join(run, 'redis.sock')), 'Redis is still there')
})

test('a faulty site file ends it with 1 and all faults', async (t) => {
  const up = start(t, siteFile(t, ['web: { port: hello }', 'instruments: 7']))
  assert.equal(await up.ended, 1)
  assert.match(up.err, /site.yaml:2:/)
  assert.match(up.err, /site.yaml:3:/)
})

test('a chosen port that is taken ends it with 1 and what to do', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const up = start(t, siteFile(t), '--port', String(port))
  assert.equal(await up.ended, 1)
  assert.match(up.err, new RegExp(`Port ${port} on 127.0.0.1 is taken.*--port`))
})

test('a Redis that was named and is not there ends it with 3 and its name', async (t) => {
  const up = start(
    t,
    siteFile(t, ['redis: unix:///no/such/redis.sock', 'web: { port: 0 }', 'instruments: []']),
  )
  assert.equal(await up.ended, 3)
  assert.match(up.err, /The Redis at unix:\/\/\/no\/such\/redis.sock cannot be used/)
})
