import type { Clock } from '@golem/core'
import {
  type BoardReply,
  type BoardRequest,
  type Circumstances,
  type Firmware,
  misread,
  plain,
} from './board-reply.ts'
import { type ChamberName, follow } from './chamber.ts'
import type { PwmLampSpec } from './device.ts'
import {
  NO_VALUE,
  parsedPiece,
  parseJsonBody,
  resetReply,
  tabbedJson,
  toInteger,
  unknownRequest,
} from './esp32.ts'
import type { Stand } from './stand.ts'

const ROUTES = { '/info': 'GET', '/pwm': 'POST', '/reset': 'POST' } as const

/** A success takes at least this long, ms. */
const PWM_TAKES_MS = 10
/** The driver board warms by this much at full power, K, with this rate per second. */
const BOARD_WARMING = 18
const BOARD_RATE = 1 / 60

/**
 * Firmware of the ESP32 lamp driver with four channels. The duty it reports is what it reads back from the
 * PWM hardware: as asked, but 1 after a 0.
 */
export class PwmLamp implements Firmware {
  readonly #clock: Clock
  readonly #stand: Stand
  readonly #lights: ChamberName | undefined
  readonly #infoDelayMs: number
  readonly #macAddress: string | undefined
  /** What the lamp really does, and what the firmware says about it; they differ after a 0. */
  readonly #duties = [0, 0, 0, 0]
  readonly #reported = [0, 0, 0, 0]
  #bootedAt: number
  #boardTemperature: number
  #warmedTo: number

  constructor(spec: PwmLampSpec, stand: Stand, clock: Clock) {
    this.#clock = clock
    this.#stand = stand
    this.#lights = spec.lights
    this.#infoDelayMs = spec.infoDelayMs ?? 40
    this.#macAddress = spec.macAddress
    this.#bootedAt = clock.now()
    this.#warmedTo = clock.now()
    this.#boardTemperature = stand.measure('room.temperature') + 3
  }

  respond(request: BoardRequest, how: Circumstances): BoardReply | null {
    const unknown = unknownRequest(request, ROUTES)
    if (unknown) return unknown
    switch (request.path) {
      case '/info':
        // Without its sensor the firmware runs into a failed assertion and starts anew.
        return how.sensorMissing ? null : this.#info(how)
      case '/pwm':
        return this.#pwm(request.body, how)
      default:
        return resetReply(request, how.act)
    }
  }

  powerOff(): void {
    this.#warm()
    for (let channel = 0; channel < 4; channel += 1) {
      this.#duties[channel] = 0
      this.#reported[channel] = 0
    }
    this.#shine()
  }

  boot(): void {
    this.#bootedAt = this.#clock.now()
  }

  state(): Record<string, unknown> {
    return { duties: [...this.#duties], uptime: this.#uptime(), boardTemperature: this.#warm() }
  }

  #info(how: Circumstances): BoardReply {
    const sixteenths = Math.round(this.#warm() * 16) / 16
    const fields: [string, number | string][] = [
      ...this.#reported.map((duty, channel): [string, number] => [
        `ch${channel}_pwm`,
        how.wrong?.fields ? misread(`ch${channel}_pwm`, duty, how) : duty,
      ]),
      ['pcb_temp', misread('pcb_temp', sixteenths, how)],
      ['lamp_temp', NO_VALUE],
    ]
    if (this.#macAddress !== undefined) fields.push(['mac_addr', this.#macAddress])
    fields.push(['uptime', how.wrong?.fields ? misread('uptime', this.#uptime(), how) : this.#uptime()])
    return {
      status: 200,
      contentType: 'application/json',
      body: tabbedJson(fields),
      takesMs: this.#infoDelayMs,
    }
  }

  #pwm(body: string, how: Circumstances): BoardReply {
    const { text, overrun } = parsedPiece(body)
    const refused = (text: string, close: boolean): BoardReply => plain(text, { close, clientFault: true })
    const command = parseJsonBody(text)
    if (command === undefined) return refused('RESULT: ERR_INCORRECT_JSON\n', true)
    if (typeof command['channel'] !== 'number') return refused('RESULT: ERR_INVALID_CHANNEL_NUM\n', true)
    if (typeof command['duty'] !== 'number') return refused('RESULT: ERR_INVALID_DUTY_VALUE\n', true)
    // Both go through 8 bits: 256 acts as 0, -1 as 255.
    const channel = toInteger(command['channel']) & 0xff
    const duty = toInteger(command['duty']) & 0xff
    if (channel > 3) return refused('RESULT: ERR_INVALID_CHANNEL_NUM\n;', false)
    if (duty > 100) return refused('RESULT: ERR_INVALID_DUTY_VALUE\n;', false)
    if (how.act) {
      this.#warm()
      this.#duties[channel] = duty
      this.#reported[channel] = readBack(duty)
      this.#shine()
    }
    const said = how.wrong === null ? readBack(duty) : readBack(100 - duty)
    return plain(`RESULT: PWM_OPERATION_SUCCESS\n; Set channel ${channel} to ${said} % pwm\n`, {
      acted: how.act,
      clientFault: overrun,
      takesMs: PWM_TAKES_MS,
    })
  }

  #shine(): void {
    if (this.#lights) this.#stand.light(this.#lights, this.#duties)
  }

  #uptime(): number {
    return Math.floor((this.#clock.now() - this.#bootedAt) / 1000)
  }

  /** Brings the temperature of the driver board up to now, °C. */
  #warm(): number {
    const now = this.#clock.now()
    const load = this.#duties.reduce((sum, duty) => sum + duty, 0) / 400
    const target = this.#stand.measure('room.temperature') + 3 + load * BOARD_WARMING
    const seconds = (now - this.#warmedTo) / 1000
    this.#boardTemperature = follow(this.#boardTemperature, target, BOARD_RATE, seconds)
    this.#warmedTo = now
    return this.#boardTemperature
  }
}

/** The duty in % as the firmware computes it back from the 13-bit register, in integers. */
function readBack(duty: number): number {
  const register = Math.trunc((8190 * duty) / 100)
  return Math.trunc((register * 100) / 8192) + 1
}
