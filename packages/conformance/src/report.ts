/** What an instrument's driver is worth, from the least. */
export const LEVELS = ['bronze', 'silver', 'gold', 'platinum'] as const

export type Level = (typeof LEVELS)[number]

/**
 * passed, failed; `does not apply`: there is nothing to check, with the reason; `not run`: it was left out, so the
 * level is not reached.
 */
export type Status = 'passed' | 'failed' | 'does not apply' | 'not run'

/** One check and what came of it. */
export interface Finding {
  level: Level
  check: string
  status: Status
  /** What was seen, as a sentence. */
  reason: string
}

/** What `golem conformance` says of one model. */
export interface Report {
  model: string
  /** null: not even bronze. */
  level: Level | null
  /** The next level, and the checks that are missing for it; null when there is none. */
  next: { level: Level; missing: readonly Finding[] } | null
  findings: readonly Finding[]
  /** How long it took, in ms. */
  ms: number
}

/** The level that findings are worth: that of a level counts only when all below it are reached. */
export function reportOf(model: string, findings: readonly Finding[], ms: number): Report {
  let reached: Level | null = null
  for (const level of LEVELS) {
    const missing = findings.filter(
      (finding) => finding.level === level && (finding.status === 'failed' || finding.status === 'not run'),
    )
    if (missing.length > 0) return { model, level: reached, next: { level, missing }, findings, ms }
    reached = level
  }
  return { model, level: reached, next: null, findings, ms }
}

/** Is `level` at least `wanted`? */
export function isAtLeast(level: Level | null, wanted: Level): boolean {
  return level !== null && LEVELS.indexOf(level) >= LEVELS.indexOf(wanted)
}
