import assert from 'node:assert/strict'
import http from 'node:http'
import { type TestContext, test } from 'node:test'
import { startSimulator } from './simulator.ts'

async function makeControl(t: TestContext) {
  const simulator = await startSimulator({
    devices: [{ name: 'relay-1', kind: 'esp32-relay' }],
    controlPort: 0,
  })
  t.after(() => simulator.close())
  const ask = async (method: string, path: string, body?: string) => {
    const reply = await fetch((simulator.control ?? '') + path, { method, ...(body ? { body } : {}) })
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
  }
  return { simulator, ask, board: simulator.device('relay-1') }
}

test('devices are listed with address, fault and state', async (t) => {
  const { ask, board } = await makeControl(t)
  const { body } = await ask('GET', '/devices')
  const [first] = body as unknown as Record<string, unknown>[]
  assert.equal(first?.['name'], 'relay-1')
  assert.equal(first?.['address'], board.address)
  assert.equal(first?.['fault'], null)
  const { relays } = (first?.['state'] ?? {}) as { relays?: number[] }
  assert.deepEqual(relays, [0, 0, 0, 0])
})

test('counters and requests can be read and reset from outside', async (t) => {
  const { ask, board } = await makeControl(t)
  await (await fetch(`${board.address}/info`)).text()
  assert.deepEqual((await ask('GET', '/devices/relay-1/counters')).body, { 'GET /info': 1 })
  const requests = (await ask('GET', '/devices/relay-1/requests')).body as unknown as { path: string }[]
  assert.deepEqual(
    requests.map(({ path }) => path),
    ['/info'],
  )
  assert.deepEqual((await ask('DELETE', '/devices/relay-1/counters')).body, {})
})

test('a fault can be set, read and taken back from outside', async (t) => {
  const { ask, board } = await makeControl(t)
  const fault = { kind: 'http500', times: 3 }
  assert.deepEqual((await ask('PUT', '/devices/relay-1/fault', JSON.stringify(fault))).body, fault)
  assert.equal((await fetch(`${board.address}/info`)).status, 500)
  assert.deepEqual((await ask('GET', '/devices/relay-1/fault')).body, { ...fault, times: 2 })
  assert.equal((await ask('DELETE', '/devices/relay-1/fault')).body, null)
  assert.equal((await fetch(`${board.address}/info`)).status, 200)
})

test('a device can be unplugged and plugged in again from outside', async (t) => {
  const { ask, board } = await makeControl(t)
  await ask('POST', '/devices/relay-1/unplug')
  await assert.rejects(fetch(`${board.address}/info`))
  await ask('POST', '/devices/relay-1/replug')
  assert.equal((await fetch(`${board.address}/info`)).status, 200)
})

test('the chambers can be looked into', async (t) => {
  const { ask } = await makeControl(t)
  const { body } = await ask('GET', '/stand')
  assert.equal((body['room'] as { co2: number }).co2, 430)
})

test('mistakes are answered with a code and a sentence', async (t) => {
  const { ask } = await makeControl(t)
  const wrong = await ask('PUT', '/devices/relay-1/fault', '{"kind":"explode"}')
  assert.deepEqual([wrong.status, wrong.body['code'], wrong.body['field']], [400, 'INVALID_REQUEST', '/kind'])
  assert.equal((await ask('PUT', '/devices/relay-1/fault', 'x')).status, 400)
  assert.equal((await ask('PUT', '/devices/relay-1/fault', 'x'.repeat(20_000))).status, 413)
  assert.equal((await ask('GET', '/devices/none/counters')).status, 404)
  assert.equal((await ask('POST', '/devices/relay-1/counters')).status, 404)
  assert.equal((await ask('GET', '/nothing')).status, 404)
})

test('web pages of other origins and other host names are refused', async (t) => {
  const { simulator } = await makeControl(t)
  const status = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = http.get(`${simulator.control ?? ''}/devices`, { headers }, (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      })
      request.on('error', reject)
    })
  assert.equal(await status({ Origin: 'http://evil.example' }), 403)
  assert.equal(await status({ Host: 'evil.example' }), 403)
  assert.equal(await status({}), 200)
})
