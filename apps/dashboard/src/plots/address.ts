/** What a plot shows of the time: the last so many ms, as they come, or a span of its own. Times in ms since 1970. */
export type PlotSpan =
  | { readonly kind: 'live'; readonly ms: number }
  | { readonly kind: 'fixed'; readonly from: number; readonly to: number }

/** What a plot shows, as its address says it: whoever opens the address sees the same. */
export interface PlotAddress {
  /** `instrument.parameter` */
  series: readonly string[]
  span: PlotSpan
  /** Two runs that are compared, aligned at their start; empty: none. */
  runs: readonly string[]
}

/** Id of the tab, and what its address begins with. */
export const PLOTS = 'Plots'
/** More lines can't be told apart. */
export const MOST_SERIES = 8
export const SHORTEST_MS = 10
export const LONGEST_MS = 20 * 366 * 86_400_000

const DEFAULT_SPAN: PlotSpan = { kind: 'live', ms: 3_600_000 }
const UNITS = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

/** @param hash - of the page, e.g. `#Plots?series=oven.temperature&span=1h` */
export function parseAddress(hash: string): PlotAddress {
  const query = new URLSearchParams(hash.split('?').slice(1).join('?'))
  const names = (query.get('series') ?? '').split(',').filter((name) => name.includes('.'))
  const runs = (query.get('runs') ?? '').split(',').filter((run) => run !== '')
  return {
    series: [...new Set(names)].slice(0, MOST_SERIES),
    span: spanIn(query),
    runs: runs.length === 2 ? runs : [],
  }
}

/** The hash of an address, with its `#`. */
export function formatAddress({ series, span, runs }: PlotAddress): string {
  const parts = [
    ...(series.length > 0 ? [`series=${series.map(encodeURIComponent).join(',')}`] : []),
    ...(span.kind === 'live'
      ? [`span=${durationIn(span.ms)}`]
      : [`from=${new Date(span.from).toISOString()}`, `to=${new Date(span.to).toISOString()}`]),
    ...(runs.length === 2 ? [`runs=${runs.map(encodeURIComponent).join(',')}`] : []),
  ]
  return `#${PLOTS}?${parts.join('&')}`
}

/** The address of one parameter's last hour. */
export function plotOf(instrument: string, parameter: string): string {
  return formatAddress({ series: [`${instrument}.${parameter}`], span: DEFAULT_SPAN, runs: [] })
}

function spanIn(query: URLSearchParams): PlotSpan {
  const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
  if (from < to) return { kind: 'fixed', from, to }
  const [, count, unit] = /^(\d+)(\w+)$/.exec(query.get('span') ?? '') ?? []
  const ms = Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? NaN)
  return ms >= SHORTEST_MS && ms <= LONGEST_MS ? { kind: 'live', ms } : DEFAULT_SPAN
}

function durationIn(ms: number): string {
  const [name, size] = UNITS.find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${Math.round(ms / size)}${name}`
}
