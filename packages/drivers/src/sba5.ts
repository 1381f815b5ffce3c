import {
  type Fault,
  fault,
  GolemError,
  type LineDriver,
  type LineIo,
  type Model,
  type ParameterSpec,
  type Readings,
  type Value,
} from '@golem/core'
import { isSba5Line, type Measurement, parseSba5Line } from './sba5-lines.ts'
import { SETTINGS, type SettingName, settingText } from './sba5-settings.ts'
import { shown } from './http-reply.ts'

interface Sba5Options {
  mode?: 'polled' | 'streamed'
  zeroEveryMinutes?: number
  zeroLength?: 'S' | 'M' | 'L'
  decimals?: number
}

type Phase = 'unknown' | 'warming' | 'zeroing' | 'measuring'
type Found = Record<string, Value | Fault>

/** All columns and the status (mask 252). */
const FIELD_MASK = 252
/** The longest wait for the echo and the OK of a command, each, in ms. */
const ACKNOWLEDGE_MS = 1000
/** The longest wait for a measurement, in ms. */
const MEASURE_MS = 2000
/** Warm-up and zero lines come about once a second; after this much silence that is over, in ms. */
const BUSY_LINE_MS = 3000
/** Three periods of the slowest fixed output interval (1.6 s, old units), in ms. */
const STREAM_SILENCE_MS = 4800
/** In less than this it can't have been off and warm again unseen, in ms. */
const MEMORY_MS = 10_000
/** Between ending the continuous display and the first command, in ms. */
const SETTLE_MS = 300

/**
 * PP Systems SBA-5 CO2 analyser. Single characters act at once, other commands need a line end; each of those
 * is acknowledged by its echo and then OK.
 */
export const sba5: Model = {
  id: 'sba5',
  label: 'PP Systems SBA-5',
  kind: 'gas analyser',
  source:
    'SBA-5 Operation Manual v1.06 as quoted in github.com/houseofbigseals/ros_farmer_pc (sba5_device.py); sample lines of a ROS 2 driver for the same instrument',
  transport: 'line',
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      mode: {
        type: 'string',
        enum: ['polled', 'streamed'],
        default: 'polled',
        description: 'polled: golem asks for each measurement; streamed: the analyser sends them by itself',
      },
      zeroEveryMinutes: {
        type: 'integer',
        minimum: -10_000,
        maximum: 10_000,
        description:
          'Time between zeros in minutes, 0: none. Setting it starts a zero, so each new connection begins with one',
      },
      zeroLength: {
        type: 'string',
        enum: ['S', 'M', 'L'],
        description: 'Length of a zero: about 21, 40 or 90 s',
      },
      decimals: { type: 'integer', minimum: 0, maximum: 2, default: 2, description: 'Decimals of CO2' },
    },
  },
  create: (options) => createSba5(options as Sba5Options),
}

