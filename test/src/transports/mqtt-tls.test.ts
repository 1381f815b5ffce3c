import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '../kit/eventually.ts'
import { freePort, startMosquitto } from '../kit/mosquitto.ts'
import { makeTempDir } from '../kit/temp.ts'

const run = promisify(execFile)
const dir = makeTempDir('golem-mqtts')
const at = (name: string): string => join(dir.path, name)

/** @param args - of openssl; none has a space in it */
const openssl = (args: string): Promise<unknown> => run('openssl', args.split(' '))
const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

/** Makes a CA of this name, and a broker's certificate that it has signed. */
async function makeCertificates(name: string, host: string): Promise<void> {
  const ca = `-keyout ${at(`${name}.key`)} -out ${at(`${name}.pem`)}`
  await openssl(`req -x509 ${NEW_KEY} -days 2 -subj /CN=${name} ${ca}`)
  const request = at(`${name}-broker.csr`)
  await openssl(`req ${NEW_KEY} -subj /CN=broker -keyout ${at(`${name}-broker.key`)} -out ${request}`)
  writeFileSync(at(`${name}.ext`), `subjectAltName=${host}\n`)
  const signer = `-CA ${at(`${name}.pem`)} -CAkey ${at(`${name}.key`)} -CAcreateserial`
  const signed = `-extfile ${at(`${name}.ext`)} -out ${at(`${name}-broker.pem`)}`
  await openssl(`x509 -req -days 2 -in ${request} ${signer} ${signed}`)
}

await makeCertificates('lab', 'IP:127.0.0.1')
await makeCertificates('other', 'DNS:broker.lab.example')
const [good, wrongName] = [await freePort(), await freePort()]
const listener = (port: number, name: string): string[] => [
  `listener ${port} 127.0.0.1`,
  `certfile ${at(`${name}-broker.pem`)}`,
  `keyfile ${at(`${name}-broker.key`)}`,
]
const broker = await startMosquitto(undefined, [...listener(good, 'lab'), ...listener(wrongName, 'other')])
after(async () => {
  await broker.close()
  dir.remove()
})

/** What a process says that connects to a broker, publishes and listens: the CAs it trusts are those it starts with. */
const CLIENT = `
  import { openLink } from '@golem/transports'
  import { parseAddress } from '@golem/core'
  const endpoint = parseAddress(process.argv[1])
  const link = openLink({ endpoint, guard: () => undefined })
  const heard = []
  const driver = {
    transport: 'mqtt', link: { replyTimeoutMs: 2000 }, parameters: {}, actions: {}, subscriptions: ['echo'],
    identify: async () => undefined, readAll: async () => ({}), onMessage: (topic, payload) => void heard.push(payload),
  }
  const channel = link.attach({ driver, endpoint })
  try {
    const said = await channel.run('command', async (io) => {
      await io.publish('echo', 'over TLS')
      return io.expect('echo')
    })
    console.log('said', said)
  } catch (error) {
    console.log(error.code, error.message)
  }
  await link.close()
`

async function client(url: string, ca?: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', CLIENT, url], {
    cwd: new URL('../..', import.meta.url).pathname,
    env: { ...process.env, ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }) },
    timeout: 20_000,
  })
  return stdout.trim()
}

test('mqtts:// reaches a broker whose CA Node trusts, and publishes and hears by it', async () => {
  assert.equal(await client(`mqtts://127.0.0.1:${good}/lab`, at('lab.pem')), 'said over TLS')
})

test('a broker whose CA nobody trusts is LINK_DOWN, and nothing is published', async () => {
  const { messages } = await broker.listen('lab/echo')
  assert.match(await client(`mqtts://127.0.0.1:${good}/lab`), /^LINK_DOWN .*can't be reached.*certificate/)
  assert.match(
    await client(`mqtts://127.0.0.1:${good}/lab`, at('other.pem')),
    /^LINK_DOWN .*can't be reached.*certificate/,
  )
  await broker.publish('lab/echo', 'the end')
  await eventually(() => messages.length > 0, { what: 'the listener hears' })
  assert.deepEqual(messages, [{ topic: 'lab/echo', payload: 'the end' }])
})

test('a certificate for another name is LINK_DOWN, although its CA is trusted', async () => {
  assert.match(
    await client(`mqtts://127.0.0.1:${wrongName}/lab`, at('other.pem')),
    /^LINK_DOWN .*127\.0\.0\.1/,
  )
})

test('mqtts:// to a port without TLS, and mqtt:// to one with, are LINK_DOWN within the time-out', async () => {
  assert.match(await client(`mqtts://127.0.0.1:${broker.port}/lab`, at('lab.pem')), /^LINK_DOWN /)
  assert.match(await client(`mqtt://127.0.0.1:${good}/lab`), /^LINK_DOWN /)
})
