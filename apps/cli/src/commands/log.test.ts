import type { SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { runForTest, type SeenRequest, StandInServer } from '../testing.ts'

const AT = '2026-05-01T08:00:00.000Z'
const entry = (n: number, more: Partial<SiteEvent> = {}): SiteEvent => ({
  id: `${n}-0`,
  at: AT,
  kind: 'log',
  message: `line ${n}`,
  ...more,
})

/** A site whose log has these entries; `fails`: how many questions stay without an answer. */
async function site(
  t: TestContext,
  all: SiteEvent[],
): Promise<{ server: StandInServer; fails: { left: number } }> {
  const fails = { left: 0 }
  const server = await new StandInServer({
    'GET /api/state': { at: '2026-05-01T09:00:00.000Z' },
    'GET /api/events': (response: ServerResponse, { path }: SeenRequest) => {
      if (fails.left > 0) {
        fails.left -= 1
        response.destroy()
        return
      }
      const query = new URL(path, 'http://a').searchParams
      const since = query.get('since')
      const limit = Number(query.get('limit'))
      const number = (id: string): number => Number(id.split('-')[0])
      const after =
        since === null
          ? all.slice(-limit)
          : all.filter(({ id }) => number(id) > number(since)).slice(0, limit)
      const cursor = after.at(-1)?.id ?? since ?? ''
      response.writeHead(200, { 'content-type': 'application/json', 'golem-cursor': cursor })
      response.end(JSON.stringify(after))
    },
  }).listen()
  t.after(() => server.close())
  return { server, fails }
}

test('entries for people: level, logger, message and exception, harmless for the terminal', async (t) => {
  const { server } = await site(t, [
    entry(1, {
      level: 'error',
      by: 'anna',
      data: { logger: 'lab', exception: 'Traceback:\n\u001B[31mValueError' },
    }),
    entry(2, { kind: 'condition', instrument: 'lamp', message: 'Answers.' }),
  ])
  const { code, out } = await runForTest(['log', '--url', server.url])
  assert.equal(code, 0)
  assert.equal(
    out,
    `${AT}  log ERROR  [lab]  line 1  (anna)\n    Traceback:\n    \uFFFD[31mValueError\n${AT}  condition  lamp:  Answers.`,
  )
})

test('filters go to the server; --since takes a span, a time or an id', async (t) => {
  const { server } = await site(t, [entry(1)])
  const asked = async (...argv: string[]): Promise<URLSearchParams> => {
    server.seen.length = 0
    await runForTest(['log', '--url', server.url, ...argv])
    const question = server.seen.findLast(({ path }) => /^\/api\/(events|timeline)/.test(path))
    return new URL(question?.path ?? '', 'http://a').searchParams
  }
  const all = [
    '--instrument',
    'lamp',
    '--kind',
    'log',
    '--level',
    'error',
    '--run',
    'run-7',
    '--text',
    'a b',
    '--limit',
    '7',
  ]
  const expected = { instrument: 'lamp', kind: 'log', level: 'error', run: 'run-7', text: 'a b', limit: '7' }
  assert.deepEqual(Object.fromEntries(await asked(...all)), expected)
  // A time is looked up in the archive, an id in what Redis still has.
  assert.equal((await asked('--since', '2 h')).get('after'), `${Date.parse('2026-05-01T07:00:00Z')}_0-0`)
  assert.equal((await asked('--since', '2026-05-01T10:00+02:00')).get('after'), `${Date.parse(AT)}_0-0`)
  assert.equal((await asked('--since', '5-3')).get('since'), '5-3')
  for (const wrong of [
    ['--since', 'soon'],
    ['--since', '2026-05-01'],
    ['--level', 'loud'],
    ['--limit', '0'],
  ]) {
    assert.equal((await runForTest(['log', '--url', server.url, ...wrong])).code, 2, wrong.join(' '))
  }
})

test('with --since all pages are read', async (t) => {
  const { server } = await site(
    t,
    Array.from({ length: 2_500 }, (_, n) => entry(n + 1)),
  )
  const { out } = await runForTest(['log', '--since', '0-0', '--json', '--url', server.url])
  const ids = out.split('\n').map((line) => (JSON.parse(line) as SiteEvent).id)
  assert.equal(ids.length, 2_500)
  assert.equal(new Set(ids).size, 2_500)
})

test('followed: each entry once and in order, also over a break', async (t) => {
  const all = [entry(1), entry(2)]
  const { server, fails } = await site(t, all)
  const stop = new AbortController()
  const seen: string[] = []
  const ended = runForTest(['log', '--follow', '--json', '--url', server.url], {
    signal: stop.signal,
    out: (line) => void seen.push((JSON.parse(line) as SiteEvent).id),
  })
  const until = async (count: number): Promise<void> => {
    const end = performance.now() + 20_000
    while (seen.length < count && performance.now() < end) await new Promise((done) => setTimeout(done, 10))
  }
  await until(2)
  // Four questions fail at once, and the command says that it tries again.
  fails.left = 4
  all.push(entry(3), entry(4))
  await until(4)
  all.push(entry(5))
  await until(5)
  stop.abort()
  assert.equal((await ended).code, 0)
  assert.deepEqual(seen, ['1-0', '2-0', '3-0', '4-0', '5-0'])
})
