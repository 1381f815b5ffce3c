import type { Model } from '@golem/core'
import { FaultyWire, grblEnd, grblRequests } from '@golem/simulator'
import type { Rig, RigMaker } from '../rig.ts'
import { meaningAt, type Place, reach, strangerLine } from './line.ts'

const BAUD_RATE = 115_200
/** mm; short and fast, so that a movement is no longer than what goes wrong with it. */
const TRAVEL = 20
const FEED = 5000

/** @returns undefined: it is another model */
export function grblRig(model: Model, place: Place): RigMaker | undefined {
  if (model.id !== 'grbl') return undefined
  return {
    model,
    ...meaningAt(place),
    make: (options) => makeStage(place, options),
  }
}

async function makeStage(
  place: Place,
  options: Readonly<Record<string, unknown>> = {
    axes: ['x', 'y'],
    travel: { x: [0, TRAVEL], y: [0, TRAVEL] },
    feed: FEED,
    maxFeed: FEED,
    maxSpindle: 1000,
  },
): Promise<Rig> {
  const device = grblEnd({ travel: [TRAVEL, TRAVEL, TRAVEL], homingSeconds: 0.1, acceleration: 5000 })
  const wire = new FaultyWire({ device, requests: grblRequests, stranger: strangerLine('\r\n') })
  const near = await reach(wire, place, { baudRate: BAUD_RATE })
  return {
    endpoint: near.endpoint,
    another: near.another,
    wire,
    options,
    // Somebody looks where it stands: it is where it says.
    remedy: { action: 'acceptPosition' },
    mayBeUnknown: ['x', 'y', 'workX', 'workY'],
    // What it is doing, and whether somebody has looked since something went wrong.
    drifting: ['state', 'feed', 'positionKnown'],
    truth: () => {
      const { overrides } = device.state() as { overrides: { feed: number; spindle: number } }
      return { feedOverride: overrides.feed, spindleOverride: overrides.spindle }
    },
    refusal: {
      match: (request) => request.toString('latin1').includes('G53'),
      answer: Buffer.from('error:22\r\n'),
      words: 'error:22',
    },
    reboot: async () => device.reboot(),
    close: async () => {
      await near.close()
      device.powerOff()
    },
  }
}
