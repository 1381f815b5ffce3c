import { setTimeout as sleep } from 'node:timers/promises'

export interface EventuallyOptions {
  /** default 10000 */
  timeoutMs?: number
  /** Between two attempts (default 20). */
  everyMs?: number
  /** What is awaited, for the message: "the worker owns the lamp". */
  what: string
}

/**
 * Tries until `attempt` returns something truthy, and gives that back. What it throws counts as "not yet".
 *
 * @throws Error that says what did not happen, how long it was waited for and what the last attempt gave
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what }: EventuallyOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await attempt()
      if (value) return value
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) break
    await sleep(everyMs)
  }
  const seen = last instanceof Error ? last.message : JSON.stringify(last)
  throw new Error(`It did not happen within ${timeoutMs} ms that ${what}. The last attempt gave: ${seen}`, {
    cause: last,
  })
}