function createSba5(options: Sba5Options): LineDriver {
  const { mode = 'polled', decimals = 2 } = options
  const streamed = mode === 'streamed'
  /** What golem brings it to when it is initialised: the site's options, then what people set. */
  const wanted = new Map<SettingName, Value>([['pump', true]])
  if (options.zeroLength !== undefined) wanted.set('zeroLength', options.zeroLength)
  if (options.zeroEveryMinutes !== undefined) wanted.set('zeroEvery', options.zeroEveryMinutes)
  /** What it has acknowledged since then. It can't be asked for these. */
  const acknowledged = new Map<SettingName, Value>()
  let phase: Phase = 'unknown'
  let configured = false
  let humiditySeen = false
  /** When it was last heard, by the monotonic clock. */
  let heardAt = -Infinity
  /** A line came by itself since the last poll; its readings have been handed over then. */
  let heard = false

  /** Takes what a line says into account. @throws REPLY_MALFORMED */
  const take = (line: string): Found => {
    const said = parseSba5Line(line, FIELD_MASK)
    heardAt = performance.now()
    switch (said.kind) {
      case 'warming':
        // It warms up after power-up only: what was set before is gone.
        if (phase === 'measuring' || phase === 'zeroing') forget()
        phase = 'warming'
        return { state: 'warming', status: 'warming up', warmupTemperature: said.celsius }
      case 'zeroing': {
        const { step, steps } = said
        phase = step < steps ? 'zeroing' : 'measuring'
        return {
          state: phase,
          status: `zero: ${step} of ${steps}`,
          zeroProgress: Math.round((100 * step) / steps),
        }
      }
      case 'measurement':
        phase = 'measuring'
        humiditySeen ||= said.humidityMbar !== 0 || said.humiditySensorCelsius !== 0
        return readingsOf(said, humiditySeen)
    }
  }

  const forget = (): void => {
    acknowledged.clear()
    configured = false
  }

  const set = async (io: LineIo, name: SettingName, value: Value): Promise<void> => {
    // From here until the acknowledgement nobody knows which value holds.
    acknowledged.delete(name)
    await command(io, settingText(name, value))
    acknowledged.set(name, value)
    if (name === 'zeroEvery' && value !== 0 && phase === 'measuring') phase = 'zeroing'
  }

  const configure = async (io: LineIo): Promise<void> => {
    await command(io, `F${FIELD_MASK}`)
    await command(io, `C${decimals}`)
    // In the order of the table: the length of a zero before the interval, which starts one.
    for (const name of SETTINGS.keys()) {
      const value = wanted.get(name)
      if (value !== undefined && acknowledged.get(name) !== value) await set(io, name, value)
    }
    configured = true
  }

  /** Waits for a line, unless one came since the last poll: its readings keep the time at which it came. */
  const listen = async (io: LineIo, timeoutMs: number): Promise<Found> => {
    const since = heard
    heard = false
    return since ? {} : take(await io.expect({ accept: isSba5Line, timeoutMs }))
  }

  /** What it says of itself while it warms up or zeroes; undefined: it does neither. */
  const busy = async (io: LineIo): Promise<Found | undefined> => {
    if (phase !== 'warming' && phase !== 'zeroing') return undefined
    try {
      return await listen(io, BUSY_LINE_MS)
    } catch (error) {
      if (!(error instanceof GolemError) || error.code !== 'REPLY_TIMEOUT') throw error
      phase = 'unknown'
      return undefined
    }
  }

  const ask = (io: LineIo): Promise<string> => io.ask('M', { accept: isSba5Line, timeoutMs: MEASURE_MS })

  const measure = async (io: LineIo): Promise<Found> => {
    heard = false
    if (phase === 'measuring' && !configured) {
      await configure(io)
      const zero = await busy(io)
      if (zero) return zero
    }
    const line = await ask(io)
    if (configured || !line.trim().startsWith('M')) return take(line)
    // It measures now, for the first time since it was connected; its columns may be others.
    await configure(io)
    return (await busy(io)) ?? take(await ask(io))
  }

  const setting = (name: SettingName): Pick<ParameterSpec<LineIo>, 'write'> => ({
    write: async (io, value) => {
      await set(io, name, value)
      wanted.set(name, value)
    },
  })

  return {
    transport: 'line',
    link: {
      sendTerminator: '\r\n',
      receiveTerminator: '\r\n',
      replyTimeoutMs: MEASURE_MS,
      quietMs: 300,
      baudRate: 19_200,
    },
    parameters: {
      ...measured(decimals),
      ...Object.fromEntries([...SETTINGS].map(([name, { spec }]) => [name, { ...spec, ...setting(name) }])),
    },
    actions: {
      zero: {
        label: 'Zero now',
        group: 'Sensors',
        note: 'The analyser measures no CO2 while it zeroes, for 21 to 90 s.',
        run: async (io) => {
          await io.ask('Z', {
            accept: (line) => line.trim() === 'Z' || line.startsWith('Z,'),
            timeoutMs: BUSY_LINE_MS,
          })
          if (phase === 'measuring') phase = 'zeroing'
        },
      },
    },
    identify: async (io) => {
      heard = false
      phase = 'unknown'
      const letter = (await identification(io)).trim()[0]
      phase = letter === 'W' ? 'warming' : letter === 'Z' ? 'zeroing' : 'measuring'
    },
    initialise: async (io) => {
      // Setting the time between zeros starts a zero: a bad line must not cost half a minute of measurements.
      const zeroEvery = performance.now() - heardAt < MEMORY_MS ? acknowledged.get('zeroEvery') : undefined
      forget()
      if (zeroEvery !== undefined) acknowledged.set('zeroEvery', zeroEvery)
      await io.send('!')
      await io.sleep(SETTLE_MS)
      // Otherwise later: in warm-up it need not answer, and a new zero interval would start a zero anew.
      if (phase === 'measuring') await configure(io)
      if (streamed) await io.send('@')
    },
    readAll: async (io) => {
      if (streamed && phase === 'measuring' && !configured) await configure(io)
      const found = streamed ? await listen(io, STREAM_SILENCE_MS) : ((await busy(io)) ?? (await measure(io)))
      return { ...found, ...Object.fromEntries(acknowledged) }
    },
    unsolicited: (line): Readings | undefined => {
      if (!isSba5Line(line)) return undefined
      try {
        const found = take(line)
        heard = true
        return found
      } catch (error) {
        // Half a line, or other columns: no measurement. A line that was asked for is judged in readAll.
        if (error instanceof GolemError) return undefined
        throw error
      }
    },
  }
}

