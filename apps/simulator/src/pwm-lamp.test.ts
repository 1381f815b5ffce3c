import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BoardReply, Circumstances } from './board-reply.ts'
import type { PwmLampSpec } from './device.ts'
import { PwmLamp } from './pwm-lamp.ts'
import { Stand } from './stand.ts'
import { manualClock } from './testing.ts'

const NORMAL: Circumstances = { act: true, wrong: null, sensorMissing: false }

function makeLamp(spec: Partial<PwmLampSpec> = {}) {
  const clock = manualClock()
  const stand = new Stand(clock, 1, 1, { noise: false })
  const lamp = new PwmLamp({ name: 'lamp-0', kind: 'pwm-lamp', lights: 'experiment', ...spec }, stand, clock)
  const ask = (method: string, path: string, body = '', how = NORMAL): BoardReply | null =>
    lamp.respond({ method, path, body, query: new URLSearchParams(), authorization: undefined }, how)
  const set = (channel: number, duty: number): string =>
    ask('POST', '/pwm', JSON.stringify({ channel, duty }))?.body ?? ''
  return { clock, stand, lamp, ask, set }
}

test('/info is tab-indented JSON, duties 0 after boot, temperature in sixteenths, and takes its time', () => {
  const { ask } = makeLamp()
  const reply = ask('GET', '/info')
  assert.equal(
    reply?.body,
    '{\n\t"ch0_pwm":\t0,\n\t"ch1_pwm":\t0,\n\t"ch2_pwm":\t0,\n\t"ch3_pwm":\t0,\n\t"pcb_temp":\t25.5,' +
      '\n\t"lamp_temp":\t-255,\n\t"uptime":\t0\n}',
  )
  assert.equal(reply?.takesMs, 40)
  assert.equal(makeLamp({ infoDelayMs: 800 }).ask('GET', '/info')?.takesMs, 800)
})

test('the newest firmware tells its MAC address before the uptime', () => {
  const { ask } = makeLamp({ macAddress: 'AA:BB:CC:DD:EE:FF' })
  assert.match(ask('GET', '/info')?.body ?? '', /\t"mac_addr":\t"AA:BB:CC:DD:EE:FF",\n\t"uptime":\t0\n}$/)
})

test('every duty reads back as it was set, except 0, which reads 1 while the lamp is off', () => {
  const { ask, set, lamp } = makeLamp()
  for (let duty = 1; duty <= 100; duty += 1) {
    assert.equal(set(2, duty), `RESULT: PWM_OPERATION_SUCCESS\n; Set channel 2 to ${duty} % pwm\n`)
  }
  assert.match(ask('GET', '/info')?.body ?? '', /"ch2_pwm":\t100,/)
  assert.equal(set(2, 0), 'RESULT: PWM_OPERATION_SUCCESS\n; Set channel 2 to 1 % pwm\n')
  assert.match(ask('GET', '/info')?.body ?? '', /"ch2_pwm":\t1,/)
  assert.deepEqual(lamp.state()['duties'], [0, 0, 0, 0])
  lamp.powerOff()
  assert.match(ask('GET', '/info')?.body ?? '', /"ch2_pwm":\t0,/)
})

const REFUSALS: [body: string, text: string, closes: boolean][] = [
  ['', 'RESULT: ERR_INCORRECT_JSON\n', true],
  ['{', 'RESULT: ERR_INCORRECT_JSON\n', true],
  ['{"duty":5}', 'RESULT: ERR_INVALID_CHANNEL_NUM\n', true],
  ['{"channel":"0","duty":5}', 'RESULT: ERR_INVALID_CHANNEL_NUM\n', true],
  ['{"channel":0}', 'RESULT: ERR_INVALID_DUTY_VALUE\n', true],
  ['{"channel":0,"duty":"5"}', 'RESULT: ERR_INVALID_DUTY_VALUE\n', true],
  ['{"channel":4,"duty":101}', 'RESULT: ERR_INVALID_CHANNEL_NUM\n;', false],
  ['{"channel":0,"duty":101}', 'RESULT: ERR_INVALID_DUTY_VALUE\n;', false],
  ['{"channel":0,"duty":-1}', 'RESULT: ERR_INVALID_DUTY_VALUE\n;', false],
  ['{"channel":-1,"duty":5}', 'RESULT: ERR_INVALID_CHANNEL_NUM\n;', false],
]

for (const [body, text, closes] of REFUSALS) {
  test(`POST /pwm ${body || 'without body'} is refused with ${JSON.stringify(text)}`, () => {
    const reply = makeLamp().ask('POST', '/pwm', body)
    assert.equal(reply?.body, text)
    assert.equal(reply?.close, closes)
    assert.ok(reply?.clientFault)
  })
}

test('channel and duty go through 8 bits', () => {
  const { set, lamp } = makeLamp()
  assert.match(set(256, 300), /Set channel 0 to 44 % pwm/)
  assert.deepEqual(lamp.state()['duties'], [44, 0, 0, 0])
})

test('the lamp lights its chamber and warms its board', () => {
  const { clock, stand, set, ask } = makeLamp()
  for (const channel of [0, 1, 2, 3]) set(channel, 100)
  assert.ok(stand.state().experiment.light > 1000)
  assert.equal(stand.state().control.light, 0)
  clock.pass(60)
  const info = JSON.parse(ask('GET', '/info')?.body ?? '') as { pcb_temp: number }
  assert.ok(info.pcb_temp > 33)
  assert.equal((info.pcb_temp * 16) % 1, 0)
})

test('without its sensor the lamp breaks down when /info is asked, and only then', () => {
  const { ask } = makeLamp()
  assert.equal(ask('GET', '/info', '', { ...NORMAL, sensorMissing: true }), null)
  assert.match(
    ask('POST', '/pwm', '{"channel":0,"duty":5}', { ...NORMAL, sensorMissing: true })?.body ?? '',
    /SUCCESS/,
  )
})

test('reset and unknown paths are as on the relay board', () => {
  const { ask } = makeLamp()
  assert.equal(ask('POST', '/reset', 'force_reset')?.rebootAfterMs, 1000)
  assert.equal(ask('POST', '/reset', 'no')?.rebootAfterMs, undefined)
  assert.equal(ask('GET', '/led')?.status, 404)
  assert.equal(ask('GET', '/pwm')?.status, 405)
})
