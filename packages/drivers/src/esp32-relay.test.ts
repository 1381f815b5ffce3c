import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpDriver } from '@golem/core'
import { scriptedHttp } from '@golem/transports/testing'
import { esp32Relay } from './esp32-relay.ts'

const driver = esp32Relay.create({}) as HttpDriver

const INFO = `{
\t"ch0":\t1,
\t"ch1":\t0,
\t"ch2":\t0,
\t"ch3":\t1,
\t"pcb_temp":\t-255,
\t"roots_temp":\t-255,
\t"ext_temp":\t23.2999992370605,
\t"ext_hum":\t41,
\t"int_temp":\t24.1000003814697,
\t"int_hum":\t55.5999984741211,
\t"uptime":\t1234
}`

const changed = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...(JSON.parse(INFO) as object), ...change })

test('one GET /info fills everything; a sensor that reports -255 is a fault', async () => {
  const io = scriptedHttp([['GET', '/info', null, INFO]])
  const { rootsTemperature, ...readings } = await driver.readAll(io, new Set())
  assert.deepEqual(readings, {
    relay0: true,
    relay1: false,
    relay2: false,
    relay3: true,
    externalTemperature: 23.3,
    externalHumidity: 41,
    internalTemperature: 24.1,
    internalHumidity: 55.6,
    uptime: 1234,
  })
  assert.match((rootsTemperature as { fault: string }).fault, /-255/)
  assert.deepEqual(
    Object.keys(driver.parameters).sort(),
    [...Object.keys(readings), 'rootsTemperature'].sort(),
  )
  io.done()
})

for (const [what, text] of [
  ['no JSON', '<html>'],
  ['cut JSON', INFO.slice(0, 80)],
  ['a list', '[]'],
  ['a relay state of 2', changed({ ch1: 2 })],
  ['a relay state that is a text', changed({ ch1: '1' })],
  ['a temperature that is null', changed({ int_temp: null })],
  ['no uptime', changed({ uptime: undefined })],
  ['a negative uptime', changed({ uptime: -1 })],
] as const) {
  test(`/info with ${what} is REPLY_MALFORMED when polled, WRONG_INSTRUMENT when identified`, async () => {
    const polled = driver.readAll(scriptedHttp([['GET', '/info', null, text]]), new Set())
    await assert.rejects(polled, { code: 'REPLY_MALFORMED' })
    const identified = driver.identify(scriptedHttp([['GET', '/info', null, text]]))
    await assert.rejects(identified, { code: 'WRONG_INSTRUMENT' })
  })
}

test('an HTTP error is REPLY_MALFORMED, a demand for a password LINK_DOWN', async () => {
  const answering = (status: number): Promise<unknown> =>
    driver.readAll(scriptedHttp([['GET', '/info', null, { status, text: '' }]]), new Set())
  await assert.rejects(answering(500), { code: 'REPLY_MALFORMED' })
  await assert.rejects(answering(401), { code: 'LINK_DOWN', message: /"auth"/ })
})

test('a relay is switched by channel and state, and the answer has to name both', async () => {
  const io = scriptedHttp([
    ['POST', '/relay', '{"channel":2,"state":1}', 'RESULT: SUCCESS\n Relay: 2, set to state: 1\n'],
    ['POST', '/relay', '{"channel":2,"state":0}', 'RESULT: SUCCESS\n Relay: 2, set to state: 0\n'],
  ])
  await driver.parameters['relay2']?.write?.(io, true)
  await driver.parameters['relay2']?.write?.(io, false)
  io.done()
})

for (const [text, code] of [
  ['RESULT: ERROR Failed to parse JSON\n', 'INSTRUMENT_REFUSED'],
  ['RESULT: ERROR Invalid channel type\n', 'INSTRUMENT_REFUSED'],
  ['RESULT: ERROR Invalid state type\n', 'INSTRUMENT_REFUSED'],
  ['RESULT: ERROR invalid params!\n', 'INSTRUMENT_REFUSED'],
  ['RESULT: SUCCESS\n Relay: 1, set to state: 1\n', 'REPLY_MALFORMED'],
  ['RESULT: SUCCESS\n Relay: 0, set to state: 0\n', 'REPLY_MALFORMED'],
  ['RESULT: SUCCESS\n', 'REPLY_MALFORMED'],
  ['SUCCESS', 'REPLY_MALFORMED'],
  ['', 'REPLY_MALFORMED'],
] as const) {
  test(`the answer ${JSON.stringify(text)} to switching relay 0 on is ${code}`, async () => {
    const io = scriptedHttp([['POST', '/relay', '{"channel":0,"state":1}', text]])
    await assert.rejects(async () => driver.parameters['relay0']?.write?.(io, true), { code })
  })
}

test('only the whole sentence says that the board restarts', async () => {
  const reset = (text: string): Promise<unknown> | undefined =>
    driver.actions['reset']?.run(scriptedHttp([['POST', '/reset', 'force_reset', text]]), {})
  await reset('User have sent force reset command, so rebooting\n')
  await assert.rejects(async () => reset('User have sent incorrect reset command, so no rebooting\n'), {
    code: 'INSTRUMENT_REFUSED',
  })
  await assert.rejects(async () => reset('rebooting'), { code: 'REPLY_MALFORMED' })
})
