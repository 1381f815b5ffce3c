import type { Clock } from '@golem/core'
import {
  type BoardReply,
  type BoardRequest,
  type Circumstances,
  type Firmware,
  misread,
  plain,
} from './board-reply.ts'
import type { RelayBoardSpec, RelaySensor } from './device.ts'
import {
  float32,
  NO_VALUE,
  parsedPiece,
  parseJsonBody,
  resetReply,
  tabbedJson,
  toInteger,
  unknownRequest,
} from './esp32.ts'
import type { Actuator, Stand } from './stand.ts'

const SENSORS: readonly RelaySensor[] = ['roots_temp', 'ext_temp', 'ext_hum', 'int_temp', 'int_hum']

/** Resolution of what is fitted: DHT11 outside, DHT22 inside, DS18B20 in the roots (°C and %). */
const RESOLUTION: Readonly<Record<RelaySensor, number>> = {
  roots_temp: 1 / 16,
  ext_temp: 0.1,
  ext_hum: 1,
  int_temp: 0.1,
  int_hum: 0.1,
}

const ROUTES: Readonly<Record<string, string>> = {
  '/info': 'GET',
  ...Object.fromEntries(SENSORS.map((name) => [`/${name}`, 'GET'])),
  '/relay': 'POST',
  '/reset': 'POST',
}

/** The two headers without meaning that the board adds to `/info`. */
const INFO_HEADERS = [
  ['Custom-Header-1', 'Custom-Value-1'],
  ['Custom-Header-2', 'Custom-Value-2'],
] as const

/** Firmware of the ESP32 board with four relays and up to five sensors. */
export class RelayBoard implements Firmware {
  readonly #clock: Clock
  readonly #stand: Stand
  readonly #outputs: readonly (Actuator | null)[]
  readonly #probes: NonNullable<RelayBoardSpec['sensors']>
  readonly #cycleMs: number
  readonly #relays = [0, 0, 0, 0]
  #bootedAt: number
  /** Number of the sensor round whose values are in `#values`; 0: none yet. */
  #round = 0
  #values: Partial<Record<RelaySensor, number>> = {}

  constructor(spec: RelayBoardSpec, stand: Stand, clock: Clock) {
    this.#clock = clock
    this.#stand = stand
    this.#outputs = spec.outputs ?? []
    this.#probes = spec.sensors ?? {}
    this.#cycleMs = (spec.sensorCycleSeconds ?? 3.3) * 1000
    this.#bootedAt = clock.now()
  }

  respond(request: BoardRequest, how: Circumstances): BoardReply | null {
    const unknown = unknownRequest(request, ROUTES)
    if (unknown) return unknown
    switch (request.path) {
      case '/info':
        return this.#info(how)
      case '/relay':
        return this.#relay(request.body, how)
      case '/reset':
        return resetReply(request, how.act)
      default: {
        const name = request.path.slice(1) as RelaySensor
        return plain(Math.fround(this.#sensor(name, how)).toFixed(6))
      }
    }
  }

  powerOff(): void {
    this.#relays.forEach((_, channel) => this.#set(channel, 0))
  }

  boot(): void {
    this.#bootedAt = this.#clock.now()
    this.#round = 0
    this.#values = {}
  }

  state(): Record<string, unknown> {
    return { relays: [...this.#relays], uptime: this.#uptime(), sensors: { ...this.#values } }
  }

  #info(how: Circumstances): BoardReply {
    const fields: [string, number][] = [
      ...this.#relays.map((state, channel): [string, number] => [
        `ch${channel}`,
        // Measured values are what a wrong answer is about; relays only when they are named.
        how.wrong?.fields ? misread(`ch${channel}`, state, how) : state,
      ]),
      ['pcb_temp', NO_VALUE],
      ...SENSORS.map((name): [string, number] => [name, float32(this.#sensor(name, how))]),
      ['uptime', how.wrong?.fields ? misread('uptime', this.#uptime(), how) : this.#uptime()],
    ]
    return {
      status: 200,
      contentType: 'application/json',
      headers: INFO_HEADERS,
      body: tabbedJson(fields),
    }
  }

  #relay(body: string, how: Circumstances): BoardReply {
    const { text, overrun } = parsedPiece(body)
    const refused = (why: string, close: boolean): BoardReply =>
      plain(`RESULT: ERROR ${why}\n`, { close, clientFault: true })
    const command = parseJsonBody(text)
    if (command === undefined) return refused('Failed to parse JSON', true)
    if (typeof command['channel'] !== 'number') return refused('Invalid channel type', true)
    if (typeof command['state'] !== 'number') return refused('Invalid state type', true)
    const channel = toInteger(command['channel'])
    const state = toInteger(command['state'])
    if (channel < 0 || channel > 3 || (state !== 0 && state !== 1)) return refused('invalid params!', false)
    if (how.act) this.#set(channel, state)
    const said = how.wrong === null ? state : 1 - state
    return plain(`RESULT: SUCCESS\n Relay: ${channel}, set to state: ${said}\n`, {
      acted: how.act,
      clientFault: overrun,
    })
  }

  #set(channel: number, state: number): void {
    this.#relays[channel] = state
    const output = this.#outputs[channel]
    if (output) this.#stand.switch(output, state === 1)
  }

  #uptime(): number {
    return Math.floor((this.#clock.now() - this.#bootedAt) / 1000)
  }

  #sensor(name: RelaySensor, how: Circumstances): number {
    if (how.sensorMissing) return NO_VALUE
    this.#measure()
    return misread(name, this.#values[name] ?? NO_VALUE, how)
  }

  /** Takes the values of a new sensor round if one has ended since the last look. */
  #measure(): void {
    const round = Math.floor((this.#clock.now() - this.#bootedAt) / this.#cycleMs)
    if (round === this.#round) return
    this.#round = round
    for (const name of SENSORS) {
      const probe = this.#probes[name]
      if (probe === undefined) continue
      const step = RESOLUTION[name]
      this.#values[name] = Math.round(this.#stand.measure(probe) / step) * step
    }
  }
}
