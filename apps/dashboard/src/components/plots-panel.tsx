import type { RunRecord } from '@golem/core'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { formatTime } from '../format.ts'
import { type PlotAddress, type PlotSpan, PLOTS } from '../plots/address.ts'
import type { PlotChart as Chart } from '../plots/chart.ts'
import type { ChartModel } from '../plots/chart-model.ts'
import { type SeriesChoice, choicesOf } from '../plots/choices.ts'
import { zoomed } from '../plots/gestures.ts'
import { HistoryApi } from '../plots/history-api.ts'
import { gapsOf, type PlotLine, type View } from '../plots/lines.ts'
import { bandsOf, type Mark, marksAt, marksOf, type RunBand } from '../plots/marks.ts'
import { linesOf, type RunTimes, spanFor, timesOf, viewOf } from '../plots/model.ts'
import { pngOf } from '../plots/png.ts'
import { saveFile } from '../save-file.ts'
import { descriptions, history, language, now as clock, session, site, t } from '../store.ts'
import { ComparePicker, firstPair, runName } from './compare-picker.tsx'
import { usePage } from './page-context.ts'
import { PlotChart } from './plot-chart.tsx'
import { PlotReadout } from './plot-readout.tsx'
import { PlotTools } from './plot-tools.tsx'
import { SeriesPicker } from './series-picker.tsx'
import { useListing } from './use-listing.ts'
import { useReadingsFile } from './use-readings-file.ts'
import { usePlotAddress } from './use-plot-address.ts'
import { usePlotData } from './use-plot-data.ts'

const EVENTS = 1000
const RUNS = 200
const MARKS_EVERY_MS = 5000
/** While it follows, the archive is asked once for each pixel that time moves on, but not more often than this. */
const FOLLOW_LEAST_MS = 2000
const FOLLOW_MOST_MS = 60_000
/** How far from the pointer a mark is still told, as a share of the view. */
const MARK_REACH = 0.008
const MOST_MARKS_TOLD = 5
const ZOOM_OUT = 2

/** Readings over time: any series, any span, what happened meanwhile, and two runs side by side. */
export function PlotsPanel() {
  const { address, navigate, back } = usePlotAddress()
  const choices = useChoices()
  const runs = useRuns()
  const pair = pairOf(address, runs)
  const isComparing = address.runs.length === 2
  return (
    <section class="plots" aria-label={t('tabPlots')} data-part="plots">
      <SeriesPicker
        choices={choices}
        chosen={address.series}
        onChange={(series) => navigate({ ...address, series })}
      />
      {isComparing && (
        <ComparePicker
          runs={runs}
          chosen={address.runs}
          onChange={(chosen) => navigate({ ...address, runs: chosen, span: WHOLE })}
        />
      )}
      <Plot
        address={address}
        choices={choices}
        runs={runs}
        pair={pair}
        navigate={navigate}
        back={back}
        onCompare={() => {
          const chosen = isComparing ? [] : (firstPair(runs) ?? NO_PAIR)
          navigate({ ...address, runs: chosen, span: WHOLE })
        }}
      />
    </section>
  )
}

/** The span to begin with; of runs that are compared it is their whole length. */
const WHOLE: PlotSpan = { kind: 'live', ms: 3_600_000 }
/** Says that runs are to be compared while there are none. */
const NO_PAIR: readonly string[] = ['-', '-']

interface PlotProps {
  address: PlotAddress
  choices: readonly SeriesChoice[]
  runs: readonly RunRecord[]
  /** The two that are compared; empty: none. */
  pair: readonly RunRecord[]
  navigate: (next: PlotAddress) => void
  back: (() => void) | null
  onCompare: () => void
}

