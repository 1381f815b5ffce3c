import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ApiClient } from './client.ts'
import type { CliError, ExitName } from './exit-codes.ts'
import { type SeenRequest, sendJson, StandInServer } from './testing.ts'

const COMMANDS = 'POST /api/instruments/lamp/commands'
const DONE = { id: 'c1', instrument: 'lamp', parameter: 'red', value: 1, state: 'ended', outcome: 'done' }

async function serve(
  t: TestContext,
  routes: Record<string, unknown>,
): Promise<{ server: StandInServer; api: ApiClient }> {
  const server = await new StandInServer(routes).listen()
  t.after(() => server.close())
  return { server, api: clientOf(server.url) }
}

function clientOf(url: string, token: string | null = null): ApiClient {
  return new ApiClient({ url, token, signal: new AbortController().signal })
}

function endsAs(exit: ExitName, words: RegExp): (error: CliError) => boolean {
  return (error) => {
    assert.equal(error.exit, exit, error.message)
    assert.match(error.message, words)
    return true
  }
}

test('a command that was cut off in mid-request is sent again with the same idempotency key', async (t) => {
  let calls = 0
  const { server, api } = await serve(t, {
    [COMMANDS]: (response: ServerResponse) => {
      calls += 1
      if (calls === 1) response.destroy()
      else sendJson(response, 200, DONE)
    },
  })
  const record = await api.command('lamp', { parameter: 'red', value: 1 }, 5)
  assert.equal(record.outcome, 'done')
  const keys = server.seen.map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 2)
  assert.ok(keys[0])
  assert.equal(keys[0], keys[1])
})

test('two commands never share an idempotency key', async (t) => {
  const { server, api } = await serve(t, { [COMMANDS]: DONE })
  await api.command('lamp', { parameter: 'red', value: 1 }, 1)
  await api.command('lamp', { parameter: 'red', value: 1 }, 1)
  const [first, second] = server.seen.map(({ headers }) => headers['idempotency-key'])
  assert.notEqual(first, second)
})

test('when every try was cut off the outcome is unknown', async (t) => {
  const { api } = await serve(t, { [COMMANDS]: (response: ServerResponse) => void response.destroy() })
  await assert.rejects(
    api.command('lamp', { parameter: 'red', value: 1 }, 1),
    endsAs('unknown', /look before you repeat/),
  )
})

test('when nobody listens nothing was done', async () => {
  const server = await new StandInServer({}).listen()
  const { url } = server
  await server.close()
  await assert.rejects(
    clientOf(url).command('lamp', { parameter: 'red', value: 1 }, 1),
    endsAs('refused', /nobody listens there.*Nothing was done/),
  )
})

test('a read that was cut off for good has done nothing', async (t) => {
  const { api } = await serve(t, { 'GET /api/state': (response: ServerResponse) => void response.destroy() })
  await assert.rejects(api.state(), endsAs('refused', /connection was lost.*Nothing was done/))
})

const problems: [string, string, number, ExitName][] = [
  ['out of range', 'OUT_OF_RANGE', 422, 'refused'],
  ['a full queue', 'QUEUE_FULL', 429, 'refused'],
  ['no token', 'NOT_AUTHENTICATED', 401, 'refused'],
  ['a reply that never came', 'REPLY_TIMEOUT', 504, 'unknown'],
  ['a hand-over of unknown fate', 'HANDOVER_UNKNOWN', 503, 'unknown'],
  ['an instrument that said no', 'INSTRUMENT_REFUSED', 502, 'failed'],
]
for (const [what, code, status, exit] of problems) {
  test(`a problem document about ${what} ends as "${exit}" with its own sentence`, async (t) => {
    const { api, server } = await serve(t, {
      [COMMANDS]: (response: ServerResponse) => sendJson(response, status, { code, detail: 'So it is.' }),
    })
    await assert.rejects(api.command('lamp', { parameter: 'red', value: 1 }, 1), endsAs(exit, /^So it is\./))
    assert.equal(server.seen.length, 1, 'an answer is an answer: it is not asked again')
  })
}

test('a problem that says its effect is unknown is never reported as nothing done', async (t) => {
  const { api } = await serve(t, {
    [COMMANDS]: (response: ServerResponse) =>
      sendJson(response, 503, { code: 'QUEUE_DOWN', detail: 'Redis went away.', effect: 'unknown' }),
  })
  await assert.rejects(
    api.command('lamp', { parameter: 'red', value: 1 }, 1),
    endsAs('unknown', /Redis went away/),
  )
})

test('an answer that is not from golem is quoted', async (t) => {
  const { api } = await serve(t, {
    'GET /api/state': (response: ServerResponse) => void response.writeHead(200).end('<html>router login'),
  })
  await assert.rejects(api.state(), endsAs('refused', /<html>router login.*Is this the address of golem/))
})

test('the token goes along as a bearer token', async (t) => {
  const { server } = await serve(t, { 'GET /api/instruments': [] })
  await clientOf(server.url, 'secret').instruments()
  assert.equal(server.seen[0]?.headers.authorization, 'Bearer secret')
})

test('a command that has not ended when the wait is over is asked for until it has', async (t) => {
  let asked = 0
  const { server, api } = await serve(t, {
    [COMMANDS]: (response: ServerResponse) => sendJson(response, 202, { ...DONE, state: 'running' }),
    'GET /api/commands/c1': (response: ServerResponse, _: SeenRequest) => {
      asked += 1
      sendJson(response, 200, asked === 1 ? { ...DONE, state: 'running' } : DONE)
    },
  })
  const record = await api.command('lamp', { parameter: 'red', value: 1 }, 30)
  assert.equal(record.state, 'ended')
  assert.equal(server.seen[0]?.headers['prefer'], 'wait=20')
})

test('without waiting a command is handed over and no more', async (t) => {
  const { server, api } = await serve(t, { [COMMANDS]: { ...DONE, state: 'queued' } })
  const record = await api.command('lamp', { parameter: 'red', value: 1 }, 0)
  assert.equal(record.state, 'queued')
  assert.equal(server.seen[0]?.headers['prefer'], undefined)
})
