import type { MessageKey } from '../i18n.ts'
import { dismissToast, t, type Toast, toasts } from '../store.ts'
import { effectSentence } from './outcome-chip.tsx'

const LOOKS: Record<Toast['outcome'], { key: MessageKey; look: string }> = {
  done: { key: 'outcomeDone', look: 'ok' },
  refused: { key: 'outcomeRefused', look: 'off' },
  failed: { key: 'outcomeFailed', look: 'bad' },
  unknown: { key: 'outcomeUnknown', look: 'warn' },
  sending: { key: 'pending', look: 'wait' },
  news: { key: 'news', look: 'warn' },
}

/** Outcomes of this page's commands. Good ones go by themselves, the others stay until they have been read. */
export function Toasts() {
  const shown = toasts.value
  const keep = shown.filter(({ outcome }) => outcome !== 'done' && outcome !== 'sending')
  return (
    <>
      <div class="toasts" role="region" aria-label={t('outcomes')}>
        {keep.length > 2 && (
          <button type="button" class="all" onClick={() => keep.forEach(({ id }) => dismissToast(id))}>
            {t('dismissAll')}
          </button>
        )}
        {shown.map((toast) => (
          <ToastCard key={toast.id} toast={toast} />
        ))}
      </div>
      <Announcer />
    </>
  )
}

function ToastCard({ toast }: { toast: Toast }) {
  const { key, look } = LOOKS[toast.outcome]
  return (
    <div class={`toast ${look}`} data-outcome={toast.outcome} data-effect={toast.effect ?? undefined}>
      <p class="chip">
        <span class="glyph" aria-hidden="true" />
        {t(key)}
      </p>
      <button type="button" class="close" aria-label={t('dismiss')} onClick={() => dismissToast(toast.id)}>
        ×
      </button>
      <p class="title">{toast.title}</p>
      {toast.message && <p>{toast.message}</p>}
      {hasEffectSentence(toast) && <p class="quiet">{effectSentence(toast.effect ?? 'unknown')}</p>}
      {toast.settled && <p>{toast.settled}</p>}
    </div>
  )
}

/** What is done needs no such sentence; what is still being sent says it itself. */
function hasEffectSentence({ outcome, effect }: Toast): boolean {
  return effect !== null && outcome !== 'done' && outcome !== 'sending'
}

/** Reads the newest outcome to screen readers: calmly when it is done, at once when it is not. */
function Announcer() {
  const newest = toasts.value.at(-1)
  const words = newest
    ? [t(LOOKS[newest.outcome].key), newest.title, newest.message, newest.settled].filter(Boolean).join('. ')
    : ''
  const isGood = newest?.outcome === 'done'
  return (
    <>
      <p class="hidden" aria-live="polite">
        {isGood ? words : ''}
      </p>
      <p class="hidden" aria-live="assertive">
        {isGood ? '' : words}
      </p>
    </>
  )
}