function Plot({ address, choices, runs, pair, navigate, back, onCompare }: PlotProps) {
  const isComparing = address.runs.length === 2
  const now = clock.value ?? Date.now()
  const times = pair.map((run) => ({ ...timesOf(run, now), name: runName(run) }))
  const view = viewOf(address.span, times, now)
  const [points, setPoints] = useState(() => Math.min(2000, Math.max(300, innerWidth - 60)))
  const [hasMarks, setHasMarks] = useState(true)
  const [cursor, setCursor] = useState<number | null>(null)
  const [chart, setChart] = useState<Chart | null>(null)
  const file = useReadingsFile()
  const follows = !isComparing && address.span.kind === 'live'
  const { documents, error, isLoading } = usePlotData(
    address.series,
    partsOf(address, times, view),
    address.runs.join(),
    points,
    follows ? followEvery(view, points) : null,
  )
  const { marks, bands } = useMarks(address, runs, view, hasMarks && !isComparing, now)
  // Moving the pointer changes what is told, not what is drawn.
  const lines = useMemo(
    () =>
      linesOf({
        address,
        documents: documents ?? [],
        runs: times,
        choices,
        tailOf: (instrument, parameter) => history.of(instrument, parameter),
      }),
    [documents, address.series.join(), choices, address.runs.join(), isComparing || now],
  )
  const model = useMemo(
    (): ChartModel => ({
      lines,
      view,
      axis: isComparing ? 'elapsed' : 'time',
      marks,
      bands,
      now: isComparing ? Infinity : now,
      language: language.value,
      words: { on: t('on'), off: t('off') },
    }),
    [lines, view.from, view.to, marks, bands, isComparing || now, language.value],
  )
  useEffect(() => {
    const changed = (): void => setPoints(Math.min(2000, Math.max(300, innerWidth - 60)))
    globalThis.addEventListener('resize', changed)
    return () => globalThis.removeEventListener('resize', changed)
  }, [])
  const show = (next: View): void =>
    navigate({ ...address, span: spanFor(next, isComparing ? null : (clock.value ?? Date.now())) })
  const at = cursor ?? view.to
  return (
    <>
      <PlotTools
        span={address.span}
        isComparing={isComparing}
        hasMarks={hasMarks}
        onSpan={(span) => navigate({ ...address, span })}
        onBack={back}
        onZoomOut={() => show(zoomed(view, (view.from + view.to) / 2, ZOOM_OUT))}
        onCompare={onCompare}
        onMarks={() => setHasMarks(!hasMarks)}
        onPicture={chart === null || lines.length === 0 ? null : () => void savePicture(chart, lines, view)}
        onFile={isComparing || lines.length === 0 ? null : () => void file.save(address.series, view)}
      />
      {[error, file.fault].map(
        (message) =>
          message && (
            <p class="error" data-part="plot-error">
              {t('loadFailed', { message })}
            </p>
          ),
      )}
      {address.series.length === 0 ? (
        <p class="empty">{t('plotChooseFirst')}</p>
      ) : (
        <div
          data-part="plot"
          data-from={Math.round(view.from)}
          data-to={Math.round(view.to)}
          data-loading={isLoading ? '' : undefined}
          data-lines={lines.length}
          data-gaps={lines.reduce((sum, line) => sum + gapsOf(line, now).length, 0)}
          data-marks={marks.length}
          data-bands={bands.length}
        >
          <PlotChart
            model={model}
            label={t('plotOf', { names: lines.map(({ label }) => label).join(', ') })}
            onChart={setChart}
            onCursor={setCursor}
            onView={(next, isFinal) => {
              if (isFinal) show(next)
            }}
          />
          <PlotReadout
            lines={lines}
            at={at}
            isElapsed={isComparing}
            step={(view.to - view.from) / points}
            now={model.now}
            marks={
              cursor === null
                ? NO_MARKS
                : marksAt(
                    [...marks, ...bands.flatMap(({ stages }) => stages)],
                    at,
                    MARK_REACH * (view.to - view.from),
                  ).slice(0, MOST_MARKS_TOLD)
            }
            onRemove={(series) =>
              navigate({ ...address, series: address.series.filter((name) => name !== series) })
            }
          />
          <p class="quiet hint">{t('plotHint')}</p>
        </div>
      )}
    </>
  )
}

