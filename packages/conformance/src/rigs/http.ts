import type { Model } from '@golem/core'
import {
  answererEnd,
  type DeviceSpec,
  esphomeDevice,
  FaultyWire,
  httpRequests,
  listenOn,
  startSimulator,
  tcpEnd,
} from '@golem/simulator'
import type { Refusal, Rig, RigMaker } from '../rig.ts'

interface Board {
  spec: DeviceSpec
  options?: Readonly<Record<string, unknown>>
  refusal?: Refusal
  drifting?: readonly string[]
}

/** How long a board is away when it reboots, in s. */
const REBOOT_SECONDS = 0.3

/** The boards of the simulator that speak HTTP, by the model that drives them. */
const BOARDS: Readonly<Record<string, () => Board>> = {
  'esp32-relay': () => ({
    spec: {
      name: 'board',
      kind: 'esp32-relay',
      sensorCycleSeconds: 0.01,
      sensors: {
        ext_temp: 'room.temperature',
        ext_hum: 'room.humidity',
        int_temp: 'experiment.temperature',
        int_hum: 'experiment.humidity',
        roots_temp: 'experiment.rootsTemperature',
      },
    },
    refusal: refusalOf(200, 'RESULT: ERROR invalid params!', /^POST \/relay/),
  }),
  'pwm-lamp': () => ({
    spec: { name: 'board', kind: 'pwm-lamp', infoDelayMs: 5 },
    // The lamp warms its board.
    drifting: ['boardTemperature'],
    refusal: refusalOf(200, 'RESULT: ERR_INVALID_DUTY_VALUE', /^POST \/pwm/),
  }),
  esphome: () => ({
    spec: { ...esphomeDevice(), name: 'board', pingSeconds: 1 },
    options: {
      entities: [
        { parameter: 'relay1', domain: 'switch', name: 'Relay 1' },
        {
          parameter: 'fanSpeed',
          domain: 'number',
          name: 'Fan Speed',
          unit: '%',
          min: 0,
          max: 100,
          step: 1,
          safe: 0,
        },
        { parameter: 'outside', domain: 'sensor', name: 'Outside Temperature', unit: '°C' },
        { parameter: 'pump', domain: 'binary_sensor', name: 'Pump Running' },
      ],
    },
    refusal: refusalOf(409, 'no such value', /^POST /),
  }),
}

/** What every other web server may say. */
const STRANGER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\nConnection: close\r\n\r\n{"hello":"printer"}',
)

function refusalOf(status: number, words: string, request: RegExp): Refusal {
  return {
    match: (bytes) => request.test(bytes.toString('latin1')),
    answer: Buffer.from(
      `HTTP/1.1 ${status} Said\r\nContent-Type: text/html\r\nContent-Length: ${words.length}\r\nConnection: close\r\n\r\n${words}`,
    ),
    words,
  }
}

/** @returns undefined: no board of the simulator is driven by this model */
export function httpRig(model: Model): RigMaker | undefined {
  const board = BOARDS[model.id]
  return board && { model, make: (options) => makeBoard(board(), options) }
}

async function makeBoard(
  { spec, options = {}, refusal, drifting = [] }: Board,
  given: Readonly<Record<string, unknown>> = options,
): Promise<Rig> {
  // Air that does not change, sensors without noise: then each reading has one right value.
  const simulator = await startSimulator({ devices: [spec], timeScale: 1e-9, chamber: { noise: false } })
  const device = simulator.device(spec.name)
  const { hostname, port } = new URL(device.address)
  const wire = new FaultyWire({
    device: tcpEnd(hostname, Number(port)),
    requests: httpRequests,
    stranger: answererEnd(() => STRANGER),
  })
  const near = await listenOn(wire)
  return {
    endpoint: { kind: 'http', host: '127.0.0.1', port: Number(new URL(near.address).port), path: '' },
    wire,
    options: given,
    drifting,
    ...(refusal ? { refusal } : {}),
    reboot: async () => {
      wire.hangUp()
      await device.setFault({ kind: 'reboot', seconds: REBOOT_SECONDS })
    },
    close: async () => {
      await near.close()
      await simulator.close()
    },
  }
}
