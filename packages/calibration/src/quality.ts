import type { Reading } from '@golem/core'

/** A reading that something is made of, and how sentences call it. */
export interface Input {
  label: string
  /** undefined: nobody has read it yet. */
  reading: Reading | undefined
}

/** What inputs allow to be said of a result: their quality, and the time of the oldest. */
export type Combined =
  | { ok: true; values: readonly number[]; at: string; stale?: string }
  | { ok: false; quality: 'bad' | 'stale'; error: string }

/**
 * Brings readings together: any that is bad makes the result bad; any that is stale makes it stale. The time is that
 * of the oldest.
 */
export function combine(inputs: readonly Input[]): Combined {
  for (const { label, reading } of inputs) {
    if (reading?.quality !== 'bad') continue
    return {
      ok: false,
      quality: 'bad',
      error: `${label} is bad${reading.error ? `: ${reading.error}` : '.'}`,
    }
  }
  const values: number[] = []
  let at = ''
  let stale: string | undefined
  for (const { label, reading } of inputs) {
    if (!reading || reading.value === null || reading.at === null) {
      return { ok: false, quality: 'stale', error: `${label} has not been read yet.` }
    }
    const { value } = reading
    if (typeof value !== 'number' && typeof value !== 'boolean') {
      return { ok: false, quality: 'bad', error: `${label} is no number.` }
    }
    values.push(Number(value))
    if (at === '' || Date.parse(reading.at) < Date.parse(at)) at = reading.at
    if (reading.quality === 'stale')
      stale ??= `${label} is stale${reading.error ? `: ${reading.error}` : '.'}`
  }
  return { ok: true, values, at, ...(stale === undefined ? {} : { stale }) }
}

/**
 * A result as a reading.
 *
 * @param before - the reading so far: a result that is none keeps its value
 * @param compute - @returns the value, or why there is none
 */
export function resultOf(
  combined: Combined,
  before: Reading | undefined,
  compute: (values: readonly number[]) => number | { fault: string },
): Reading {
  const last = { value: before?.value ?? null, at: before?.at ?? null }
  if (!combined.ok) return { ...last, quality: combined.quality, error: combined.error }
  const value = compute(combined.values)
  if (typeof value !== 'number') return { ...last, quality: 'bad', error: value.fault }
  if (!Number.isFinite(value)) return { ...last, quality: 'bad', error: 'It comes to no number.' }
  const { at, stale } = combined
  return stale === undefined ? { value, at, quality: 'good' } : { value, at, quality: 'stale', error: stale }
}
