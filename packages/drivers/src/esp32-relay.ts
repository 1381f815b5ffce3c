import {
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

/** Reported for a sensor that is not fitted or was not read, °C or %. */
const NO_SENSOR = -255

const CHANNELS = [0, 1, 2, 3] as const

/** Parameter, field of /info, label, unit. */
const SENSORS = [
  ['externalTemperature', 'ext_temp', 'External temperature', '°C'],
  ['externalHumidity', 'ext_hum', 'External humidity', '%'],
  ['internalTemperature', 'int_temp', 'Internal temperature', '°C'],
  ['internalHumidity', 'int_hum', 'Internal humidity', '%'],
  ['rootsTemperature', 'roots_temp', 'Roots temperature', '°C'],
] as const

const REFUSALS = [
  'RESULT: ERROR Failed to parse JSON',
  'RESULT: ERROR Invalid channel type',
  'RESULT: ERROR Invalid state type',
  'RESULT: ERROR invalid params!',
]

/** ESP32 board with four relays and up to three sensors (DHT11, DHT22, DS18B20). */
export const esp32Relay: Model = {
  id: 'esp32-relay',
  label: 'ESP32 relay board',
  kind: 'relay board',
  source: 'github.com/houseofbigseals/esp32_relay, commit 96fc5f0: README and main/',
  transport: 'http',
  optionsSchema: { type: 'object', properties: {}, additionalProperties: false },
  create: (): HttpDriver => ({
    transport: 'http',
    link: { connectTimeoutMs: 2000, replyTimeoutMs: 2000 },
    parameters: {
      ...Object.fromEntries(CHANNELS.map((channel) => [`relay${channel}`, relay(channel)])),
      ...Object.fromEntries(
        SENSORS.map(([name, , label, unit]) => [
          name,
          { label, type: 'number', unit, decimals: 2, group: 'Sensors' } satisfies ParameterSpec<HttpIo>,
        ]),
      ),
      uptime: { label: 'Time since the board started', type: 'integer', unit: 's' },
    },
    actions: { reset: resetAction('Relays') },
    identify: (io) => identifyBy('an ESP32 relay board', () => readInfo(io)),
    readAll: (io) => readInfo(io),
    uptime: 'uptime',
  }),
}

function relay(channel: number): ParameterSpec<HttpIo> {
  return {
    label: `Relay ${channel}`,
    type: 'boolean',
    group: 'Relays',
    safe: false,
    write: (io, value) => setRelay(io, channel, value === true),
  }
}

/**
 * Switches one relay. Repeating it is harmless.
 *
 * Wire: POST /relay `{"channel":0,"state":1}` -> `RESULT: SUCCESS` LF ` Relay: 0, set to state: 1` LF
 *
 * @throws INSTRUMENT_REFUSED for the four error texts; REPLY_MALFORMED for anything else, also when the
 *   answer is about another relay or state
 */
async function setRelay(io: HttpIo, channel: number, on: boolean): Promise<void> {
  const state = on ? 1 : 0
  const text = (await postShort(io, '/relay', JSON.stringify({ channel, state }))).trim()
  const wanted = `relay ${channel} to ${state}`
  if (REFUSALS.includes(text)) {
    throw new GolemError('INSTRUMENT_REFUSED', `The board refused to set ${wanted}: ${shown(text)}.`)
  }
  const echoed = /^RESULT: SUCCESS\s+Relay: (\d+), set to state: (\d+)$/.exec(text)
  if (!echoed || Number(echoed[1]) !== channel || Number(echoed[2]) !== state) {
    throw new GolemError('REPLY_MALFORMED', `The board answered ${shown(text)} when it was to set ${wanted}.`)
  }
}

/** GET /info: everything the board knows. @throws REPLY_MALFORMED */
async function readInfo(io: HttpIo): Promise<Record<string, Value | Fault>> {
  return parseInfo(textOf(await io.get('/info'), 'GET /info'))
}

function parseInfo(text: string): Record<string, Value | Fault> {
  const info = jsonObject(text, 'GET /info')
  const readings: Record<string, Value | Fault> = {}
  for (const channel of CHANNELS) {
    const state = numberField(info, `ch${channel}`, 'GET /info', { min: 0, max: 1, whole: true })
    readings[`relay${channel}`] = state === 1
  }
  for (const [name, field] of SENSORS) {
    const value = rounded(numberField(info, field, 'GET /info'), 2)
    readings[name] =
      value === NO_SENSOR
        ? fault('The board reports -255: the sensor is not fitted, or did not answer.')
        : value
  }
  readings['uptime'] = numberField(info, 'uptime', 'GET /info', { min: 0, whole: true })
  return readings
}
