import type { PlannedStart } from '@golem/core'
import { useRef } from 'preact/hooks'
import { mergeStarts } from '../timeline.ts'
import { usePage } from './page-context.ts'
import { type Listing, useListing } from './use-listing.ts'

const EVERY_MS = 5000
/** As many as the server gives at once; afterwards only what may have changed. */
const AT_FIRST = 1000
const AFTERWARDS = 100
/** A week of starts every ten minutes, of three schedules. */
const KEPT = 3000

/** What became of planned starts, newest first; kept fresh while it is shown. */
export function useStarts(): Listing<PlannedStart> {
  const { automation } = usePage()
  const known = useRef<readonly PlannedStart[]>([])
  const load = async (): Promise<readonly PlannedStart[]> => {
    const newer = await automation.starts(known.current.length === 0 ? AT_FIRST : AFTERWARDS)
    known.current = mergeStarts(known.current, newer).slice(0, KEPT)
    return known.current
  }
  return useListing(load, EVERY_MS, '')
}
