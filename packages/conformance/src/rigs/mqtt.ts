import type { Model } from '@golem/core'
import { createMqttAnswerer, readModelFile } from '@golem/drivers'
import { BrokerWire, listenOn } from '@golem/simulator'
import type { FaultCase } from '../fault-cases.ts'
import type { Rig, RigMaker } from '../rig.ts'

/** The topic of the instrument's address. */
const BASE = 'lab/device'

/** What can't go wrong behind a broker, and why. */
const WITHOUT: NonNullable<RigMaker['without']> = {
  'wrong terminator':
    'packets of MQTT say at their beginning how long they are: they have no end that could be wrong',
  'wrong identity':
    'a device behind a broker is whoever speaks at its topic: nothing in its messages says that it is another one',
}

/** The broker is there and the device is not: its last will tells so. */
const OFFLINE: FaultCase = {
  name: 'last will',
  fault: () => ({ kind: 'offline' }),
  // What is published before the last will has come is not confirmed.
  codes: ['LINK_DOWN', 'REPLY_TIMEOUT'],
  lasting: true,
}

/** @returns undefined: it is no model of MQTT in YAML, or its file has no `simulation` */
export function mqttRig(model: Model): RigMaker | undefined {
  if (model.transport !== 'mqtt' || model.file?.endsWith('.yaml') !== true) return undefined
  const { raw } = readModelFile(model.file)
  if (!raw || !createMqttAnswerer(raw, BASE)) return undefined
  return { model, without: WITHOUT, more: [OFFLINE], make: (options = {}) => makeDevice(model, options) }
}

/** What this needs of a model file. */
interface RawParameters {
  parameters?: Record<string, { write?: string | { onlyChanges?: boolean } }>
}

async function makeDevice(model: Model, options: Readonly<Record<string, unknown>>): Promise<Rig> {
  const { raw } = readModelFile(model.file ?? '')
  const played = raw && createMqttAnswerer(raw, BASE)
  if (!played) throw new Error(`${model.id} has no simulation any more`)
  const { parameters = {} } = raw as RawParameters
  const toldOnChange = Object.keys(parameters).filter((name) => {
    const write = parameters[name]?.write
    return typeof write === 'object' && write.onlyChanges === true
  })
  const loses = Object.keys(played.state).length > 0
  const wire = await BrokerWire.start(played)
  const near = await listenOn(wire)
  return {
    endpoint: {
      kind: 'mqtt',
      host: '127.0.0.1',
      port: Number(new URL(near.address).port),
      tls: false,
      topic: BASE,
    },
    wire,
    options,
    toldOnChange,
    // Publishing is not answered: a device that does not do what it is told tells so by its state, or not at all.
    refusal: null,
    ...(loses ? { reboot: async () => wire.device.reboot() } : {}),
    close: async () => {
      await near.close()
      await wire.close()
    },
  }
}
