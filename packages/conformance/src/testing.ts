import { GolemError, type LineDriver, type LineIo, type Model } from '@golem/core'
import { answererEnd, FaultyWire, lineRequests } from '@golem/simulator'
import type { RigMaker } from './rig.ts'
import { meaningAt, type Place, reach, strangerLine } from './rigs/line.ts'

const END = '\n'
const NAME = 'GOLEM,OVEN,1,1.0'

/** A driver of an oven as it should be, for tests to spoil. */
export function goodOven(): LineDriver {
  return {
    transport: 'line',
    link: { sendTerminator: END, receiveTerminator: END, replyTimeoutMs: 600, quietMs: 30 },
    parameters: {
      heat: {
        label: 'Heat',
        type: 'number',
        unit: '°C',
        min: 0,
        max: 100,
        step: 1,
        safe: 0,
        write: async (io, value) => {
          const said = await io.ask(`HEAT ${String(value)}`)
          if (said !== 'OK') throw new GolemError('REPLY_MALFORMED', `The oven said ${said}.`)
          if ((await heatOf(io)) !== value)
            throw new GolemError('READBACK_MISMATCH', 'The oven has another heat.')
        },
      },
    },
    actions: {},
    identify: async (io) => {
      const said = await io.ask('*IDN?')
      if (said !== NAME) throw new GolemError('WRONG_INSTRUMENT', `This is no oven: ${said}.`)
    },
    readAll: async (io) => ({ heat: await heatOf(io) }),
  }
}

async function heatOf(io: LineIo): Promise<number> {
  const said = await io.ask('HEAT?')
  const [, digits] = /^HEAT (\d+)$/.exec(said) ?? []
  if (digits === undefined) throw new GolemError('REPLY_MALFORMED', `The oven said ${said}.`)
  return Number(digits)
}

/** The rig of an oven. @param driver - how golem speaks to it */
export function oven(driver: () => LineDriver, place: Place = 'tcp'): RigMaker {
  const model: Model = {
    id: 'oven',
    label: 'Oven',
    kind: 'oven',
    source: 'made up for this test',
    transport: 'line',
    optionsSchema: { type: 'object' },
    create: driver,
  }
  return {
    model,
    ...meaningAt(place),
    make: async () => {
      let heat = 20
      const device = answererEnd(
        (request) => {
          const asked = request.toString('latin1').trim()
          if (asked === '*IDN?') return Buffer.from(NAME + END)
          if (asked === 'HEAT?') return Buffer.from(`HEAT ${heat}${END}`)
          heat = Number(asked.slice('HEAT '.length))
          return Buffer.from(`OK${END}`)
        },
        { reboot: () => void (heat = 20) },
      )
      const wire = new FaultyWire({ device, requests: lineRequests(END), stranger: strangerLine(END) })
      const near = await reach(wire, place)
      return {
        endpoint: near.endpoint,
        another: near.another,
        wire,
        options: {},
        refusal: null,
        reboot: async () => void (heat = 20),
        close: () => near.close(),
      }
    },
  }
}
