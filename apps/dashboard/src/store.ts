import { computed, signal } from '@preact/signals'
import {
  type CommandRecord,
  type Effect,
  holderName,
  type InstrumentDescription,
  type OutcomeKind,
  type StateDocument,
  type Value,
} from '@golem/core'
import { Problem, type Session, type Unreachable } from './api.ts'
import { type Circumstances, whyAllBlocked, whyBlocked } from './availability.ts'
import { History } from './history.ts'
import { chooseLanguage, type Language, type MessageKey, translate } from './i18n.ts'
import { mergeState, SiteClock, type SiteModel } from './model.ts'
import { formatMinute, type ReservationNews, reservationNews, reservedByOthers } from './reservation.ts'
import { inWords } from './sentences.ts'

/** Everything the page shows stands here; components read it, `poll.ts`, `live.ts` and `commands.ts` write it. */

export type MemoryKey = 'language' | 'name' | 'token'

/** What the page remembers: language and name on this computer, the token in this tab only. */
export interface Memory {
  get(key: MemoryKey): string | null
  set(key: MemoryKey, value: string | null): void
}

/** How the last polls went. */
export interface Connection {
  state: 'starting' | 'live' | 'lost'
  /** The site's time of the last good answer, ms since 1970. */
  lastGoodAt: number | null
  message: string
}

/** A card that reports the outcome of a command. */
export interface Toast {
  id: number
  /** `sending`: not ended, but there is trouble; `news`: of a reservation. */
  outcome: OutcomeKind | 'sending' | 'news'
  /** null: it is not about a command. */
  effect: Effect | null
  /** What was asked, in words. */
  title: string
  message: string
  /** What reading back has shown since. */
  settled: string
}

export const session = signal<Session | null>(null)
/** null: no token is asked for; `wrong`: the one given was refused. */
export const tokenWanted = signal<'ask' | 'wrong' | null>(null)
export const connection = signal<Connection>({ state: 'starting', lastGoodAt: null, message: '' })
/** Whether the state is pushed through a socket; otherwise it is polled. */
export const pushed = signal(false)
/** null: not fetched yet. */
export const descriptions = signal<readonly InstrumentDescription[] | null>(null)
export const site = signal<SiteModel | null>(null)
export const toasts = signal<readonly Toast[]>([])
/** Commands of this page that have not ended, by `instrument.parameter` or `instrument.action()`. */
export const pending = signal<ReadonlyMap<string, Value | null>>(new Map())
/** What this page's actions were answered last, by `instrument.action()`. */
export const answers = signal<ReadonlyMap<string, CommandRecord>>(new Map())
/** An emergency stop that the server has not confirmed yet: by instrument id, `''` for everything. */
export const unconfirmedStops = signal<ReadonlyMap<string, number>>(new Map())
export const language = signal<Language>('en')
/** The site's time, once a second; ages are counted from it. */
export const now = signal<number | null>(null)

export const serverLost = computed(() => connection.value.state === 'lost')

export const history = new History()
const clock = new SiteClock(() => performance.now())

/** The site's time at this moment, ms since 1970; null before the first answer. */
export function siteNow(): number | null {
  return clock.now()
}

/** A sentence in the reader's language. */
export function t(key: MessageKey, values?: Readonly<Record<string, string | number>>): string {
  return translate(language.value, key, values)
}

/**
 * A sentence that a process of golem has written, in the reader's language, or as it came.
 *
 * @param code - why something was not done
 */
export function said(text: string, code?: string): string {
  return inWords(language.value, text, code)
}

/** Why a request came to nothing. */
export function saidOf(error: Problem | Unreachable): string {
  return said(error.message, error instanceof Problem ? error.code : undefined)
}

function circumstances(): Circumstances {
  return { role: session.value?.role ?? null, serverLost: serverLost.value, site: site.value }
}

/** Why nothing can be commanded now, as a sentence; null: no reason that concerns everything. */
export function allBlockedReason(): string | null {
  const key = whyAllBlocked(circumstances())
  return key === null ? null : t(key)
}

/** Why this instrument in particular cannot be commanded now, as a sentence; null: no reason of its own. */
export function blockedReason(instrument: string): string | null {
  const key = whyBlocked(circumstances(), instrument)
  if (key !== null) return t(key)
  const held = reservedByOthers(site.value, instrument, session.value?.name ?? null)
  if (held === null) return null
  const until = formatMinute(held.until, now.value, language.value)
  return t('blockedReserved', { by: holderName(held.holder), until })
}

/** Takes an answer of `GET /api/state`. */
export function takeState(answer: StateDocument): void {
  clock.hear(answer.at)
  const at = Date.parse(answer.at)
  for (const [id, state] of Object.entries(answer.instruments)) history.add(id, state, at)
  const before = site.value
  const after = mergeState(before, answer)
  site.value = after
  if (session.value !== null) reservationNews(before, after, session.value.name).forEach(tellReservation)
  tick()
}

function tellReservation({ instrument, kind, until = '', by = '', reason = '' }: ReservationNews): void {
  const name = descriptions.value?.find(({ id }) => id === instrument)?.label ?? instrument
  const title = {
    yours: () => t('yoursNow', { name, until: formatMinute(until, clock.now(), language.value) }),
    over: () => t('yoursOver', { name }),
    ended: () => t('yoursEnded', { name, by, reason }),
  }[kind]()
  addToast({ outcome: 'news', effect: null, title, message: '' })
}

/** Lets ages grow. */
export function tick(): void {
  now.value = clock.now()
}

export function setConnection(state: Connection['state'], message = ''): void {
  const before = connection.value
  const lastGoodAt = state === 'live' ? clock.now() : before.lastGoodAt
  connection.value = { state, lastGoodAt, message }
}

let lastToast = 0

export function addToast(toast: Omit<Toast, 'id' | 'settled'>): number {
  lastToast += 1
  toasts.value = [...toasts.value, { ...toast, id: lastToast, settled: '' }]
  return lastToast
}

export function changeToast(id: number, change: Partial<Omit<Toast, 'id'>>): void {
  toasts.value = toasts.value.map((toast) => (toast.id === id ? { ...toast, ...change } : toast))
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

export function setPending(key: string, value: Value | null | undefined): void {
  const next = new Map(pending.value)
  if (value === undefined) next.delete(key)
  else next.set(key, value)
  pending.value = next
}

/** @param record - null: it has been read */
export function setAnswer(key: string, record: CommandRecord | null): void {
  const next = new Map(answers.value)
  if (record === null) next.delete(key)
  else next.set(key, record)
  answers.value = next
}

/** @param attempt - which one is under way; null: confirmed or given up */
export function setUnconfirmedStop(instrument: string | null, attempt: number | null): void {
  const next = new Map(unconfirmedStops.value)
  if (attempt === null) next.delete(instrument ?? '')
  else next.set(instrument ?? '', attempt)
  unconfirmedStops.value = next
}

/** Sets the language from what is remembered or preferred. */
export function initLanguage(memory: Memory, preferred: readonly string[]): void {
  language.value = chooseLanguage(memory.get('language'), preferred)
}
