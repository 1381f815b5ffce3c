import type { LogLevel, SiteEvent } from '@golem/core'
import { formatTime } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { language, now, t } from '../store.ts'

/** How serious levels are shown; what has none of these is as usual. */
const LEVELS: Partial<Record<LogLevel, { word: MessageKey; look: string }>> = {
  debug: { word: 'levelDebug', look: '' },
  notice: { word: 'levelNotice', look: '' },
  warning: { word: 'levelWarning', look: 'warn' },
  error: { word: 'levelError', look: 'bad' },
  critical: { word: 'levelCritical', look: 'bad' },
}

/** The level of an entry, when it is not the usual one. */
export function LevelChip({ event: { level } }: { event: SiteEvent }) {
  const shown = level === undefined ? undefined : LEVELS[level]
  if (shown === undefined) return null
  return (
    <span class={`chip ${shown.look}`} data-level={level}>
      <span class="glyph" aria-hidden="true" />
      {t(shown.word)}
    </span>
  )
}

/** The logger that an entry comes from. */
export function LoggerName({ event: { data } }: { event: SiteEvent }) {
  const logger = textOf(data?.['logger'])
  return logger === undefined ? null : <span class="logger">{logger}</span>
}

/** What else a program has said with an entry: its exception, where and when it was written, and fields of its own. */
export function EntryDetails({ event: { data } }: { event: SiteEvent }) {
  const exception = textOf(data?.['exception'])
  const place = textOf(data?.['place'])
  const time = textOf(data?.['time'])
  const extra = fieldsOf(data?.['extra'])
  if (exception === undefined && place === undefined && extra.length === 0) return null
  return (
    <details class="entry">
      {/* What happened is in the last line of a traceback. */}
      <summary>{exception?.trimEnd().split('\n').at(-1) ?? t('entryDetails')}</summary>
      {exception !== undefined && <pre>{exception}</pre>}
      <dl>
        {place !== undefined && <Field name={t('entryPlace')} value={place} />}
        {time !== undefined && (
          <Field name={t('entryTime')} value={formatTime(time, now.value, language.value)} />
        )}
        {extra.map(([name, value]) => (
          <Field key={name} name={name} value={value} />
        ))}
      </dl>
    </details>
  )
}

function Field({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function fieldsOf(extra: unknown): [string, string][] {
  if (typeof extra !== 'object' || extra === null) return []
  return Object.entries(extra).map(([name, value]) => [name, textOf(value) ?? JSON.stringify(value)])
}
