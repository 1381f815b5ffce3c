import { type Batch, type Database, newestRow } from '@golem/archive'
import type { ArchiveClient } from '@golem/queue'
import { createHash } from 'node:crypto'

/** How often runs are looked at of which the log says nothing, in ms. */
const EVERY_MS = 10_000

/** Under which what a run carries out is kept, by the run's id. */
const PROGRAM = 'program'

type RunsRead = Pick<Batch, 'runs' | 'rows' | 'documents'>

/** Brings the records of runs, what they carry out and what they have measured up to date. */
export class RunRows {
  readonly #client: ArchiveClient
  readonly #database: Database
  /** Id of the newest row that the archive has. */
  readonly #known = new Map<string, string>()
  /** Those whose program the archive has. */
  readonly #programs = new Set<string>()
  #lookedAt = -Infinity

  constructor(client: ArchiveClient, database: Database) {
    this.#client = client
    this.#database = database
  }

  /**
   * @param told - ids of runs that the log has told of
   * @throws when Redis or the database does not answer
   */
  async read(told: ReadonlySet<string>): Promise<RunsRead> {
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
    const programs = await this.#client.programs(
      runs.map(({ id }) => id).filter((id) => !this.#programs.has(id)),
    )
    // By the time of the run, so that one that is read again after a restart is the same document.
    const documents = runs.flatMap(({ id, submittedAt }) => {
      const body = programs.get(id)
      if (body === undefined) return []
      const digest = createHash('sha256').update(body).digest('hex')
      return [{ kind: PROGRAM, name: id, at: Date.parse(submittedAt), digest, body }]
    })
    if (isTime) this.#lookedAt = performance.now()
    return { runs, rows, documents }
  }

  /** The archive has these. */
  written({ runs, rows, documents }: RunsRead): void {
    for (const { name } of documents) this.#programs.add(name)
    for (const { run, row } of rows) this.#known.set(run, row.id)
    for (const { id, state } of runs) if (state === 'ended') this.#forget(id)
  }

  #forget(run: string): void {
    this.#known.delete(run)
    this.#programs.delete(run)
  }
}
