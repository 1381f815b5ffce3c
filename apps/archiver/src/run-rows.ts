import { type Batch, type Database, newestRow } from '@golem/archive'
import type { ArchiveClient } from '@golem/queue'

/** How often runs are looked at of which the log says nothing, in ms. */
const EVERY_MS = 10_000

/** Brings the records of runs and what they have measured up to date. */
export class RunRows {
  readonly #client: ArchiveClient
  readonly #database: Database
  /** Id of the newest row that the archive has. */
  readonly #known = new Map<string, string>()
  #lookedAt = -Infinity

  constructor(client: ArchiveClient, database: Database) {
    this.#client = client
    this.#database = database
  }

  /**
   * @param told - ids of runs that the log has told of
   * @throws when Redis or the database does not answer
   */
  async read(told: ReadonlySet<string>): Promise<Pick<Batch, 'runs' | 'rows'>> {
    const ids = new Set(told)
    const isTime = performance.now() - this.#lookedAt > EVERY_MS
    if (isTime)
      for (const { id, state } of this.#client.view.runs.values()) if (state !== 'ended') ids.add(id)
    const runs = await this.#client.runs([...ids])
    const rows: Batch['rows'][number][] = []
    for (const { id } of runs) {
      const known = this.#known.get(id) ?? (await newestRow(this.#database, id))
      const found = await this.#client.rows(id, known)
      rows.push(...found.map((row) => ({ run: id, row })))
      this.#known.set(id, known)
    }
    if (isTime) this.#lookedAt = performance.now()
    return { runs, rows }
  }

  /** The archive has these. */
  written({ runs, rows }: Pick<Batch, 'runs' | 'rows'>): void {
    for (const { run, row } of rows) this.#known.set(run, row.id)
    for (const { id, state } of runs) if (state === 'ended') this.#known.delete(id)
  }
}
