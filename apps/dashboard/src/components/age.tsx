import { formatDuration } from '../format.ts'
import { ageMs } from '../model.ts'
import { language, now } from '../store.ts'

/** How old a time stamp is, counted on every second. */
export function Age({ at }: { at: string | null | undefined }) {
  const age = ageMs(at, now.value)
  return <>{age === null ? '—' : formatDuration(age, language.value)}</>
}
