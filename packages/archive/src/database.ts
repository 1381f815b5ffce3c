/** What a column holds. Times are ms since 1970; truth values are 0 and 1. */
export type Cell = number | string | null

export type Row = Readonly<Record<string, Cell>>

/** Kinds of columns, by which both databases choose a type. */
export type ColumnKind = 'integer' | 'real' | 'text'

/** A table into which many rows are written at once. */
export interface Table {
  name: string
  /** By name, in the order in which rows give them. */
  columns: Readonly<Record<string, ColumnKind>>
  /** What comes after `INSERT INTO ... VALUES ...`, e.g. `ON CONFLICT (id) DO NOTHING`. */
  conflict?: string
}

/**
 * One transaction. SQL is what SQLite and PostgreSQL both understand; parameters are written `?`, and where the type of
 * one can't be seen from a column beside it, `CAST(? AS BIGINT)`.
 */
export interface Transaction {
  query<T extends Row>(sql: string, parameters?: readonly Cell[]): Promise<T[]>
  /** @returns how many rows were changed */
  run(sql: string, parameters?: readonly Cell[]): Promise<number>
  insert(table: Table, rows: readonly (readonly Cell[])[]): Promise<void>
}

/** The archive's database: a file of SQLite, or a server with PostgreSQL. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres'
  query<T extends Row>(sql: string, parameters?: readonly Cell[]): Promise<T[]>
  /** Questions that all see the database as it is at the first of them, however long they take. */
  snapshot<T>(work: (reader: Pick<Transaction, 'query'>) => Promise<T>): Promise<T>
  /** All of it or nothing, on the disk when this has ended; transactions of one `Database` follow each other. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** What it takes on the disk, in bytes. */
  size(): Promise<number>
  close(): Promise<void>
}
