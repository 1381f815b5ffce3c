import { GolemError, type Model } from '@golem/core'
import { esp32Relay } from './esp32-relay.ts'
import { esphome } from './esphome.ts'
import { pwmLamp } from './pwm-lamp.ts'
import { sba5 } from './sba5.ts'

/** All models that golem ships, by id. */
export const models: ReadonlyMap<string, Model> = new Map(
  [esp32Relay, pwmLamp, sba5, esphome].map((model) => [model.id, model]),
)

/** @throws CONFIG_INVALID, naming the models there are */
export function modelOf(id: string): Model {
  const model = models.get(id)
  if (model) return model
  throw new GolemError(
    'CONFIG_INVALID',
    `There is no model "${id}". There are: ${[...models.keys()].join(', ')}.`,
  )
}
