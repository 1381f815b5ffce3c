import type { Notification } from '@golem/alarms'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { callWebhook } from './webhook.ts'
import { sendTelegram } from './telegram.ts'

const TOKEN = '123456:secret-of-the-bot'
const MESSAGE: Notification = {
  id: 'm-1',
  notifier: 'chat',
  at: '2026-05-01T10:00:00.000Z',
  severity: 'critical',
  subject: '[Lab] CRITICAL ALARM: the lamp is hot',
  lines: ['Line one', 'Line <b>two</b> & more'],
  items: [],
  more: 0,
}

async function server(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const http = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => answer(request, response, body))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => {
    http.closeAllConnections()
    http.close()
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}

const never = new AbortController().signal

async function failureOf(sending: Promise<unknown>): Promise<string> {
  try {
    await sending
  } catch (error) {
    return String(error)
  }
  throw new assert.AssertionError({ message: 'it did not fail' })
}

test('Telegram gets chat and text, as it is and no longer than it may be', async (t) => {
  const seen: { path: string; body: Record<string, unknown> }[] = []
  const url = await server(t, (request, response, body) => {
    seen.push({ path: request.url ?? '', body: JSON.parse(body) as Record<string, unknown> })
    response.end('{"ok":true}')
  })
  const target = { url, token: TOKEN, chat: '-100' }
  await sendTelegram(target, MESSAGE, never)
  await sendTelegram(target, { ...MESSAGE, lines: ['x'.repeat(5000)] }, never)
  assert.equal(seen[0]?.path, `/bot${TOKEN}/sendMessage`)
  assert.deepEqual(seen[0]?.body, {
    chat_id: '-100',
    text: `${MESSAGE.subject}\n\nLine one\nLine <b>two</b> & more`,
    link_preview_options: { is_disabled: true },
  })
  assert.equal(String(seen[1]?.body['text']).length, 4096)
})

test('what goes wrong is told with the answer, and without the secret in the address', async (t) => {
  const url = await server(t, (_, response) => {
    response.writeHead(401).end('{"ok":false,"description":"Unauthorized"}\n')
  })
  const refused = await failureOf(sendTelegram({ url, token: TOKEN, chat: '1' }, MESSAGE, never))
  assert.match(refused, /chat answered 401 \{"ok":false,"description":"Unauthorized"\}/)
  const away = { url: 'http://127.0.0.1:1', token: TOKEN, chat: '1' }
  const gone = await failureOf(sendTelegram(away, MESSAGE, never))
  assert.match(gone, /chat is not reached: .*(ECONNREFUSED|bad port)/)
  for (const said of [refused, gone]) assert.doesNotMatch(said, /secret-of-the-bot/)
})

test('a redirect is not followed, an endless answer is not read, a connection that breaks is told', async (t) => {
  let followed = 0
  const url = await server(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' }).end()
    else if (request.url === '/endless') {
      response.writeHead(500)
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    } else if (request.url === '/broken') request.socket.destroy()
    else followed += 1
  })
  const call = (path: string): Promise<string> =>
    failureOf(callWebhook({ url: `${url}${path}`, secret: null }, MESSAGE, never))
  assert.match(await call('/moved'), /chat answered 302/)
  assert.equal(followed, 0)
  const endless = await call('/endless')
  assert.match(endless, /chat answered 500 x+$/)
  assert.ok(endless.length < 400)
  assert.match(await call('/broken'), /chat is not reached/)
})

test('a server that never answers is given up when this process leads no longer', async (t) => {
  const ended = new AbortController()
  const url = await server(t, () => ended.abort())
  assert.match(await failureOf(callWebhook({ url, secret: null }, MESSAGE, ended.signal)), /abort/)
})

test('a webhook without a secret is not signed', async (t) => {
  let signature: unknown = 'none seen'
  const url = await server(t, (request, response) => {
    signature = request.headers['x-golem-signature']
    response.writeHead(204).end()
  })
  await callWebhook({ url, secret: null }, MESSAGE, never)
  assert.equal(signature, undefined)
})