const NO_MARKS: readonly Mark[] = []
const NO_BANDS: readonly RunBand[] = []

function partsOf(
  { span, runs }: PlotAddress,
  times: readonly RunTimes[],
  view: View,
): { from: string; to: string }[] {
  if (runs.length === 2) {
    return times.map(({ start }) => ({
      from: new Date(Math.round(start + view.from)).toISOString(),
      to: new Date(Math.round(start + view.to)).toISOString(),
    }))
  }
  if (span.kind === 'live') return [{ from: `-${span.ms}ms`, to: 'now' }]
  return [{ from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() }]
}

function followEvery({ from, to }: View, points: number): number {
  return Math.min(FOLLOW_MOST_MS, Math.max(FOLLOW_LEAST_MS, Math.round((to - from) / points)))
}

function pairOf({ runs: [first, second] }: PlotAddress, runs: readonly RunRecord[]): RunRecord[] {
  const of = (id: string | undefined): RunRecord[] => runs.filter((run) => run.id === id)
  const pair = [...of(first), ...of(second)]
  return pair.length === 2 ? pair : []
}

function useChoices(): readonly SeriesChoice[] {
  const { api } = usePage()
  const archived = useListing(() => new HistoryApi(api).series(), null, '')
  const known = descriptions.value ?? []
  return useMemo(() => choicesOf(known, archived.rows ?? []), [known, archived.rows])
}

/** Newest first. */
function useRuns(): readonly RunRecord[] {
  const { automation } = usePage()
  const known = site.value?.runs ?? []
  const listed = useListing(() => automation.runs(RUNS), 30_000, '')
  return useMemo(() => {
    const all = new Map([...(listed.rows ?? []), ...known].map((run) => [run.id, run]))
    return [...all.values()].toSorted((a, b) => b.submittedAt.localeCompare(a.submittedAt))
  }, [known, listed.rows])
}

function useMarks(
  { series }: PlotAddress,
  runs: readonly RunRecord[],
  view: View,
  isShown: boolean,
  now: number,
): { marks: readonly Mark[]; bands: readonly RunBand[] } {
  const { api } = usePage()
  const { rows } = useListing(() => api.events(EVENTS), MARKS_EVERY_MS, '')
  const marks = useMemo(
    () => marksOf(rows ?? [], new Set(series.map((name) => name.split('.')[0] ?? ''))),
    [rows, series.join()],
  )
  return useMemo(
    () =>
      isShown
        ? {
            marks: marks.filter(({ at }) => at >= view.from && at <= view.to),
            bands: bandsOf(runs, rows ?? [], view, now),
          }
        : { marks: NO_MARKS, bands: NO_BANDS },
    [marks, rows, runs, view.from, view.to, isShown, now],
  )
}

async function savePicture(chart: Chart, lines: readonly PlotLine[], view: View): Promise<void> {
  const { canvas, palette } = chart
  if (!canvas) return
  const isElapsed = lines.some(({ shift }) => shift !== 0)
  const time = (ms: number): string => formatTime(new Date(ms).toISOString(), null, language.value)
  const title = session.value?.title ?? PLOTS
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const blob = await pngOf(
    canvas,
    {
      title,
      lines: lines.map(({ label, unit, colour, isDashed }) => ({
        text: unit === '' ? label : `${label} (${unit})`,
        colour,
        isDashed,
      })),
      foot: isElapsed
        ? t('plotSinceStart')
        : `${time(view.from)} – ${time(view.to)} (${zone}), ${new Date(view.to).getFullYear()}`,
    },
    palette,
  )
  const stamp = isElapsed ? 'runs' : new Date(view.from).toISOString().slice(0, 19).replaceAll(':', '')
  saveFile(`plot-${stamp}.png`, blob)
}
