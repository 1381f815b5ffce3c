import { newestOf } from '@golem/calibration'
import type { Calibration } from '@golem/core'
import type { WorkerClient } from '@golem/queue'

/** The calibrations this worker knows: those in files beside its site file, and those made since, from Redis. */
export class Calibrations {
  /** Redis is to be asked: it was not yet, or another version may have been made since. */
  isDue = true
  readonly #files: readonly Calibration[]
  #newest: ReadonlyMap<string, Calibration>

  constructor(files: readonly Calibration[]) {
    this.#files = files
    this.#newest = newestOf(files)
  }

  /** Of each name the version that counts. While Redis has not been asked yet, those of the files. */
  get newest(): ReadonlyMap<string, Calibration> {
    return this.#newest
  }

  /**
   * Asks Redis for those that were made since.
   *
   * @returns whether another version counts now
   * @throws when Redis does not answer
   */
  async load(client: WorkerClient): Promise<boolean> {
    const before = this.#newest
    this.isDue = false
    try {
      this.#newest = newestOf([...this.#files, ...(await client.calibrations())])
    } catch (error) {
      this.isDue = true
      throw error
    }
    const names = new Set([...before.keys(), ...this.#newest.keys()])
    return [...names].some((name) => before.get(name)?.version !== this.#newest.get(name)?.version)
  }
}
