import {
  asGolemError,
  type ErrorCode,
  type Fault,
  fault,
  GolemError,
  type HttpDriver,
  type HttpIo,
  type Model,
  type ParameterSpec,
  type Value,
} from '@golem/core'
import { postShort, resetAction, rounded } from './esp-board.ts'
import { identifyBy, jsonObject, numberField, shown, textOf } from './http-reply.ts'

const CHANNELS = [0, 1, 2, 3] as const

/** Which channels make a colour, as the lamps of that laboratory are wired. */
const COLOURS = { red: [2, 3], white: [0, 1] } as const

/** Reported for a sensor that is not there, °C. */
const NO_SENSOR = -255

const REFUSALS = [
  'RESULT: ERR_INCORRECT_JSON',
  'RESULT: ERR_INVALID_CHANNEL_NUM',
  'RESULT: ERR_INVALID_DUTY_VALUE',
]

const OFF_NOTE = 'The board reports 1 % for a lamp that was set to 0 %; the lamp is off then.'

/** ESP32 board with four PWM channels for LED lamps. */
export const pwmLamp: Model = {
  id: 'pwm-lamp',
  label: 'ESP32 PWM lamp',
  kind: 'lamp',
  source: 'github.com/houseofbigseals/pwm_lamp_v1, commit d36d196: README, main/main.c, main/leds_pwm.h',
  transport: 'http',
  optionsSchema: { type: 'object', properties: {}, additionalProperties: false },
  create: (): HttpDriver => ({
    transport: 'http',
    // The board measures its temperature inside the request: /info takes about 0.8 s.
    link: { connectTimeoutMs: 2000, replyTimeoutMs: 5000 },
    parameters: {
      red: colour('red', 'Red light'),
      white: colour('white', 'White light'),
      ...Object.fromEntries(CHANNELS.map((channel) => [`channel${channel}`, single(channel)])),
      boardTemperature: {
        label: 'Board temperature',
        type: 'number',
        unit: '°C',
        decimals: 2,
        group: 'Sensors',
      },
      uptime: { label: 'Time since the board started', type: 'integer', unit: 's' },
    },
    actions: { reset: resetAction('Lamps') },
    identify: (io) => identifyBy('an ESP32 PWM lamp', () => readInfo(io)),
    readAll: (io) => readInfo(io),
    uptime: 'uptime',
  }),
}

const DUTY = {
  type: 'integer',
  unit: '%',
  min: 0,
  max: 100,
  step: 1,
  group: 'Lamps',
  matches: (wanted: Value, got: Value) => got === wanted || (wanted === 0 && got === 1),
} as const

function colour(name: keyof typeof COLOURS, label: string): ParameterSpec<HttpIo> {
  return {
    ...DUTY,
    label,
    safe: 0,
    note: `Channels ${COLOURS[name].join(' and ')} together. ${OFF_NOTE}`,
    write: (io, value) => setBoth(io, name, Number(value)),
  }
}

function single(channel: number): ParameterSpec<HttpIo> {
  const owner = COLOURS.red.some((one) => one === channel) ? 'red' : 'white'
  return {
    ...DUTY,
    label: `Channel ${channel}`,
    note: `Part of ${owner}, through which the emergency stop switches it off. ${OFF_NOTE}`,
    write: (io, value) => setChannel(io, channel, Number(value)),
  }
}

/**
 * Sets one channel. Repeating it is harmless.
 *
 * Wire: POST /pwm `{"channel":2,"duty":40}` -> `RESULT: PWM_OPERATION_SUCCESS` LF `; Set channel 2 to 40 % pwm` LF.
 * After duty 0 the answer says 1 %.
 *
 * @param duty - 0 to 100 %
 * @throws INSTRUMENT_REFUSED for the three error texts; REPLY_MALFORMED for anything else
 */
async function setChannel(io: HttpIo, channel: number, duty: number): Promise<void> {
  // The firmware takes 8 bits: 256 would act as 0.
  if (!Number.isInteger(duty) || duty < 0 || duty > 100) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `Channel ${channel} takes whole numbers from 0 to 100 %, not ${duty}.`,
    )
  }
  const text = (await postShort(io, '/pwm', JSON.stringify({ channel, duty }))).trim()
  const wanted = `channel ${channel} to ${duty} %`
  if (REFUSALS.includes(text.replace(/\s*;$/, ''))) {
    throw new GolemError('INSTRUMENT_REFUSED', `The lamp refused to set ${wanted}: ${shown(text)}.`)
  }
  const echoed = /^RESULT: PWM_OPERATION_SUCCESS\s*;\s*Set channel (\d+) to (\d+) % pwm$/.exec(text)
  if (!echoed || Number(echoed[1]) !== channel || !DUTY.matches(duty, Number(echoed[2]))) {
    throw new GolemError('REPLY_MALFORMED', `The lamp answered ${shown(text)} when it was to set ${wanted}.`)
  }
}

/**
 * Sets both channels of a colour, one after the other. When the light is to go off, the second is tried even
 * if the first failed.
 *
 * @throws what a channel met; when the other one was set, the error names the split state and its effect is
 *   not none
 */
async function setBoth(io: HttpIo, name: keyof typeof COLOURS, duty: number): Promise<void> {
  const done: number[] = []
  const failed: { channel: number; error: GolemError }[] = []
  for (const channel of COLOURS[name]) {
    try {
      await setChannel(io, channel, duty)
      done.push(channel)
    } catch (error) {
      failed.push({ channel, error: asGolemError(error) })
      if (duty !== 0) break
    }
  }
  const worst = failed.find(({ error }) => error.effect !== 'none') ?? failed[0]
  if (!worst) return
  const { channel, error } = worst
  if (done.length === 0) throw error
  const sentence = `${name} is split now: channel ${done.join(', ')} is at ${duty} %, channel ${channel} was not confirmed. ${error.message}`
  throw new GolemError(splitCode(error), sentence, { cause: error })
}

/** This channel is as it was, but the colour is not: "none" would be wrong for the whole. */
function splitCode({ code, effect }: GolemError): ErrorCode {
  if (effect !== 'none') return code
  return code === 'INSTRUMENT_REFUSED' ? 'READBACK_MISMATCH' : 'LINK_LOST'
}

async function readInfo(io: HttpIo): Promise<Record<string, Value | Fault>> {
  return parseInfo(textOf(await io.get('/info'), 'GET /info'))
}

/** `lamp_temp` is never measured and `mac_addr` is missing in older firmware: neither is looked at. */
function parseInfo(text: string): Record<string, Value | Fault> {
  const info = jsonObject(text, 'GET /info')
  const duties = CHANNELS.map((channel) =>
    numberField(info, `ch${channel}_pwm`, 'GET /info', { min: 0, max: 100, whole: true }),
  )
  const together = ([one, other]: readonly [number, number]): Value | Fault => {
    const [a = 0, b = 0] = [duties[one], duties[other]]
    return a === b ? a : fault(`channels differ: ${a} and ${b} %`)
  }
  const temperature = rounded(numberField(info, 'pcb_temp', 'GET /info'), 3)
  return {
    red: together(COLOURS.red),
    white: together(COLOURS.white),
    ...Object.fromEntries(CHANNELS.map((channel) => [`channel${channel}`, duties[channel] ?? 0])),
    boardTemperature:
      temperature === NO_SENSOR ? fault('The board reports -255: its sensor did not answer.') : temperature,
    uptime: numberField(info, 'uptime', 'GET /info', { min: 0, whole: true }),
  }
}
