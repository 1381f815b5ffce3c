import { GolemError } from '@golem/core'
import { Worker } from 'bullmq'
import type { Connection } from './connection.ts'
import { WORKER_OPTIONS } from './job.ts'
import type { Keys } from './keys.ts'

/** Takes commands off one instrument's queue, one at a time, until it is closed. */
export interface Consumer {
  /** Has a command carried out that is no longer in the queue, in turn with those that are. */
  take(id: string): Promise<void>
  /** Waits for the command that is being carried out, then takes no more. */
  close(): Promise<void>
}

export interface ConsumeOptions {
  keys: Keys
  /** Patient; shared by all consumers of a process (each makes one blocking connection of its own). */
  connection: Connection
  instrument: string
  /** Carries out the command with this id. What it throws is reported; the job is never run again. */
  handle: (id: string) => Promise<void>
  onError: (error: Error) => void
}

/** How many of its own events BullMQ keeps for an instrument. */
const KEPT_EVENTS = 100

/** How long closing waits for Redis, in ms: when it is away, there is nobody to say goodbye to. */
const CLOSE_TIMEOUT_MS = 2_000

/** Starts taking an instrument's commands. Only the owner of its link may. */
export function consumeCommands({ keys, connection, instrument, handle, onError }: ConsumeOptions): Consumer {
  let busy: Promise<void> = Promise.resolve()
  const take = (id: string): Promise<void> => {
    const turn = busy.then(() => handle(id))
    // What one throws is told to whoever gave it; the next one has its turn all the same.
    busy = turn.catch(() => undefined)
    return turn
  }
  const worker = new Worker(
    instrument,
    async ({ id }) => {
      if (id === undefined) throw new GolemError('INTERNAL', `a job without id in the queue of ${instrument}`)
      await take(id)
    },
    {
      ...WORKER_OPTIONS,
      connection,
      prefix: keys.bullPrefix,
      skipVersionCheck: true,
    },
  )
  worker.on('error', onError)
  // Nobody reads BullMQ's own events; ten thousand of them for each instrument would only fill the memory.
  connection.hset(`${keys.bullPrefix}:${instrument}:meta`, 'opts.maxLenEvents', KEPT_EVENTS).catch(onError)
  worker.on('failed', (_job, error) => onError(error))
  return {
    take,
    async close() {
      // close() stops fetching at once and waits for the running job; its goodbyes need Redis.
      const closing = worker.close()
      await busy
      const late = Symbol('late')
      const result = await Promise.race([
        closing,
        new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS, late).unref()),
      ])
      if (result === late) worker.close(true).catch(onError)
    },
  }
}
