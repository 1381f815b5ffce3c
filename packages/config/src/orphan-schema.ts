import { duration, table } from './schema-parts.ts'

/** What the outputs of an instrument do when nobody may speak to it any more. */
export const onOrphanedSchema = {
  description:
    'what its outputs do when its worker hears no more of Redis, or dies: hold (default), or { safeAfter: 5 s }',
  if: { type: 'object' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: table(
    'Its outputs go to their safe state',
    { safeAfter: duration('after so long without Redis, shorter than the lease') },
    ['safeAfter'],
  ),
  else: { const: 'hold', description: 'hold, or a table with safeAfter' },
}

export type RawOnOrphaned = 'hold' | { safeAfter?: string }
