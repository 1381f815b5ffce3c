import {
  checkSchema,
  describeFault,
  type Fault,
  formatPath,
  readYamlSource,
  yamlFilesIn,
} from '@golem/config'
import { GolemError, type JsonSchema, type Model } from '@golem/core'
import { compile } from './compile.ts'
import { LANGUAGES } from './languages.ts'
import type { RawModel, Report } from './model-file.ts'
import { editorSchema, schemaOf } from './schema.ts'

/** What was found in a folder of models. A file with a fault gives no model; the others do. */
export interface FoundModels {
  models: readonly Model[]
  faults: readonly Fault[]
}

/** A model file that was read. */
export interface ReadModel {
  /** null when anything is wrong with the file. */
  model: Model | null
  /** The file as it is written; only whole when there are no faults. */
  raw: RawModel | null
  faults: readonly Fault[]
}

/**
 * Loads the YAML models of a folder (`*.yaml`). A folder that is not there has none.
 *
 * @param folder - absolute path
 */
export function loadYamlModels(folder: string): FoundModels {
  const models: Model[] = []
  const faults: Fault[] = []
  for (const file of yamlFilesIn(folder, faults)) {
    const read = readModelFile(file)
    faults.push(...read.faults)
    if (read.model) models.push(read.model)
  }
  return { models, faults }
}

/** Reads one model file. Never throws: whatever is wrong is in `faults`, each with its line. */
export function readModelFile(file: string): ReadModel {
  const source = readYamlSource(file)
  const faults: Fault[] = [...source.faults]
  const report: Report = (path, message, at) => {
    faults.push({ file, ...source.locate(path, at), path: formatPath(path), message })
  }
  const { data } = source
  if (faults.length > 0) return { model: null, raw: null, faults }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    report([], 'The file is no table with "model", "label", "transport" and so on.')
    return { model: null, raw: null, faults }
  }
  const name = 'transport' in data ? data.transport : undefined
  const language = LANGUAGES.get(typeof name === 'string' ? name : '')
  if (language === undefined) {
    report(['transport'], `"transport" has to be one of ${[...LANGUAGES.keys()].join(', ')}.`)
    return { model: null, raw: null, faults }
  }
  const schema = (SCHEMAS[String(name)] ??= schemaOf(String(name), language))
  for (const fault of checkSchema(data, schema)) report(fault.path, fault.message, fault.at)
  // What is missing would only bring faults of its own.
  if (faults.length > 0) return { model: null, raw: null, faults }
  const raw = data as RawModel
  const model = compile(raw, file, language, report)
  return faults.length > 0 ? { model: null, raw, faults } : { model, raw, faults }
}

/**
 * The file a model comes from, e.g. to play its simulation.
 *
 * @param id - of the model
 * @param folders - absolute; searched in this order
 * @throws CONFIG_INVALID when there is none, or it has a fault
 */
export function modelFileOf(
  id: string,
  folders: readonly string[],
): ReadModel & { model: Model; raw: RawModel } {
  for (const file of folders.flatMap((folder) => yamlFilesIn(folder, []))) {
    const { model, raw, faults } = readModelFile(file)
    if (raw?.model !== id) continue
    if (model) return { model, raw, faults }
    throw new GolemError('CONFIG_INVALID', faults.map(describeFault).join('\n'))
  }
  throw new GolemError(
    'CONFIG_INVALID',
    `There is no model file with "model: ${id}" in ${folders.join(', ')}.`,
  )
}

/** The form of model files, for editors: instance/model.schema.json. */
export function modelSchema(): JsonSchema {
  return editorSchema(LANGUAGES)
}

/** Ajv keeps what it has compiled by the schema's identity. */
const SCHEMAS: Record<string, ReturnType<typeof schemaOf>> = {}
