import { messageOf } from '@golem/core'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from './site-faults.ts'

/**
 * The YAML files of a folder, by name; a folder that is not there has none.
 *
 * @param faults - gets one more when the folder can't be read
 * @returns their paths
 */
export function yamlFilesIn(folder: string, faults: Fault[]): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => join(folder, name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    const message = `The folder can't be read: ${messageOf(error)}.`
    faults.push({ file: folder, line: 1, column: 1, path: '', message })
    return []
  }
}
