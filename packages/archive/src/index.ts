export * from './batch.ts'
export type { Cell, Database, Row, Table, Transaction } from './database.ts'
export { openArchive, openArchiveReader } from './open.ts'
export * from './history.ts'
