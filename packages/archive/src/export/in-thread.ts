import { ERRORS, type ErrorCode, GolemError, messageOf } from '@golem/core'
import { Worker } from 'node:worker_threads'
import type { ExportJob, StartedExport } from './job.ts'
import type { ThreadMessage, ThreadRequest } from './thread-messages.ts'

/** Of one thread: several times what an export takes, so that a mistake in one ends it and not the process. */
const MEMORY = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 }

/**
 * Exports in a thread with a connection of its own: SQLite and the making of files take the processor for as long as they
 * last, and the process has polls and stops to answer meanwhile. However slowly it is read, a few pieces are in memory.
 *
 * @param place - of the archive
 * @param signal - ends it; whoever reads then gets its error
 * @throws GolemError ARCHIVE_DOWN and what `beginExport` throws. What fails later is thrown to whoever reads the bytes
 */
export async function exportInThread(
  place: string,
  job: ExportJob,
  signal: AbortSignal,
): Promise<StartedExport> {
  signal.throwIfAborted()
  const thread = new Worker(new URL('thread.js', import.meta.url), {
    workerData: { place, job },
    resourceLimits: MEMORY,
  })
  const inbox = new Inbox(thread, signal)
  try {
    const first = await inbox.next()
    if (first?.what !== 'begun') throw new Error('The thread of an export began with something else.')
    return { rows: first.rows, bytes: bytesOf(inbox) }
  } catch (error) {
    await inbox.close()
    throw error
  }
}

async function* bytesOf(inbox: Inbox): AsyncGenerator<Uint8Array> {
  try {
    for (let message = await inbox.next(); message?.what === 'bytes'; message = await inbox.next()) {
      yield message.bytes
      inbox.taken()
    }
  } finally {
    await inbox.close()
  }
}

/** Threads that have not ended yet. */
const underWay = new Set<Promise<void>>()

/** Resolves when all exports of this process that were begun until now have ended: it must not end before them. */
export async function exportsEnded(): Promise<void> {
  await Promise.all(underWay)
}

/** What the thread has said and nobody has heard yet. */
class Inbox {
  readonly #thread: Worker
  readonly #signal: AbortSignal
  readonly #gone: Promise<void>
  readonly #messages: ThreadMessage[] = []
  #failure: Error | undefined
  #wake: () => void = () => undefined

  constructor(thread: Worker, signal: AbortSignal) {
    this.#thread = thread
    this.#signal = signal
    thread.on('message', (message: ThreadMessage) => {
      this.#messages.push(message)
      this.#wake()
    })
    thread.on('error', (error) => this.#fail(error))
    this.#gone = new Promise((resolve) => {
      thread.on('exit', () => {
        this.#fail(new GolemError('ARCHIVE_DOWN', 'The thread of the export has ended early.'))
        resolve()
      })
    })
    underWay.add(this.#gone)
    void this.#gone.then(() => underWay.delete(this.#gone))
    signal.addEventListener('abort', this.#aborted, { once: true })
  }

  /** @returns undefined: it has ended well. @throws what went wrong */
  async next(): Promise<ThreadMessage | undefined> {
    while (this.#messages.length === 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const message = this.#messages.shift()
    if (message === undefined) throw this.#failure ?? new Error('An export without an end.')
    if (message.what === 'failed') throw failureOf(message)
    return message.what === 'ended' ? undefined : message
  }

  /** A piece was taken: the thread may make one more. */
  taken(): void {
    this.#ask('more')
  }

  /** Resolves when the thread is gone. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#aborted)
    this.#ask('stop')
    await this.#gone
  }

  #ask(request: ThreadRequest): void {
    this.#thread.postMessage(request)
  }

  readonly #aborted = (): void => {
    this.#messages.length = 0
    this.#fail(new GolemError('ARCHIVE_DOWN', 'Nobody waits for the export any more.'))
    // Also where nobody has begun to read, and so nobody ends it by having read.
    void this.close()
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(messageOf(error))
    this.#wake()
  }
}

function failureOf({ code, message, field }: Extract<ThreadMessage, { what: 'failed' }>): Error {
  return isCode(code)
    ? new GolemError(code, message, field === undefined ? {} : { field })
    : new GolemError('ARCHIVE_DOWN', `The archive could not be read: ${message}`)
}

function isCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code)
}
