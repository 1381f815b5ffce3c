import { asGolemError, messageOf } from '@golem/core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answered, Part, PartContext, PartMaker } from './part.ts'

/** Where the requests that were done are remembered. */
const CURSOR = 'cursor'
/** Before Redis is asked again, in ms. */
const AGAIN_AFTER_MS = 200

/**
 * One term of office of the leading scheduler: it takes requests in their order, each once, and tells its parts what
 * changes.
 */
export class Leader {
  readonly #context: PartContext
  readonly #parts: readonly Part[]
  readonly #ended = new AbortController()
  #unsubscribe: () => void = () => undefined
  #following: Promise<void> = Promise.resolve()

  constructor(context: PartContext, makers: readonly PartMaker[]) {
    this.#context = context
    this.#parts = makers.flatMap((make) => make(context))
  }

  /** @throws what Redis throws when it does not answer; then `end` has to be called */
  async begin(): Promise<void> {
    const { client } = this.#context
    const remembered = await client.remembered()
    for (const part of this.#parts) await part.begin(remembered)
    this.#unsubscribe = client.site.view.onChange((change) => {
      for (const part of this.#parts) part.change?.(change)
    })
    const cursor = remembered.get(CURSOR)
    this.#following = this.#follow(typeof cursor === 'string' ? cursor : '0-0')
  }

  async end(): Promise<void> {
    this.#ended.abort()
    this.#unsubscribe()
    for (const part of this.#parts) await part.end()
    await this.#following
  }

  async #follow(from: string): Promise<void> {
    let done = from
    const { client, log, giveUp } = this.#context
    while (!this.#ended.signal.aborted) {
      try {
        for (const { id, at, request } of await client.requests(done)) {
          if (this.#ended.signal.aborted) return
          const { writes, after } = await this.#answer(request, at)
          await client.write([...writes, { op: 'remember', name: CURSOR, value: id }])
          done = id
          after?.()
        }
      } catch (error) {
        if (this.#ended.signal.aborted) return
        if (asGolemError(error).code === 'LEASE_LOST') return giveUp(messageOf(error))
        // The request stands in the stream, and is asked for again.
        log.warn({ err: error }, 'requests are not read')
        await sleep(AGAIN_AFTER_MS)
      }
    }
  }

  async #answer(request: Parameters<NonNullable<Part['request']>>[0], at: number): Promise<Answered> {
    for (const part of this.#parts) {
      const answered = await part.request?.(request, at)
      if (answered) return answered
    }
    this.#context.log.error({ request }, 'nobody here knows what to do with this request')
    return { writes: [] }
  }
}
