import { GolemError, type Model } from '@golem/core'
import type { RigMaker } from '../rig.ts'
import { grblRig } from './grbl.ts'
import { httpRig } from './http.ts'
import type { Place } from './line.ts'
import { modbusLineOf, modbusRig } from './modbus.ts'
import { mqttRig } from './mqtt.ts'
import { sba5Rig } from './sba5.ts'
import { tc420Rig } from './tc420.ts'
import { yamlLineRig } from './yaml-line.ts'

export type { Place } from './line.ts'

/**
 * The simulated instrument that stands in for a model's real one.
 *
 * @param place - how instruments that speak lines are reached: TCP, or a serial port (needs socat)
 * @throws CONFIG_INVALID when there is none, saying what is missing
 */
export function rigFor(model: Model, place: Place = 'tcp'): RigMaker {
  const rig =
    httpRig(model) ??
    sba5Rig(model, place) ??
    grblRig(model, place) ??
    tc420Rig(model) ??
    mqttRig(model) ??
    modbusRig(model, modbusLineOf(place)) ??
    yamlLineRig(model, place)
  if (rig) return rig
  throw new GolemError(
    'CONFIG_INVALID',
    `${model.id} can't be tried: there is no simulated instrument for it. ${howToGetOne(model)}`,
  )
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
