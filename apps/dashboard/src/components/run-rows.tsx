import type { RunRecord, RunRow } from '@golem/core'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import { formatBare, formatTime } from '../format.ts'
import { cellOf, type Column, columnsOf, tablesOf } from '../rows.ts'
import { saveCsv } from '../save-file.ts'
import { descriptions, language, now, t } from '../store.ts'
import { usePage } from './page-context.ts'
import { RowsPlot } from './rows-plot.tsx'

/** As many rows as the table shows; the file has all of them. */
const SHOWN = 12
/** No more are kept and drawn. */
const KEPT = 10_000

/** What a run has measured: drawn, the newest rows in a table, and all of them as a file. */
export function RunRows({ run }: { run: RunRecord }) {
  const { automation } = usePage()
  const [isOpen, setOpen] = useState(false)
  const [fault, setFault] = useState('')
  const save = async (): Promise<void> => {
    try {
      setFault('')
      saveCsv(`run-${run.id}.csv`, await automation.rowsAsCsv(run.id))
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      setFault(error.message)
    }
  }
  return (
    <section class="rows" aria-label={t('rows')} data-part="rows">
      <p class="buttons">
        <button type="button" data-role="show-rows" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? t('rowsHide') : t('rowsShow', { count: run.rows })}
        </button>
        <button type="button" data-role="save-rows" onClick={() => void save()}>
          {t('rowsCsv')}
        </button>
      </p>
      {fault && <p class="error">{t('loadFailed', { message: fault })}</p>}
      {isOpen && <Rows run={run} />}
    </section>
  )
}

function Rows({ run }: { run: RunRecord }) {
  const { rows, fault } = useRows(run)
  const [chosen, setChosen] = useState('')
  const tables = tablesOf(rows)
  // The table that is written now, until another is chosen.
  const table = tables.includes(chosen) ? chosen : (tables.at(-1) ?? '')
  const own = rows.filter((row) => row.table === table)
  const columns = columnsOf(own, descriptions.value ?? [])
  return (
    <>
      {fault && <p class="error">{t('loadFailed', { message: fault })}</p>}
      {tables.length > 1 && (
        <label class="inline">
          {t('rowsTable')}
          <select value={table} onChange={(event) => setChosen(event.currentTarget.value)}>
            {tables.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {own.length > 0 && <RowsPlot key={table} rows={own} columns={columns} />}
      {own.length > 0 && <RowsTable rows={own} columns={columns} />}
    </>
  )
}

function RowsTable({ rows, columns }: { rows: readonly RunRow[]; columns: readonly Column[] }) {
  const newest = rows.slice(-SHOWN).toReversed()
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t('rows')}>
      <table>
        <caption>{t('rowsNewest', { count: newest.length, all: rows.length })}</caption>
        <thead>
          <tr>
            <th scope="col">{t('time')}</th>
            {columns.map(({ kind, name, label, shown }) => (
              <th scope="col" key={`${kind} ${name}`}>
                {label}
                {shown.unit && <span class="quiet"> ({shown.unit})</span>}
              </th>
            ))}
            <th scope="col">{t('rowsSamples')}</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((row) => (
            <tr key={row.id} data-row={row.id}>
              <td class="time">{formatTime(row.at, now.value, language.value)}</td>
              {columns.map((column) => (
                <td key={`${column.kind} ${column.name}`} class="number">
                  {formatBare(cellOf(row, column), column.shown, language.value)}
                </td>
              ))}
              <td class="number">{row.samples}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Loads the rows of a run, and those that come, while they are shown. */
function useRows(run: RunRecord): { rows: readonly RunRow[]; fault: string } {
  const { automation } = usePage()
  const [rows, setRows] = useState<readonly RunRow[]>([])
  const [fault, setFault] = useState('')
  const last = useRef<string | null>(null)
  useEffect(() => {
    let isOver = false
    const load = async (): Promise<void> => {
      try {
        const more = await automation.rows(run.id, last.current)
        if (isOver) return
        setFault('')
        last.current = more.at(-1)?.id ?? last.current
        if (more.length > 0) setRows((before) => [...before, ...more].slice(-KEPT))
      } catch (error) {
        if (!(error instanceof Problem || error instanceof Unreachable)) throw error
        if (!isOver) setFault(error.message)
      }
    }
    void load()
    return () => {
      isOver = true
    }
  }, [run.id, run.rows])
  return { rows, fault }
}
