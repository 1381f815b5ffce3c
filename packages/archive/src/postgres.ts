import { GolemError, messageOf } from '@golem/core'
import pg from 'pg'
import type { Cell, ColumnKind, Database, Row, Table, Transaction } from './database.ts'

/** How long a connection may take to come about, in ms. */
const CONNECT_MS = 5_000
/** How long one statement may take, in ms: an archive that hangs must not hang a page. */
const STATEMENT_MS = 60_000
/** Connections of one process. */
const CONNECTIONS = 4
/** PostgreSQL's numbers for its types of 64-bit integers and of sums of them: both stay far below 2^53 here. */
const INT8 = 20
const NUMERIC = 1700
/** Error classes: the connection failed, too many of them, the server ends or begins, the disk is full. */
const AWAY = /^(08|53|57P|58)/

const ARRAYS: Record<ColumnKind, string> = {
  integer: 'bigint[]',
  real: 'double precision[]',
  text: 'text[]',
}

/** Is this the address of a PostgreSQL server, and not a file? */
export function isPostgresUrl(place: string): boolean {
  return /^postgres(ql)?:\/\//.test(place)
}

/** An archive in a database of its own on a PostgreSQL server: for labs with several machines. */
export class PostgresDatabase implements Database {
  readonly kind = 'postgres'
  readonly #pool: pg.Pool
  #last: Promise<unknown> = Promise.resolve()

  /** @param url - e.g. `postgres://golem:secret@server/golem`; nothing is opened before the first question */
  constructor(url: string, { readOnly = false }: { readOnly?: boolean } = {}) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: STATEMENT_MS,
      application_name: readOnly ? 'golem' : 'golem-archiver',
      ...(readOnly ? { options: '-c default_transaction_read_only=on' } : {}),
      types: {
        getTypeParser: (oid: number, format?: 'text' | 'binary') =>
          oid === INT8 || oid === NUMERIC
            ? Number
            : (pg.types.getTypeParser(oid, format as 'text') as unknown),
      } as pg.CustomTypesConfig,
    })
    // A connection that breaks is replaced by the next question; a question that was under way is told by its failure.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  async query<T extends Row>(sql: string, parameters: readonly Cell[] = []): Promise<T[]> {
    const found = await this.#ask(() => this.#pool.query<T>(numbered(sql), [...parameters]))
    return found.rows
  }

  snapshot<T>(work: (reader: Pick<Transaction, 'query'>) => Promise<T>): Promise<T> {
    return this.#between('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => this.#between('BEGIN', work))
    this.#last = mine.catch(() => undefined)
    return mine
  }

  async #between<T>(begin: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#ask(() => this.#pool.connect())
    let broken = false
    try {
      await this.#ask(() => client.query(begin))
      const result = await work(this.#within(client))
      await this.#ask(() => client.query('COMMIT'))
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => (broken = true))
      throw error
    } finally {
      client.release(broken)
    }
  }

  async size(): Promise<number> {
    const [row] = await this.query<{ bytes: number }>('SELECT pg_database_size(current_database()) AS bytes')
    return row?.bytes ?? 0
  }

  async close(): Promise<void> {
    await this.#last
    await this.#pool.end()
  }

  #within(client: pg.PoolClient): Transaction {
    return {
      query: async <T extends Row>(sql: string, parameters: readonly Cell[] = []) =>
        (await this.#ask(() => client.query<T>(numbered(sql), [...parameters]))).rows,
      run: async (sql, parameters = []) =>
        (await this.#ask(() => client.query(numbered(sql), [...parameters]))).rowCount ?? 0,
      insert: async (table, rows) => {
        await this.#ask(() => client.query(bulkInsert(table), columnsOf(table, rows)))
      },
    }
  }

  /** What the server does not answer is told as the archive's absence; what it refuses, as it says it. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (error instanceof pg.DatabaseError && !AWAY.test(code)) throw error
      throw new GolemError('ARCHIVE_DOWN', `The archive's database does not answer: ${messageOf(error)}.`)
    }
  }
}

/** PostgreSQL numbers its parameters. */
function numbered(sql: string): string {
  let n = 0
  return sql.replaceAll('?', () => `$${(n += 1)}`)
}

/** One array for each column: a thousand rows cost one statement of fixed text. */
function bulkInsert({ name, columns, conflict = '' }: Table): string {
  const names = Object.keys(columns).join(', ')
  const arrays = Object.values(columns).map((kind, n) => `$${n + 1}::${ARRAYS[kind]}`)
  return `INSERT INTO ${name} (${names}) SELECT * FROM unnest(${arrays.join(', ')}) ${conflict}`
}

function columnsOf({ columns }: Table, rows: readonly (readonly Cell[])[]): Cell[][] {
  return Object.keys(columns).map((_, n) => rows.map((row) => row[n] ?? null))
}
