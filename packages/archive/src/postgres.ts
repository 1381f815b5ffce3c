import { GolemError, messageOf } from '@golem/core'
import pg from 'pg'
import type { Cell, ColumnKind, Database, Row, Table, Transaction } from './database.ts'

/** How long a connection may take to come about, in ms. */
const CONNECT_MS = 5_000
/** How long one statement may take, in ms: an archive that hangs must not hang a page. */
const STATEMENT_MS = 60_000
/** A server that has not given up by itself then is frozen, or its machine is gone. */
const ANSWER_MS = STATEMENT_MS + 5_000
/** How long a writer that is frozen in a transaction keeps the next one waiting, in ms. */
const IDLE_MS = 15_000
/** How often each side looks whether the other one's machine is still there, in seconds. */
const KEEP_ALIVE_S = 15
/** Connections of one process. */
const CONNECTIONS = 4
/** PostgreSQL's numbers for its types of 64-bit integers and of sums of them: both stay far below 2^53 here. */
const INT8 = 20
const NUMERIC = 1700
/** Under this number one transaction at a time writes, whichever process it is of. Any number that nothing else uses. */
const WRITER_LOCK = 470_411
/**
 * Errors of the question itself: its data, its sentence, a row that may not be. All others are about the server: it
 * ends or begins, is full or too slow, refuses the password, is another one's copy that can't be written.
 * Source: PostgreSQL 15, appendix A.
 */
const OF_QUESTION = /^(0A|2[1-4]|42)/
/** These, too, are about the server: a table or a right is not there. */
const OF_SERVER = ['42P01', '42501']
const DISK_FULL = '53100'

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
      query_timeout: ANSWER_MS,
      idle_in_transaction_session_timeout: readOnly ? STATEMENT_MS : IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_S * 1_000,
      application_name: readOnly ? 'golem' : 'golem-archiver',
      options: `-c tcp_keepalives_idle=${KEEP_ALIVE_S}${readOnly ? ' -c default_transaction_read_only=on' : ''}`,
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
    const found = await this.#ask(() => this.#pool.query<T>(numbered(sql), parameters.map(storable)))
    return found.rows
  }

  snapshot<T>(work: (reader: Pick<Transaction, 'query'>) => Promise<T>): Promise<T> {
    return this.#between('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    // As with SQLite: one that was frozen after it looked at what is there does not write beside its successor.
    const begin = `BEGIN; SELECT pg_advisory_xact_lock(${WRITER_LOCK})`
    const mine = this.#last.then(() => this.#between(begin, work))
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
      // What does not answer is not asked to go back: without its connection the server does so by itself.
      broken =
        isDown(error) ||
        (await client.query('ROLLBACK').then(
          () => false,
          () => true,
        ))
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
        (await this.#ask(() => client.query<T>(numbered(sql), parameters.map(storable)))).rows,
      run: async (sql, parameters = []) =>
        (await this.#ask(() => client.query(numbered(sql), parameters.map(storable)))).rowCount ?? 0,
      insert: async (table, rows) => {
        await this.#ask(() => client.query(bulkInsert(table), columnsOf(table, rows)))
      },
    }
  }

  /** What is wrong with the server is told as the archive's absence; what is wrong with a question, as the server says it. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? (error.code ?? '') : null
      if (code !== null && OF_QUESTION.test(code) && !OF_SERVER.includes(code)) throw error
      const what =
        code === null ? 'does not answer' : code === DISK_FULL ? 'says that its disk is full' : 'refuses'
      throw new GolemError('ARCHIVE_DOWN', `The archive's database ${what}: ${messageOf(error)}.`, {
        cause: error,
      })
    }
  }
}

function isDown(error: unknown): boolean {
  return error instanceof GolemError && error.code === 'ARCHIVE_DOWN'
}

/** The only sign that a text of PostgreSQL can't hold is shown as one that could not be read. */
function storable(cell: Cell): Cell {
  return typeof cell === 'string' && cell.includes('\0') ? cell.replaceAll('\0', '\u{FFFD}') : cell
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
  return Object.keys(columns).map((_, n) => rows.map((row) => storable(row[n] ?? null)))
}
