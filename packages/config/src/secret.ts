import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '@golem/core'

/** The longest file that can be a password, in bytes. */
const LONGEST_BYTES = 4096

/**
 * Reads a password from a file; a line break at its end does not belong to it.
 *
 * @param file - relative to the instance folder
 * @returns the password, or a sentence that says why there is none
 */
export function readSecretFile(file: string, instanceDir: string): { secret: string } | { fault: string } {
  const path = resolve(instanceDir, file)
  try {
    const { size } = statSync(path, { throwIfNoEntry: true })
    if (!statSync(path).isFile()) return { fault: `${path} is no file. Put the password into a file.` }
    if (size > LONGEST_BYTES)
      return { fault: `${path} is too long for a password. Put only the password there.` }
    const secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    return secret === '' ? { fault: `${path} is empty. Put the password into it.` } : { secret }
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
      ? { fault: `There is no file ${path}. Put the password into it, readable only by golem's user.` }
      : { fault: `${path} could not be read: ${messageOf(error)}. Golem's user has to be able to read it.` }
  }
}
