import { GolemError, type Model } from '@golem/core'
import { readModelFile } from '@golem/drivers'
import type { RigMaker } from '../rig.ts'
import { grblRig } from './grbl.ts'
import { httpRig } from './http.ts'
import { modbusRig } from './modbus.ts'
import { mqttRig } from './mqtt.ts'
import { sba5Rig } from './sba5.ts'
import { tc420Rig } from './tc420.ts'
import { yamlLineRig } from './yaml-line.ts'

/** How an instrument is reached. */
export type Way = 'tcp' | 'serial' | 'usbtmc' | 'rtu-tcp'

/**
 * The simulated instrument that stands in for a model's real one.
 *
 * @param over - how it is reached: TCP, a serial port (needs socat), USBTMC, or Modbus RTU on TCP as converters do it;
 *   default: its own bus, or else TCP
 * @throws CONFIG_INVALID when there is none, saying what is missing, and when it can't be reached in this way
 */
export function rigFor(model: Model, over?: Way): RigMaker {
  const ways = waysOf(model)
  if (over !== undefined && !ways.includes(over)) {
    throw new GolemError(
      'CONFIG_INVALID',
      `${model.id} can't be tried over ${over}: ${ways.length === 0 ? 'it has a bus of its own' : `only over ${ways.join(', ')}`}.`,
    )
  }
  const place = over === undefined || over === 'rtu-tcp' ? 'tcp' : over
  const rig =
    httpRig(model) ??
    sba5Rig(model, place) ??
    grblRig(model, place) ??
    tc420Rig(model) ??
    mqttRig(model) ??
    modbusRig(model, over === 'rtu-tcp' ? 'rtu-tcp' : place === 'serial' ? 'rtu' : 'tcp') ??
    yamlLineRig(model, place)
  if (rig) return rig
  throw new GolemError(
    'CONFIG_INVALID',
    `${model.id} can't be tried: there is no simulated instrument for it. ${howToGetOne(model)}`,
  )
}

/** How the instruments of a model can be reached; none: only by a bus of its own. */
function waysOf({ transport, file }: Model): readonly Way[] {
  if (transport === 'hid') return []
  if (transport === 'modbus') return ['tcp', 'serial', 'rtu-tcp']
  if (transport !== 'line') return ['tcp']
  // USBTMC is for instruments that are asked: what talks by itself is never fetched.
  const isAsked = file?.endsWith('.yaml') === true && !Object.hasOwn(readModelFile(file).raw ?? {}, 'stream')
  return isAsked ? ['tcp', 'serial', 'usbtmc'] : ['tcp', 'serial']
}

function howToGetOne({ file, transport }: Model): string {
  if (file === undefined) return 'The simulator has to have a device that speaks its language.'
  if (!file.endsWith('.yaml')) {
    return `Golem can't play the other end of a driver of your own: try it at the instrument, \`golem model test ${file} --address ADDRESS\`.`
  }
  return transport === 'line' || transport === 'modbus' || transport === 'mqtt'
    ? `Give ${file} a "simulation:".`
    : 'The simulator has to have a device that speaks its language.'
}
