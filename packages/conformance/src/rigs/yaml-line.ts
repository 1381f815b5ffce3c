import type { Model } from '@golem/core'
import { createAnswerer, readModelFile } from '@golem/drivers'
import { FaultyWire, lineRequests, pieceRequests, playedEnd } from '@golem/simulator'
import type { Refusal, Rig, RigMaker } from '../rig.ts'
import { meaningAt, type Place, reach, strangerLine } from './line.ts'

/** @returns undefined: it is no model of lines in YAML, or its file has no `simulation` */
export function yamlLineRig(model: Model, place: Place): RigMaker | undefined {
  if (model.transport !== 'line' || model.file?.endsWith('.yaml') !== true) return undefined
  const { raw } = readModelFile(model.file)
  if (!raw || !createAnswerer(raw)) return undefined
  return {
    model,
    ...meaningAt(place),
    make: (options = {}) => makeInstrument(model, options, place),
  }
}

/** What this needs of a model file. */
interface RawLine {
  link?: { send?: string; receive?: string; baudRate?: number }
  errors?: { ask?: string }
  simulation?: { rules?: { bytes?: string }[]; state?: object }
}

async function makeInstrument(
  model: Model,
  options: Readonly<Record<string, unknown>>,
  place: Place,
): Promise<Rig> {
  const file = readModelFile(model.file ?? '')
  const answerer = file.raw && createAnswerer(file.raw)
  if (!answerer) throw new Error(`${model.id} has no simulation any more`)
  const raw = file.raw as RawLine
  const { send = '\n', receive = '\n', baudRate } = raw.link ?? {}
  const singles = (raw.simulation?.rules ?? []).flatMap(({ bytes }) => bytes ?? []).join('')
  const device = playedEnd(answerer)
  const wire = new FaultyWire({
    device,
    requests: {
      ...(send === '' ? pieceRequests : lineRequests(send, receive, singles)),
      packets: place === 'usbtmc',
    },
    stranger: strangerLine(receive),
  })
  const near = await reach(wire, place, { baudRate, terminator: send })
  const refusal = refusalOf(raw, receive)
  const loses = Object.keys(raw.simulation?.state ?? {}).length > 0
  return {
    endpoint: near.endpoint,
    another: near.another,
    ...(near.usbDrivers === undefined ? {} : { usbDrivers: near.usbDrivers }),
    wire,
    options,
    ...(refusal ? { refusal } : {}),
    ...(loses ? { reboot: async () => device.reboot() } : {}),
    close: async () => {
      await near.close()
      device.close()
    },
  }
}

/** An instrument with an error queue says no there. */
function refusalOf({ errors }: RawLine, terminator: string): Refusal | undefined {
  const ask = errors?.ask
  if (ask === undefined) return undefined
  return {
    match: (request) => request.toString('latin1').trim() === ask.trim(),
    answer: Buffer.from(`-221,"Settings conflict"${terminator}`, 'latin1'),
    words: 'Settings conflict',
  }
}
