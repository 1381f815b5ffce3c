import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Fault } from '@golem/config'
import { messageOf, type Model } from '@golem/core'
import type { FoundModels } from '../yaml/index.ts'
import type { DriverSource } from './source.ts'
import { brokenModel, faultOf, SiteModel } from './site-model.ts'

/** A site's own drivers. Each instrument's driver runs in a thread of its own; `close` ends them. */
export interface SiteDrivers extends FoundModels {
  close(): Promise<void>
}

/**
 * Loads the drivers of a folder (`*.ts`, `*.mjs`), without a build step. A folder that is not there has none.
 *
 * A file that can't be loaded gives a fault, and a model of its name all the same, whose `create` throws INTERNAL with
 * the reason: its instruments can say what is wrong while all others work.
 *
 * @param folder - absolute path
 * @param onFault - is told what turns out to be wrong with a file when drivers are made of it
 * @param createMs - how long `create` of a driver may take, for which all of golem waits (default 5 s)
 */
export async function loadSiteDrivers(
  folder: string,
  onFault: (fault: Fault) => void = () => undefined,
  createMs?: number,
): Promise<SiteDrivers> {
  const files = driverFiles(folder)
  const faults: Fault[] = []
  const loaded: SiteModel[] = []
  const models: Model[] = []
  await Promise.all(
    files.map(async (file, index) => {
      const id = basename(file).replace(/\.[a-z]+$/, '')
      const bad = (fault: Fault): void => {
        faults.push(fault)
        models[index] = brokenModel(id, file, `drivers/${basename(file)}:${fault.line}: ${fault.message}`)
      }
      // Taking the types out needs 4 MB of code: it is loaded where there is something to take out.
      const { readDriverSource } = await import('./source.ts')
      const source = readDriverSource(file)
      if (!('url' in source)) return bad(source)
      try {
        const site = await SiteModel.load(source, onFault, createMs)
        loaded.push(site)
        models[index] = site.model
      } catch (error) {
        bad(faultOf(file, source.name, messageOf(error)))
      }
    }),
  )
  return { models, faults, close: async () => void (await Promise.all(loaded.map((site) => site.close()))) }
}

/**
 * Reads a recipe in code; loads what takes the types out only then.
 *
 * @param file - absolute path of a `.ts` or `.mjs` file
 * @returns what can be imported, or what is wrong with the file
 */
export async function readRecipeSource(file: string): Promise<DriverSource | Fault> {
  const { readDriverSource } = await import('./source.ts')
  return readDriverSource(file, 'recipe')
}

/** The files of code in a folder, drivers or recipes, by name; not tests and declarations. */
export function driverFiles(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
  return names
    .filter((name) => /^[^.].*\.(?:ts|mjs)$/.test(name) && !/\.(?:d|test)\.ts$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}