/**
 * Any line of an SBA-5, in whatever phase it is.
 *
 * @throws WRONG_INSTRUMENT when something else came, REPLY_TIMEOUT when nothing did
 */
async function identification(io: LineIo): Promise<string> {
  let strange: string | undefined
  const accept = (line: string): boolean => {
    if (isSba5Line(line)) return true
    // Whether single characters are echoed is not settled.
    if (!['', 'M', 'OK'].includes(line.trim())) strange = line
    return false
  }
  try {
    return await io.ask('M', { accept, timeoutMs: BUSY_LINE_MS })
  } catch (error) {
    if (strange === undefined || !(error instanceof GolemError) || error.code !== 'REPLY_TIMEOUT') throw error
    throw new GolemError('WRONG_INSTRUMENT', `This is not an SBA-5: it answered ${shown(strange)} to M.`, {
      cause: error,
    })
  }
}

/** Sends a string command and waits for its echo, then for OK. Other lines may come between. */
async function command(io: LineIo, text: string): Promise<void> {
  await io.ask(text, { accept: (line) => line.trim() === text, timeoutMs: ACKNOWLEDGE_MS })
  await io.expect({ accept: (line) => line.trim() === 'OK', timeoutMs: ACKNOWLEDGE_MS })
}

function readingsOf(measurement: Measurement, humiditySeen: boolean): Found {
  const { status } = measurement
  const found: Found = {
    co2: status?.fault ? fault(`The analyser reports: ${status.text}.`) : measurement.ppm,
    state: status?.fault ? 'fault' : 'measuring',
  }
  const put = (name: string, value: number | undefined): void => {
    if (value !== undefined) found[name] = value
  }
  put('temperature', measurement.temperature)
  put('pressure', measurement.pressureMbar)
  put('detectorTemperature', measurement.detectorCelsius)
  put('sourceTemperature', measurement.sourceCelsius)
  if (status) found['status'] = status.text
  const { humidityMbar, humiditySensorCelsius } = measurement
  if (humidityMbar !== 0 || humiditySensorCelsius !== 0) {
    put('humidity', humidityMbar)
    put('humiditySensorTemperature', humiditySensorCelsius)
  } else if (humiditySeen) {
    const gone = fault('The analyser reports 0 mbar at 0 °C: its humidity sensor does not answer any more.')
    found['humidity'] = gone
    found['humiditySensorTemperature'] = gone
  }
  return found
}

function measured(decimals: number): Record<string, ParameterSpec<LineIo>> {
  const celsius = (label: string): ParameterSpec<LineIo> => ({
    label,
    type: 'number',
    unit: '°C',
    decimals: 1,
    group: 'Sensors',
  })
  const mbar = { type: 'number', unit: 'mbar', group: 'Sensors' } as const
  const noSensor = 'No reading when no humidity sensor is fitted.'
  return {
    co2: { label: 'CO2', type: 'number', unit: 'ppm', decimals, group: 'Sensors' },
    state: {
      label: 'State',
      type: 'choice',
      choices: ['warming', 'zeroing', 'measuring', 'fault'],
      group: 'Sensors',
    },
    status: { label: 'Status', type: 'text', group: 'Sensors' },
    temperature: celsius('Analyser temperature'),
    humidity: { ...mbar, label: 'Humidity', decimals: 2, note: noSensor },
    humiditySensorTemperature: { ...celsius('Humidity sensor temperature'), note: noSensor },
    pressure: { ...mbar, label: 'Pressure', decimals: 0 },
    detectorTemperature: celsius('Detector temperature'),
    sourceTemperature: celsius('Source temperature'),
    warmupTemperature: { ...celsius('Warm-up temperature'), note: 'Read while it warms up, to 55 °C.' },
    zeroProgress: {
      label: 'Progress of the zero',
      type: 'number',
      unit: '%',
      decimals: 0,
      group: 'Sensors',
      note: 'Of the zero that runs, or ran last.',
    },
  }
}
