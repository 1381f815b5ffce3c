import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, type HttpDriver } from '@golem/core'
import { type HttpScript, scriptedHttp, type ScriptedReply } from '@golem/transports/testing'
import { pwmLamp } from './pwm-lamp.ts'

const driver = pwmLamp.create({}) as HttpDriver

const info = (change: Record<string, unknown> = {}): string =>
  JSON.stringify({
    ch0_pwm: 30,
    ch1_pwm: 30,
    ch2_pwm: 40,
    ch3_pwm: 40,
    pcb_temp: 26.125,
    lamp_temp: -255,
    uptime: 77,
    ...change,
  })

const set = (channel: number, duty: number, shown = duty): HttpScript[number] => [
  'POST',
  '/pwm',
  `{"channel":${channel},"duty":${duty}}`,
  `RESULT: PWM_OPERATION_SUCCESS\n; Set channel ${channel} to ${shown} % pwm\n`,
]

const failing = (channel: number, duty: number, reply: ScriptedReply): HttpScript[number] => [
  'POST',
  '/pwm',
  `{"channel":${channel},"duty":${duty}}`,
  reply,
]

/** Writes, following the script; the error it ends in, if any. */
async function write(name: string, value: number, script: HttpScript): Promise<GolemError | undefined> {
  const io = scriptedHttp(script)
  try {
    await driver.parameters[name]?.write?.(io, value)
    return undefined
  } catch (error) {
    assert.ok(error instanceof GolemError, String(error))
    return error
  } finally {
    io.done()
  }
}

test('one GET /info fills everything, with and without mac_addr', async () => {
  const io = scriptedHttp([
    ['GET', '/info', null, info()],
    ['GET', '/info', null, info({ mac_addr: 'AA:BB:CC:DD:EE:FF' })],
  ])
  const readings = await driver.readAll(io, new Set())
  assert.deepEqual(readings, {
    red: 40,
    white: 30,
    channel0: 30,
    channel1: 30,
    channel2: 40,
    channel3: 40,
    boardTemperature: 26.125,
    uptime: 77,
  })
  assert.deepEqual(await driver.readAll(io, new Set()), readings)
  assert.deepEqual(Object.keys(driver.parameters), Object.keys(readings))
})

test('a colour whose channels differ is a fault that names both', async () => {
  const io = scriptedHttp([['GET', '/info', null, info({ ch3_pwm: 30, pcb_temp: -255 })]])
  const { red, white, boardTemperature } = await driver.readAll(io, new Set())
  assert.deepEqual(red, { fault: 'channels differ: 40 and 30 %' })
  assert.equal(white, 30)
  assert.equal(typeof boardTemperature, 'object')
})

test('/info of another board is WRONG_INSTRUMENT, a duty of 101 REPLY_MALFORMED', async () => {
  await assert.rejects(driver.identify(scriptedHttp([['GET', '/info', null, '{"ch0":1,"uptime":3}']])), {
    code: 'WRONG_INSTRUMENT',
  })
  const polled = driver.readAll(scriptedHttp([['GET', '/info', null, info({ ch0_pwm: 101 })]]), new Set())
  await assert.rejects(polled, { code: 'REPLY_MALFORMED' })
})

test('red writes channels 2 and 3, white 0 and 1, a channel only itself', async () => {
  assert.equal(await write('red', 40, [set(2, 40), set(3, 40)]), undefined)
  assert.equal(await write('white', 100, [set(0, 100), set(1, 100)]), undefined)
  assert.equal(await write('channel3', 7, [set(3, 7)]), undefined)
})

test('1 % is accepted after 0 %, in the answer and when read back; anything else is not', async () => {
  assert.equal(await write('red', 0, [set(2, 0, 1), set(3, 0, 1)]), undefined)
  assert.equal(await write('channel0', 0, [set(0, 0, 0)]), undefined)
  assert.equal((await write('channel0', 5, [set(0, 5, 1)]))?.code, 'REPLY_MALFORMED')
  assert.equal((await write('channel0', 5, [failing(0, 5, set(1, 5)[3])]))?.code, 'REPLY_MALFORMED')
  const matches = driver.parameters['red']?.matches
  assert.deepEqual(
    [matches?.(0, 1), matches?.(0, 0), matches?.(0, 2), matches?.(1, 0)],
    [true, true, false, false],
  )
})

for (const text of [
  'RESULT: ERR_INCORRECT_JSON\n',
  'RESULT: ERR_INVALID_CHANNEL_NUM\n;',
  'RESULT: ERR_INVALID_DUTY_VALUE\n;',
  'RESULT: ERR_INVALID_DUTY_VALUE\n',
]) {
  test(`the answer ${JSON.stringify(text)} is INSTRUMENT_REFUSED, and the second channel is left alone`, async () => {
    const error = await write('red', 40, [failing(2, 40, text)])
    assert.equal(error?.code, 'INSTRUMENT_REFUSED')
  })
}

test('when the second channel fails the error names the split state, and its effect is not none', async () => {
  const refused = await write('red', 40, [set(2, 40), failing(3, 40, 'RESULT: ERR_INVALID_DUTY_VALUE\n;')])
  assert.equal(refused?.code, 'READBACK_MISMATCH')
  assert.match(refused?.message ?? '', /red is split now: channel 2 is at 40 %, channel 3 was not confirmed/)
  const away = await write('red', 40, [set(2, 40), failing(3, 40, new GolemError('LINK_DOWN', 'away'))])
  assert.equal(away?.code, 'LINK_LOST')
  const silent = await write('red', 40, [set(2, 40), failing(3, 40, new GolemError('REPLY_TIMEOUT', '...'))])
  assert.equal(silent?.code, 'REPLY_TIMEOUT')
  for (const error of [refused, away, silent]) assert.notEqual(error?.effect, 'none')
})

test('to switch off, the second channel is tried even if the first failed', async () => {
  const silent = new GolemError('REPLY_TIMEOUT', 'silent')
  const split = await write('red', 0, [failing(2, 0, silent), set(3, 0, 1)])
  assert.equal(split?.code, 'REPLY_TIMEOUT')
  assert.match(split?.message ?? '', /channel 3 is at 0 %, channel 2 was not confirmed/)
  const down = new GolemError('LINK_DOWN', 'away')
  assert.equal((await write('red', 0, [failing(2, 0, down), failing(3, 0, down)]))?.code, 'LINK_DOWN')
  assert.equal((await write('red', 0, [failing(2, 0, down), failing(3, 0, silent)]))?.code, 'REPLY_TIMEOUT')
})

test('a duty that 8 bits would turn into another one is never sent', async () => {
  for (const duty of [256, -1, 101, 0.5, NaN])
    assert.equal((await write('channel0', duty, []))?.code, 'OUT_OF_RANGE')
})
