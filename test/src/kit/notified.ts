import { once } from 'node:events'
import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** One request that a webhook has received. */
interface Call {
  path: string
  headers: IncomingHttpHeaders
  text: string
  /** Alarms and why they were told, e.g. `lamp.channel0.high raised`. */
  told: string[]
}

export interface Webhook {
  readonly url: string
  /** What it has taken. */
  readonly calls: readonly Call[]
  /** The ids of all messages, also of those that it did not answer or refused. */
  readonly received: readonly string[]
  /** How it answers from now on (default 200); null: not at all. */
  status: number | null
  close(): Promise<void>
}

/** A server that takes whatever is posted, at any path. */
export async function startWebhook(): Promise<Webhook> {
  const calls: Call[] = []
  const received: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      received.push(String(request.headers['idempotency-key']))
      if (webhook.status === null) return
      response.writeHead(webhook.status).end('{"ok":true}')
      if (webhook.status !== 200) return
      const { alarms = [] } = JSON.parse(text) as { alarms?: { id: string; reason: string }[] }
      const told = alarms.map(({ id, reason }) => `${id} ${reason}`)
      calls.push({ path: request.url ?? '', headers: request.headers, text, told })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const webhook: Webhook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    received,
    status: 200,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return webhook
}

interface Mail {
  from: string
  to: readonly string[]
  user: string | undefined
  text: string
}

export interface Mailbox {
  readonly url: string
  readonly mails: readonly Mail[]
  close(): Promise<void>
}

/** A mail server that keeps what it gets. @param account - who may send; absent: everybody */
export async function startMailbox(account?: { user: string; password: string }): Promise<Mailbox> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', ...(account ? [] : ['AUTH'])],
    authOptional: account === undefined,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === account?.user && password === account?.password
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    onData: (stream, { envelope, user }, done) => {
      let text = ''
      stream.on('data', (part: Buffer) => (text += part.toString()))
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(({ address }) => address)
        mails.push({ from, to, user: typeof user === 'string' ? user : undefined, text })
        done()
      })
    },
  })
  // A sender that is killed in the middle of a mail.
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
