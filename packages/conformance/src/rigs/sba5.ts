import type { Model } from '@golem/core'
import { FaultyWire, lineRequests, sba5End } from '@golem/simulator'
import type { Rig, RigMaker } from '../rig.ts'
import { meaningAt, type Place, reach, strangerLine } from './line.ts'

const END = '\r\n'

/** @returns undefined: it is another model */
export function sba5Rig(model: Model, place: Place): RigMaker | undefined {
  if (model.id !== 'sba5') return undefined
  return {
    model,
    ...meaningAt(place),
    make: (options = {}) => makeAnalyser(options, place),
  }
}

async function makeAnalyser(options: Readonly<Record<string, unknown>>, place: Place): Promise<Rig> {
  const device = sba5End({ name: 'analyser', kind: 'sba5', warmUpSeconds: 0.5, zeroSeconds: 0.5 })
  const wire = new FaultyWire({ device, requests: lineRequests(END), stranger: strangerLine(END) })
  const near = await reach(wire, place, { baudRate: 19_200 })
  return {
    endpoint: near.endpoint,
    another: near.another,
    wire,
    options,
    truth: () => {
      const { settings } = device.state() as { settings: Readonly<Record<string, boolean | number | string>> }
      const { pump = false, pumpPower = 0, zeroLength = '', zeroMinutes = 0, average = 0 } = settings
      return { pump, pumpPower, zeroLength, zeroEvery: zeroMinutes, averagingLimit: average }
    },
    // What it does not understand it says nothing to.
    refusal: null,
    reboot: async () => device.reboot(),
    close: async () => {
      await near.close()
      device.powerOff()
    },
  }
}
