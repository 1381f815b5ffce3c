import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Fault } from '@golem/config'
import type { Model } from '@golem/core'
import { builtIn } from './registry.ts'
import { loadSiteDrivers } from './site/index.ts'
import { loadYamlModels } from './yaml/index.ts'

/** Where the YAML models are that golem ships. */
export const SHIPPED_MODELS = fileURLToPath(new URL('../models', import.meta.url))

/** Every model an instrument of a site may have. */
export interface LoadedModels {
  models: ReadonlyMap<string, Model>
  /**
   * What is wrong with files of models; their models are not there, or (drivers of the site) can't be used. What turns
   * out when drivers are made is added.
   */
  faults: readonly Fault[]
  /** Ends the threads of the site's own drivers. */
  close(): Promise<void>
}

/**
 * Loads golem's models, and the site's own from `models/*.yaml` and `drivers/*.ts` or `*.mjs` of its instance folder.
 *
 * @param instanceDir - absolute
 */
export async function loadModels(instanceDir: string): Promise<LoadedModels> {
  const shipped = loadYamlModels(SHIPPED_MODELS)
  const yaml = loadYamlModels(join(instanceDir, 'models'))
  const faults = [...shipped.faults, ...yaml.faults]
  const drivers = await loadSiteDrivers(join(instanceDir, 'drivers'), (fault) => void faults.push(fault))
  faults.push(...drivers.faults)
  const models = new Map<string, Model>()
  for (const model of [...builtIn, ...shipped.models, ...yaml.models, ...drivers.models]) {
    const known = models.get(model.id)
    if (!known) {
      models.set(model.id, model)
      continue
    }
    faults.push({
      file: model.file ?? model.id,
      line: 1,
      column: 1,
      path: 'model',
      message: `There is a model "${model.id}" already, ${known.file === undefined ? 'which golem ships' : `in ${known.file}`}. Give this one another id.`,
    })
  }
  return { models, faults, close: () => drivers.close() }
}
