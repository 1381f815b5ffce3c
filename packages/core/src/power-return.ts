import type { Value } from './description.ts'

/** Which one wins after an instrument was without power: what it has now, what was there before, or the safe values. */
export const POWER_RETURN_CHOICES = ['device', 'golem', 'safe'] as const

export type PowerReturnChoice = (typeof POWER_RETURN_CHOICES)[number]

/** An instrument was without power, and outputs are no longer as they were: a person is asked which one wins. */
export interface PowerReturn {
  /** ISO 8601 UTC */
  since: string
  differences: readonly { parameter: string; before: Value; now: Value }[]
}
