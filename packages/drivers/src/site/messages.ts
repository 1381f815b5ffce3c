import type { Driver, ErrorCode, JsonSchema } from '@golem/core'
import type { MessagePort } from 'node:worker_threads'

/** What a thread is started with. */
export interface ThreadData {
  /** The driver file as messages name it, e.g. `drivers/oven.ts`. */
  name: string
  /** Its code as a URL that can be imported. */
  url: string
  /** Answers to what the main thread waits for without doing anything else. */
  syncPort: MessagePort
  /** Questions the driver waits for without doing anything else. */
  askPort: MessagePort
  /** Two words of 32 bits: [0] something is in `syncPort`, or ENDED; [1] something is in `askPort`. */
  flags: SharedArrayBuffer
}

/** In `flags[0]`: the thread has ended, no answer comes. */
export const ENDED = 2
/** In place of the number of a question: the thread has ended, and this is why. */
export const ENDED_SEQ = 0

/** A function of a driver: the way to it, e.g. `['parameters', 'speed', 'write']`. */
export type FunctionPath = readonly string[]

/** An error on its way from one thread to the other. */
export interface WireError {
  code: ErrorCode
  message: string
  details?: Readonly<Record<string, unknown>>
}

export type Answered = { value: unknown } | { error: WireError }

/** To the thread. */
export type ToThread =
  /** Makes the driver of this thread. Answered by `done` with the parts of it that are no functions. */
  | { kind: 'create'; id: number; options: Readonly<Record<string, unknown>> }
  /** Calls a function of the driver, with an io before the arguments. Answered by `done`. */
  | { kind: 'call'; id: number; path: FunctionPath; args: readonly unknown[] }
  /** An io call has ended. */
  | { kind: 'ioDone'; id: number; answered: Answered }
  /** A payload that an `accept` in the thread is to judge. */
  | { kind: 'offer'; id: number; payload: string }
  /** The main thread waits for the answer in `syncPort`. */
  | { kind: 'sync'; seq: number; what: SyncQuestion }
  /** Something nobody asked for. Answered by `strayDone`. */
  | { kind: 'stray'; path: FunctionPath; args: readonly unknown[] }
  | { kind: 'ping' }

export type SyncQuestion =
  | { kind: 'create'; options: Readonly<Record<string, unknown>> }
  | { kind: 'call'; path: FunctionPath; args: readonly unknown[] }
  /** `complete` of an askBytes that runs. */
  | { kind: 'complete'; io: number; received: Uint8Array }

/** From the thread. */
export type FromThread =
  | { kind: 'loaded'; model: unknown }
  | { kind: 'done'; id: number; answered: Answered }
  | { kind: 'io'; id: number; call: number; method: string; args: readonly unknown[]; judges: boolean }
  | { kind: 'strayDone'; answered: Answered }
  | { kind: 'pong' }
  /** Something went wrong outside of any call: the thread can't be trusted any more. */
  | { kind: 'broken'; message: string }

/** What the model says of itself; `create` stays in the thread. */
export interface ModelShape {
  id: string
  label: string
  kind: string
  source: string
  transport: Driver['transport']
  optionsSchema: JsonSchema
}

/** A parameter without its functions. */
export interface ParameterShape {
  label: string
  has: { read: boolean; write: boolean; timed: boolean; matches: boolean }
  [other: string]: unknown
}

/** An action without its function. */
export interface ActionShape {
  label: string
  timeLimitMs?: number
  [other: string]: unknown
}

/** A driver without its functions. */
export interface DriverShape {
  transport: Driver['transport']
  link: Readonly<Record<string, unknown>>
  parameters: Readonly<Record<string, ParameterShape>>
  actions: Readonly<Record<string, ActionShape>>
  has: {
    initialise: boolean
    makeSafe: boolean
    shutDown: boolean
    unsolicited: boolean
  }
  /** The rest: uptime, replies, subscriptions, availability, events without functions ... */
  rest: Readonly<Record<string, unknown>>
}
