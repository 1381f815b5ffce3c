import { type Gap, isoTime } from '@golem/core'
import type { Series } from './batch.ts'

/** From inclusive, to exclusive, in ms since 1970. */
export interface TimeSpan {
  from: number
  to: number
}

/**
 * The share of a span that has readings, 0 to 1, from the first reading on and as far as the archive knows.
 *
 * @param gaps - those that touch the span, in the order of their begin; they may overlap
 * @param now - how long gaps that last have lasted, ms since 1970
 * @returns null when nothing of the span is archived
 */
export function completenessOf(
  { firstAt, lastAt }: Pick<Series, 'firstAt' | 'lastAt'>,
  gaps: readonly Pick<Gap, 'from' | 'to'>[],
  { from, to }: TimeSpan,
  now: number,
): number | null {
  if (firstAt === null || lastAt === null || firstAt >= to) return null
  const known = gaps.reduce((end, gap) => Math.max(end, gap.to === null ? now : Date.parse(gap.to)), lastAt)
  const begin = Math.max(from, firstAt)
  const end = Math.min(to, known)
  if (end <= begin) return end === begin && firstAt >= from ? 1 : null
  let missing = 0
  let counted = begin
  for (const gap of gaps) {
    const upTo = Math.min(end, gap.to === null ? now : Date.parse(gap.to))
    missing += Math.max(0, upTo - Math.max(counted, Date.parse(gap.from)))
    counted = Math.max(counted, upTo)
  }
  return 1 - missing / (end - begin)
}

/**
 * Gaps for a drawing of so many points: where there are more, those that lie closer together than two points are told as
 * one, with the reason of the longest.
 *
 * @param gaps - in the order of their begin
 */
export function boundedGaps(gaps: readonly Gap[], { from, to }: TimeSpan, points: number): readonly Gap[] {
  if (gaps.length <= points) return gaps
  const apart = (2 * (to - from)) / points
  const groups: { gaps: Gap[]; end: number }[] = []
  for (const gap of gaps) {
    const before = groups.at(-1)
    if (before && Date.parse(gap.from) - before.end <= apart) {
      before.gaps.push(gap)
      before.end = Math.max(before.end, endOf(gap))
    } else {
      groups.push({ gaps: [gap], end: endOf(gap) })
    }
  }
  return groups.map(({ gaps: group, end }) => asOne(group, end))
}

function asOne(group: readonly Gap[], end: number): Gap {
  const longest = group.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a))
  if (group.length === 1) return longest
  return {
    ...longest,
    from: group[0]?.from ?? longest.from,
    to: end === Infinity ? null : isoTime(end),
    message: `${group.length} gaps; the longest: ${longest.message}`,
  }
}

function endOf({ to }: Gap): number {
  return to === null ? Infinity : Date.parse(to)
}

function lengthOf(gap: Gap): number {
  return endOf(gap) - Date.parse(gap.from)
}
