import type { AlarmRecord, SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import { type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { type CliRun, runForTest, sendJson, StandInServer } from '../testing.ts'

const AT = '2026-05-01T08:00:00.000Z'
const HIGH: AlarmRecord = {
  id: 'lamp.level.high',
  severity: 'critical',
  condition: 'active',
  message: 'Level is 60 %, above \u001B[31m50 %.',
  guidance: 'Turn it down.',
  since: '2026-05-01T07:55:00.000Z',
  acknowledged: null,
  count: 1,
}

async function site(
  t: TestContext,
  routes: Record<string, unknown>,
): Promise<{ server: StandInServer; golem: (...argv: string[]) => Promise<CliRun> }> {
  const server = await new StandInServer({
    'GET /api/state': { at: AT },
    'GET /api/alarms': [HIGH],
    ...routes,
  }).listen()
  t.after(() => server.close())
  return { server, golem: (...argv) => runForTest([...argv, '--url', server.url]) }
}

test('alarms are shown with what to do, harmless for the terminal', async (t) => {
  const { golem } = await site(t, {})
  const { code, out } = await golem('alarms')
  assert.equal(code, 0)
  assert.match(
    out,
    /lamp\.level\.high +CRITICAL +active +5 min ago +NOBODY +Level is 60 %, above \uFFFD\[31m50 %\. Turn it down\./,
  )
  assert.deepEqual(JSON.parse((await golem('alarms', '--json')).out), [HIGH])
})

test('acknowledging waits until it is done, and says whether the alarm is settled', async (t) => {
  let alarms = [HIGH]
  const routes: Record<string, unknown> = {
    'GET /api/alarms': (response: ServerResponse) => sendJson(response, 200, alarms),
    'POST /api/alarms/lamp.level.high/acknowledge': (response: ServerResponse) => {
      sendJson(response, 202, HIGH)
      setTimeout(() => (alarms = []), 200)
    },
  }
  const { server, golem } = await site(t, routes)
  const { code, out } = await golem('alarms', 'ack', 'lamp.level.high', '--note', 'on my way')
  assert.equal(code, 0)
  assert.equal(out, 'lamp.level.high: acknowledged, and settled')
  assert.deepEqual(server.seen.find(({ method }) => method === 'POST')?.body, { note: 'on my way' })
  const missing = await golem('alarms', 'ack', 'lamp.level.low')
  assert.notEqual(missing.code, 0)
})

test('a test of a notifier ends as the log says it did', async (t) => {
  const event = (id: string, message: string): SiteEvent => ({ id, at: AT, kind: 'notify', message })
  let events = [event('1-0', 'mail was tested, and failed: long ago')]
  const routes = {
    'GET /api/events': (response: ServerResponse, { path }: { path: string }) => {
      const since = new URL(path, 'http://a').searchParams.get('since')
      sendJson(response, 200, since === '1-0' ? events.slice(1) : events)
    },
    'POST /api/notifiers/mail/test': (response: ServerResponse) => {
      sendJson(response, 202, { notifier: 'mail' })
      events = [...events, event('2-0', 'mail was tested, and has taken the message.')]
    },
    'POST /api/notifiers/hook/test': (response: ServerResponse) => {
      sendJson(response, 202, { notifier: 'hook' })
      events = [...events, event('3-0', 'hook was tested, and failed: hook answered 403')]
    },
    'GET /api/notifiers': [{ name: 'mail', kind: 'email', severities: ['critical'], failing: null }],
  }
  const { golem } = await site(t, routes)
  const good = await golem('alarms', 'test', 'mail')
  assert.deepEqual([good.code, good.out], [0, 'mail was tested, and has taken the message.'])
  const bad = await golem('alarms', 'test', 'hook')
  assert.notEqual(bad.code, 0)
  assert.match(bad.out, /hook answered 403/)
  assert.match((await golem('alarms', 'notifiers')).out, /mail +email +critical +works/)
})
