import type { SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '../kit/eventually.ts'
import { type NodeProcess, spawnNode } from '../kit/process.ts'
import { PYTHON_CLIENT, runPython } from '../kit/python.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { freePort } from '../kit/supply-stand.ts'

const GOLEM = join(ROOT, 'apps', 'cli', 'dist', 'main.js')

let stand: Stand
/** A web process at a port of its own choice, so that the next one is where it was. */
let web: NodeProcess
let url: string
let port: number
let syslogPort: number

before(async () => {
  port = await freePort()
  syslogPort = await freePort()
  url = `http://127.0.0.1:${port}`
  stand = await startStand({ workers: 0, webs: 0, devices: [], site: { syslog: { port: syslogPort } } })
  await startWeb()
})
after(async () => {
  await web?.kill()
  await stand?.close()
})

async function startWeb(): Promise<void> {
  const main = join(ROOT, 'apps', 'web', 'dist', 'main.js')
  web = spawnNode(main, ['--site', stand.siteFile, '--port', String(port)], { name: 'web for logs' })
  await web.ready
}

async function events(query: Record<string, string> = {}): Promise<SiteEvent[]> {
  const given = new URLSearchParams({ kind: 'log', limit: '1000', ...query })
  const response = await fetch(`${url}/api/events?${given.toString()}`)
  assert.equal(response.status, 200, web.log())
  return (await response.json()) as SiteEvent[]
}

/** The entry whose message begins so, once it is there. */
function entry(begins: string): Promise<SiteEvent> {
  return eventually(
    async () => {
      const found = (await events()).filter(({ message }) => message.startsWith(begins))
      assert.equal(found.length, 1, `${begins}: ${found.length} entries`)
      return found[0] as SiteEvent
    },
    { what: `"${begins}" is in the log` },
  )
}

async function python(program: string): Promise<void> {
  const { code, errors } = await runPython(program, url)
  assert.equal(code, 0, errors)
  assert.doesNotMatch(errors, /Logging error/)
}

test('the example of the README logs through a queue, word for word', async () => {
  const readme = readFileSync(join(PYTHON_CLIENT, 'README.md'), 'utf8')
  const [, example = ''] = [...readme.matchAll(/^```python\n(.*?)^```$/gms)].map(([, text = '']) => text)
  await python(example)
  const info = await entry('the valve is open')
  assert.deepEqual(
    [info.message, info.level, info.by],
    ['the valve is open, CO2 at 412.2 ppm', 'info', 'anna (local)'],
  )
  assert.equal(info.data?.['logger'], 'airing')
  assert.ok(Math.abs(Date.parse(String(info.data?.['time'])) - Date.now()) < 60_000)
  const warning = await entry('CO2 falls slowly')
  assert.deepEqual([warning.level, warning.data?.['extra']], ['warning', { slope: '-0.3' }])
  const error = await entry('no mean value')
  assert.deepEqual([error.message, error.level], ['no mean value', 'error'])
  assert.match(String(error.data?.['exception']), /^Traceback [^]*ZeroDivisionError: float division by zero$/)
})

test('HTTPHandler by itself, GET and POST: the message as its writer would read it', async () => {
  await python(
    [
      'import logging, logging.handlers, os',
      'from urllib.parse import urlsplit',
      'log = logging.getLogger("raw"); log.setLevel(1)',
      'netloc = urlsplit(os.environ["GOLEM_URL"]).netloc',
      'def through(method):',
      '    log.handlers = [logging.handlers.HTTPHandler(netloc, "/api/log?from=" + method, method=method)]',
      'through("GET")',
      'log.error("GET %s is %.1f%% of %r", "A&B=é☃\\n", 21.55, {"a": (1, None)})',
      'log.debug("GET dict %(a)s", {"a": "x"})',
      'through("POST")',
      'log.log(25, "POST object %s", object())',
      'log.warning("POST long %s", "x" * 100000, extra={"colour": "red"})',
      'try: {}["key"]',
      'except KeyError: log.exception("POST failed")',
    ].join('\n'),
  )
  const get = await entry('GET A&B')
  assert.equal(get.message, "GET A&B=é☃\n is 21.6% of {'a': (1, None)}")
  assert.deepEqual([get.level, get.data?.['logger'], get.data?.['extra']], ['error', 'raw', { from: 'GET' }])
  assert.equal((await entry('GET dict')).message, 'GET dict x')
  const object = await entry('POST object')
  assert.match(object.message, /^POST object %s \(<object object at 0x[0-9a-f]+>,\)$/)
  assert.equal(object.level, 'notice')
  assert.match((await entry('POST long')).message, /characters more\)$/)
  assert.equal((await entry('POST failed')).data?.['exception'], 'KeyError: key')
})

