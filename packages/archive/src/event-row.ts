import type { Cell } from './database.ts'

/** A row of the table `event`, as it is read. */
export interface EventRow extends Record<string, Cell> {
  id: string
  /** Where it belongs in the timeline, ms since 1970. */
  t: number
  /** When it was written, ms since 1970. */
  written: number
  kind: string
  level: string
  instrument: string | null
  by_whom: string | null
  command: string | null
  run: string | null
  stage: string | null
  message: string
  /** JSON */
  data: string | null
}
