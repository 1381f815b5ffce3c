import { type CommandRecord, MAX_ITEMS } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatBare } from '../format.ts'
import { language, t } from '../store.ts'
import { ListPlot } from './list-plot.tsx'
import { usePage } from './page-context.ts'

/** The numbers a command was answered with: drawn, and to be saved as a file. Nothing for any other answer. */
export function Result({ record }: { record: CommandRecord }) {
  const { api } = usePage()
  const [loaded, setLoaded] = useState<readonly number[] | null>(null)
  const [error, setError] = useState<string | null>(null)
  const inline = typeof record.result === 'object' ? record.result : null
  if (inline === null && record.resultItems === undefined) return null
  const values = inline ?? loaded
  const load = async (): Promise<void> => {
    try {
      setLoaded(await api.result(record.id))
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause))
    }
  }
  if (values === null) {
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
  return (
    <div class="detail result" data-part="result">
      <ListPlot values={values} />
      {formatBare(values, { type: 'array' }, language.value)}{' '}
      <button
        type="button"
        class="link"
        onClick={() => save(`${record.instrument}-${record.id}.csv`, values)}
      >
        {t('saveNumbers')}
      </button>
    </div>
  )
}

/** Hands the numbers to the browser as a file, one a line. */
function save(name: string, values: readonly number[]): void {
  const url = URL.createObjectURL(new Blob([`${values.join('\n')}\n`], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