test('syslog: SysLogHandler over UDP and TCP, and logger with RFC 5424', async () => {
  await python(
    [
      'import logging, logging.handlers, socket',
      'log = logging.getLogger("sys"); log.propagate = False',
      `where = ("127.0.0.1", ${syslogPort})`,
      'log.handlers = [logging.handlers.SysLogHandler(where)]',
      'log.warning("UDP from %s", "Python")',
      'log.handlers = [logging.handlers.SysLogHandler(where, socktype=socket.SOCK_STREAM)]',
      'log.error("TCP one")',
      'try: 1 / 0',
      'except ZeroDivisionError: log.exception("TCP two")',
      'log.handlers[0].close()',
      'log.handlers = [logging.handlers.SocketHandler(*where)]',
      'log.error("a pickle")',
      'log.handlers[0].close()',
    ].join('\n'),
  )
  const logger = (...args: string[]): Promise<unknown> =>
    promisify(execFile)('logger', [
      '--rfc5424',
      '-n',
      '127.0.0.1',
      '-P',
      String(syslogPort),
      '-t',
      'pump',
      ...args,
    ])
  await logger('-d', '-p', 'local0.err', 'logger by UDP')
  await logger('-T', '--octet-count', '--sd-id', 'golem@1', '--sd-param', 'run="run-9"', 'logger by TCP')
  const udp = await entry('UDP from Python')
  assert.deepEqual([udp.level, udp.by], ['warning', 'syslog 127.0.0.1'])
  assert.equal((await entry('TCP one')).level, 'error')
  assert.match(String((await entry('TCP two')).data?.['exception']), /^Traceback [^]*ZeroDivisionError/)
  const byUdp = await entry('logger by UDP')
  assert.deepEqual([byUdp.level, byUdp.data?.['logger']], ['error', 'pump'])
  assert.ok(byUdp.data?.['time'])
  // No run of that name is known, so it stays what somebody has said.
  const byTcp = await entry('logger by TCP')
  assert.deepEqual(
    [byTcp.run, (byTcp.data?.['extra'] as Record<string, string> | undefined)?.['run']],
    [undefined, 'run-9'],
  )
  await entry('127.0.0.1 sends pickled records')
})

test('filters by level, run and text, in whatever case, and a cursor also when nothing is found', async () => {
  const least = await events({ level: 'error' })
  assert.ok(least.length > 0 && least.every(({ level }) => level === 'error' || level === 'critical'))
  assert.deepEqual(await events({ run: 'run-9' }), [])
  const found = await events({ text: 'zerodivisionerror' })
  assert.ok(found.some(({ message }) => message === 'no mean value'))
  const response = await fetch(`${url}/api/events?since=0-0&limit=10&text=nothing-has-this`)
  assert.deepEqual(await response.json(), [])
  assert.match(response.headers.get('golem-cursor') ?? '', /^\d+-\d+$/)
})

test('golem log --follow --json: each line once and in order over restarts of the web process, and quiet at a closed pipe', async () => {
  const child = spawn(
    process.execPath,
    [GOLEM, 'log', '--follow', '--json', '--since', '0-0', '--text', 'step ', '--url', url],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let out = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  let sent = 0
  const send = async (): Promise<void> => {
    const body = Array.from({ length: 20 }, () => JSON.stringify({ message: `step ${(sent += 1)}` })).join(
      '\n',
    )
    const response = await fetch(`${url}/api/log`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    })
    assert.equal(response.status, 204)
  }
  const shown = (): string[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as SiteEvent).message)
  try {
    await send()
    // The first answer: a server that is away at the start would be a wrong address.
    await eventually(() => shown().length === sent, { what: 'the first lines are shown' })
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
      await send()
      // What was taken before a sudden end is written within a moment; this is about reading.
      await entry(`step ${sent}`)
      await web.kill(signal)
      await startWeb()
    }
    await send()
    await eventually(() => shown().length === sent, { what: 'all lines are shown' })
    assert.deepEqual(
      shown(),
      Array.from({ length: sent }, (_, n) => `step ${n + 1}`),
    )
  } finally {
    child.kill('SIGTERM')
  }
  // Whoever reads has left after the first line; the next one that is written finds nobody.
  const command = `"${process.execPath}" "${GOLEM}" log --since 0-0 --json --follow --url ${url} | head -n 1`
  const reading = promisify(execFile)('sh', ['-c', command], { timeout: 30_000 })
  const writing = setInterval(() => void send(), 300)
  const piped = await reading.finally(() => clearInterval(writing))
  assert.equal(piped.stderr, '')
  assert.equal(piped.stdout.trim().split('\n').length, 1)
})

test('while Redis is away programs are answered at once, and their lines are written once it is back', async () => {
  stand.redis.freeze()
  const began = performance.now()
  try {
    for (let n = 0; n < 30; n += 1) {
      const response = await fetch(`${url}/api/log`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message: `frozen ${n}.` }),
      })
      assert.equal(response.status, 204)
    }
    // Long enough that a batch has failed whose fate is not known.
    await new Promise((done) => setTimeout(done, Math.max(0, 3_000 - (performance.now() - began))))
  } finally {
    stand.redis.resume()
  }
  await entry('frozen 29.')
  const messages = (await events())
    .map(({ message }) => message)
    .filter((message) => message.startsWith('frozen'))
  assert.deepEqual(
    messages,
    Array.from({ length: 30 }, (_, n) => `frozen ${n}.`),
  )
})
