import { type Holder, type ReservationRecord, type ReservationState, isEntitled } from '@golem/core'
import type { Language } from './i18n.ts'
import type { SiteModel } from './model.ts'

/** What the page says of a reservation that concerns the person before it. */
export interface ReservationNews {
  instrument: string
  kind: 'yours' | 'over' | 'ended'
  /** yours: until when, ISO 8601 UTC */
  until?: string
  /** ended: by whom and why */
  by?: string
  reason?: string
}

/** Is this holder the person of this name, as the ledger has them? */
export function isPerson(holder: Holder, name: string | null): boolean {
  return holder.kind === 'person' && holder.name === name
}

/** The reservation because of which this person can't command an instrument; null: there is none. */
export function reservedByOthers(
  site: SiteModel | null,
  instrument: string,
  name: string | null,
): ReservationRecord | null {
  const current = site?.instruments.get(instrument)?.reservation?.current ?? null
  return current !== null && !(name !== null && isEntitled(current, name)) ? current : null
}

/**
 * What has happened to this person's reservations from one state to the next: an instrument has become theirs while they
 * waited, or is theirs no longer. What they did themselves on this page they know.
 */
export function reservationNews(before: SiteModel | null, after: SiteModel, name: string): ReservationNews[] {
  if (before === null) return []
  const news: ReservationNews[] = []
  for (const [instrument, { reservation }] of after.instruments) {
    const was = before.instruments.get(instrument)?.reservation
    if (!was || !reservation || was === reservation) continue
    const { current, ended } = reservation
    const wasMine = was.current !== null && isPerson(was.current.holder, name)
    const isMine = current !== null && isPerson(current.holder, name)
    if (isMine && !wasMine && hasWaited(was, name)) {
      news.push({ instrument, kind: 'yours', until: current.until })
    }
    if (wasMine && !isMine && ended?.fence === was.current?.fence) {
      if (ended?.how === 'expired') news.push({ instrument, kind: 'over' })
      if (ended?.how === 'forced') {
        news.push({ instrument, kind: 'ended', by: ended.by ?? '', reason: ended.reason ?? '' })
      }
    }
  }
  return news
}

/** Did they stand in line, had they booked it, or did somebody else who had it give it to them? */
function hasWaited(was: ReservationState, name: string): boolean {
  const isTheirs = ({ holder }: { holder: Holder }): boolean => isPerson(holder, name)
  return was.waiting.some(isTheirs) || was.bookings.some(isTheirs) || was.current !== null
}

/** An end or beginning in the reader's time zone, without seconds; with the date when it is not today's. */
export function formatMinute(at: string, nowMs: number | null, language: Language): string {
  const ms = Date.parse(at)
  if (!Number.isFinite(ms)) return at
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const date = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' })
  const day = date.format(ms)
  return nowMs !== null && day === date.format(nowMs) ? time.format(ms) : `${day} ${time.format(ms)}`
}

/** Names that somebody has written with commas between them. */
export function namesIn(text: string): string[] {
  return text
    .split(/[,;]/)
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
