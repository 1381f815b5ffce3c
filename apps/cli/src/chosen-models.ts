import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Fault } from '@golem/config'
import { GolemError, type Model } from '@golem/core'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from './context.ts'
import { CliError } from './exit-codes.ts'

/**
 * Hands over the model of a file (YAML or a driver), one by its id, or without a name all that golem and the site have.
 *
 * @throws SiteFaults when the file is at fault, CONFIG_INVALID when there is no such model
 */
export async function withModels(
  context: Context,
  options: CommonOptions,
  name: string | undefined,
  work: (found: readonly Model[]) => Promise<void>,
): Promise<void> {
  const { loadModels } = await import('@golem/drivers')
  if (name !== undefined && /\.(?:ya?ml|ts|mjs)$/.test(name)) {
    const file = path.resolve(context.cwd, name)
    if (!existsSync(file)) throw new GolemError('CONFIG_INVALID', `There is no file ${file}.`)
    return /\.ya?ml$/.test(name) ? work([await modelOfYaml(file)]) : withDriverFile(file, work)
  }
  const loaded = await loadModels(instanceDirOf(context, siteFileOf(context, options)))
  try {
    if (name === undefined) return await work([...loaded.models.values()])
    const found = loaded.models.get(name)
    if (!found) {
      throw new GolemError(
        'CONFIG_INVALID',
        `There is no file and no model "${name}". Models: ${[...loaded.models.keys()].join(', ')}.`,
      )
    }
    await work([found])
  } finally {
    await loaded.close()
  }
}

async function modelOfYaml(file: string): Promise<Model> {
  const { readModelFile } = await import('@golem/drivers')
  const { model, faults } = readModelFile(file)
  return model ?? faulty(faults)
}

/** Drivers are loaded by their folder; the others of it are not used. */
async function withDriverFile(file: string, work: (found: readonly Model[]) => Promise<void>): Promise<void> {
  const { loadSiteDrivers } = await import('@golem/drivers')
  const loaded = await loadSiteDrivers(path.dirname(file))
  try {
    const faults = loaded.faults.filter((fault) => fault.file === file)
    if (faults.length > 0) await faulty(faults)
    const found = loaded.models.find((model) => model.file === file)
    if (!found)
      throw new GolemError('CONFIG_INVALID', `${file} is no driver: tests and declarations are none.`)
    await work([found])
  } finally {
    await loaded.close()
  }
}

async function faulty(faults: readonly Fault[]): Promise<never> {
  const { SiteFaults } = await import('@golem/config')
  throw new SiteFaults(faults)
}

/**
 * Options of a model from the command line: a JSON object, or name=value each.
 *
 * @throws CliError usage when they are neither
 */
export function modelOptions(texts: readonly string[] | undefined): Record<string, unknown> | undefined {
  if (texts === undefined) return undefined
  const found: Record<string, unknown> = {}
  for (const text of texts) {
    const pair = /^([A-Za-z]\w*)=(.*)$/s.exec(text)
    const [, name, value] = pair ?? []
    const parsed = parsedOrNot(value ?? text)
    if (name !== undefined) found[name] = parsed === undefined ? value : parsed
    else if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      Object.assign(found, parsed)
    else throw new CliError('usage', `--options takes a JSON object or name=value, not "${text}".`)
  }
  return found
}

/** @returns undefined: it is no JSON */
function parsedOrNot(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** @throws CliError usage when a model does not take these options */
export async function checkOptions(model: Model, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { checkSchema } = await import('@golem/config')
  const faults = checkSchema(structuredClone(options), model.optionsSchema)
  if (faults.length === 0) return
  const words = faults.map((fault) => [['options', ...fault.path].join('.'), fault.message].join(': '))
  throw new CliError('usage', `${model.id} does not take these options: ${words.join('; ')}`)
}
