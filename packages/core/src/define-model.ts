import type { Model } from './driver.ts'

/** A model as it is; lets an editor and `golem check` know the types inside. A driver of a site exports what this returns. */
export function defineModel(model: Model): Model {
  return model
}
