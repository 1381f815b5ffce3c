import { type CommandRecord, MAX_ITEMS } from '@golem/core'
import { useEffect, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import { hasAnswer } from '../commands.ts'
import { formatBare, formatTarget, formatTime } from '../format.ts'
import { saveCsv } from '../save-file.ts'
import { answers, descriptions, language, now, setAnswer, t } from '../store.ts'
import { ListPlot } from './list-plot.tsx'
import { usePage } from './page-context.ts'

/** So many numbers are fetched without being asked for. */
const SHOWN_AT_ONCE = 20_000

/** What this page's action was answered last, until it is put away. */
export function Answer({ of }: { of: string }) {
  const record = answers.value.get(of)
  if (!record) return null
  const instrument = descriptions.value?.find(({ id }) => id === record.instrument)
  const what = formatTarget(record, instrument, language.value)
  const time = formatTime(record.endedAt ?? record.submittedAt, now.value, language.value)
  return (
    <section class="answer" aria-label={t('answerOf', { what })} data-part="answer" data-of={of}>
      <header>
        <h4>{what}</h4>
        <span class="quiet">{t('answerAt', { time })}</span>
        <button
          type="button"
          class="close"
          aria-label={t('dismissAnswer')}
          onClick={() => setAnswer(of, null)}
        >
          ×
        </button>
      </header>
      <Result key={record.id} record={record} isOpen={(record.resultItems ?? 0) <= SHOWN_AT_ONCE} />
    </section>
  )
}

interface ResultProps {
  record: CommandRecord
  /** Numbers that are kept apart are fetched at once (default: when they are asked for). */
  isOpen?: boolean
}

/** What an action was answered with. Numbers are drawn and can be saved as a file. Nothing for what has no answer. */
export function Result({ record, isOpen = false }: ResultProps) {
  const { api } = usePage()
  const [loaded, setLoaded] = useState<readonly number[] | null>(null)
  const [error, setError] = useState<string | null>(null)
  const inline = typeof record.result === 'object' ? record.result : null
  const isApart = inline === null && record.resultItems !== undefined
  const load = async (): Promise<void> => {
    try {
      setLoaded(await api.result(record.id))
    } catch (cause) {
      if (!(cause instanceof Problem || cause instanceof Unreachable)) throw cause
      setError(cause.message)
    }
  }
  useEffect(() => {
    if (isOpen && isApart) void load()
  }, [isOpen, isApart])
  if (!hasAnswer(record)) return null
  const values = inline ?? loaded
  if (values !== null) return <Numbers name={`${record.instrument}-${record.id}.csv`} values={values} />
  if (!isApart) {
    return (
      <p class="detail" data-part="result">
        {record.result === '' ? t('emptyText') : formatBare(record.result, { type: 'text' }, language.value)}
      </p>
    )
  }
  const count = record.resultItems ?? MAX_ITEMS
  return (
    <p class="detail">
      <button type="button" class="link" onClick={() => void load()}>
        {t('showNumbers', { count })}
      </button>
      {error && <span class="error"> {t('loadFailed', { message: error })}</span>}
    </p>
  )
}

function Numbers({ name, values }: { name: string; values: readonly number[] }) {
  return (
    <div class="detail result" data-part="result">
      <ListPlot values={values} />
      {formatBare(values, { type: 'array' }, language.value)}{' '}
      <button type="button" class="link" onClick={() => saveCsv(name, `${values.join('\n')}\n`)}>
        {t('saveNumbers')}
      </button>
    </div>
  )
}
