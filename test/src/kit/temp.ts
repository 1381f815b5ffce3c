import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of a test's own. */
export interface TempDir {
  /** Absolute; short enough that a unix socket fits into it. */
  readonly path: string
  remove(): void
}

/** Makes an empty folder that nobody else uses. @param prefix - to recognise it by when it is left behind */
export function makeTempDir(prefix = 'golem-test'): TempDir {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`))
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}
