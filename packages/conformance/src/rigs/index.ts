import { GolemError, type Model } from '@golem/core'
import type { RigMaker } from '../rig.ts'
import { grblRig } from './grbl.ts'
import { httpRig } from './http.ts'
import type { Place } from './line.ts'
import { modbusLineOf, modbusRig } from './modbus.ts'
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
    modbusRig(model, modbusLineOf(place)) ??
    yamlLineRig(model, place)
  if (rig) return rig
  throw new GolemError(
    'CONFIG_INVALID',
    `${model.id} can't be tried: there is no simulated instrument for it. ${howToGetOne(model)}`,
  )
}

function howToGetOne({ file, transport }: Model): string {
  return file?.endsWith('.yaml') === true && (transport === 'line' || transport === 'modbus')
    ? `Give ${file} a "simulation:".`
    : 'The simulator has to have a device that speaks its language.'
}
