import type { InterlockTrip } from '@golem/core'
import fs from 'node:fs'
import path from 'node:path'

/**
 * The trips that wait for a person, on the worker's own disk beside the journal, one file each: they stay while
 * Redis is away, or has lost them, also when the worker is started anew.
 */
export class InterlockStore {
  readonly #folder: string

  /** @param folder - of the journals; made when missing */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @param now - ISO 8601 UTC @returns null: there is none */
  read(interlock: string, now: string): InterlockTrip | null {
    try {
      return JSON.parse(fs.readFileSync(this.#file(interlock), 'utf8')) as InterlockTrip
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      // There was one, and a power cut has spoilt it: a person should look.
      if (!(error instanceof SyntaxError)) throw error
      const message = 'it had tripped before the power was cut; why can no longer be read'
      return { id: `spoilt-${now}`, at: now, message, worker: '' }
    }
  }

  /** @param trip - null: it was reset @throws with what the disk says */
  write(interlock: string, trip: InterlockTrip | null): void {
    const file = this.#file(interlock)
    if (trip === null) {
      fs.rmSync(file, { force: true })
      return
    }
    fs.mkdirSync(this.#folder, { recursive: true })
    // Of several workers on this machine each writes a file of its own first.
    const next = `${file}.${process.pid}`
    fs.writeFileSync(next, JSON.stringify(trip))
    fs.renameSync(next, file)
  }

  #file(interlock: string): string {
    return path.join(this.#folder, `interlock-${interlock}.json`)
  }
}
