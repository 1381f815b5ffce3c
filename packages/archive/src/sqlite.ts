import { GolemError, messageOf } from '@golem/core'
import { createRequire } from 'node:module'
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import type { DatabaseSync, DatabaseSyncInstance } from '@photostructure/sqlite'
import type { Cell, Database, Row, Table, Transaction } from './database.ts'

/** How long a reader waits for the writer and the other way round, in ms. With a write-ahead log it hardly ever does. */
const BUSY_MS = 10_000
/** Of its own cache, in KiB (negative: SQLite's way to say KiB). */
const CACHE_KIB = -8_000

/**
 * SQLite as a package, which carries binaries for 64-bit Intel and ARM: the same version of SQLite on every Node. Where it
 * has none (a Raspberry Pi with a 32-bit system), Node's own, which speaks the same API from Node 22 on.
 */
function sqliteModule(): { DatabaseSync: typeof DatabaseSync } {
  try {
    return createRequire(import.meta.url)('@photostructure/sqlite') as { DatabaseSync: typeof DatabaseSync }
  } catch (error) {
    const own = process.getBuiltinModule('node:sqlite') as unknown
    if (own === undefined) throw error
    return own as { DatabaseSync: typeof DatabaseSync }
  }
}

/** An archive in one file. One process writes (the archiver), any number read. */
export class SqliteDatabase implements Database {
  readonly kind = 'sqlite'
  readonly file: string
  readonly #readOnly: boolean
  readonly #db: DatabaseSyncInstance
  readonly #statements = new Map<string, ReturnType<DatabaseSyncInstance['prepare']>>()
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param file - made with its folder when it is not there and `readOnly` is not asked for
   * @throws GolemError when it can't be opened
   */
  constructor(file: string, { readOnly = false }: { readOnly?: boolean } = {}) {
    this.file = file
    this.#readOnly = readOnly
    try {
      if (!readOnly) mkdirSync(dirname(file), { recursive: true })
      const { DatabaseSync } = sqliteModule()
      this.#db = new DatabaseSync(file, { readOnly, timeout: BUSY_MS })
      // Full synchronisation: what was acknowledged in Redis after a commit has to be there after a power failure.
      if (!readOnly) this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      this.#db.exec(`PRAGMA cache_size = ${CACHE_KIB}`)
    } catch (error) {
      throw new GolemError('ARCHIVE_DOWN', `The archive ${file} can't be opened: ${messageOf(error)}.`)
    }
  }

  async query<T extends Row>(sql: string, parameters: readonly Cell[] = []): Promise<T[]> {
    return this.#prepared(sql).all(...parameters) as T[]
  }

  snapshot<T>(work: (reader: Pick<Transaction, 'query'>) => Promise<T>): Promise<T> {
    return this.#within('BEGIN', work)
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#within('BEGIN IMMEDIATE', work)
  }

  #within<T>(begin: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      this.#db.exec(begin)
      try {
        const result = await work(this.#transaction)
        this.#db.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
    this.#last = mine.catch(() => undefined)
    return mine
  }

  async size(): Promise<number> {
    return [this.file, `${this.file}-wal`]
      .map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, bytes) => sum + bytes, 0)
  }

  async close(): Promise<void> {
    await this.#last
    try {
      // SQLite would do so by itself at the last close, were no statement left that can't be given back.
      if (!this.#readOnly) this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.#db.close()
    }
  }

  readonly #transaction: Transaction = {
    query: (sql, parameters) => this.query(sql, parameters),
    run: async (sql, parameters = []) => Number(this.#prepared(sql).run(...parameters).changes),
    insert: async ({ name, columns, conflict = '' }: Table, rows) => {
      const names = Object.keys(columns)
      const marks = names.map(() => '?').join(', ')
      const statement = this.#prepared(
        `INSERT INTO ${name} (${names.join(', ')}) VALUES (${marks}) ${conflict}`,
      )
      for (const row of rows) statement.run(...row)
    },
  }

  #prepared(sql: string): ReturnType<DatabaseSyncInstance['prepare']> {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
