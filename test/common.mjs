/**
 * What run.mjs and every-node.mjs both need: apart from them, because each of them imports the other or is run by itself.
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the project. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** The last line of a run. */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Reads a line that `summary` made; undefined when it is another one. */
export function parseSummary(line) {
  const found = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line)
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) }
}

/** Adds one total to another. */
export function add(total, more) {
  for (const key of ['passed', 'failed', 'skipped']) total[key] += more[key]
}
