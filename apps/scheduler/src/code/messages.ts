import type { Reading, Value } from '@golem/core'

/** What a program is made of. */
export interface CodeFile {
  /** As messages name it: `recipes/scan.ts`. */
  name: string
  /** The code as a URL that can be imported. */
  url: string
}

/** From the scheduler to the process of a recipe in code. */
export type ToProgram =
  | ({ kind: 'describe' } & CodeFile)
  | ({ kind: 'run'; parameters: Readonly<Record<string, Value>> } & CodeFile)
  | { kind: 'parameters'; parameters: Readonly<Record<string, Value>> }
  | { kind: 'answer'; call: number; answer: CallAnswer }

export type CallAnswer = { value?: Value | Reading | Readonly<Record<string, Value>> } | { error: string }

/** From the process of a recipe in code to the scheduler. */
export type FromProgram =
  | { kind: 'alive' }
  | { kind: 'described'; declaration: unknown }
  | { kind: 'step'; call: number; step: unknown }
  | { kind: 'read'; call: number; reading: unknown }
  | { kind: 'stage'; name: string }
  | { kind: 'progress'; fraction: number; doing?: string }
  | { kind: 'note'; text: string }
  | { kind: 'done' }
  | { kind: 'failed'; message: string }

/** How often a program says that it is alive, in ms. */
export const ALIVE_EVERY_MS = 1_000
