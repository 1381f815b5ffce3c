import type { Language } from '../i18n.ts'
import type { PlotLine, View } from './lines.ts'
import type { Mark, RunBand } from './marks.ts'

/** All that a chart draws. */
export interface ChartModel {
  lines: readonly PlotLine[]
  view: View
  /** time: of the day, in the reader's time zone; elapsed: since the start of a run. */
  axis: 'time' | 'elapsed'
  marks: readonly Mark[]
  bands: readonly RunBand[]
  /** The site's time, or how long the longer of two runs has taken: up to here what lasts has lasted. */
  now: number
  language: Language
  /** What 0 and 1 of a switch are called. */
  words: { on: string; off: string }
}

/** What people do with a chart. */
export interface ChartEvents {
  /** @param isFinal - false while fingers or the wheel still move it */
  onView: (view: View, isFinal: boolean) => void
  /** The time under the pointer; null: it has left. */
  onCursor: (at: number | null) => void
}

/** Colours of the page, as the chart paints with them. */
export interface Palette {
  text: string
  quiet: string
  line: string
  card: string
  warn: string
  accent: string
  series: readonly string[]
}

/** How many colours `plots.css` has. */
const COLOURS = 8

/** Read from the style sheet, so that light and dark are decided in one place. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element)
  const of = (name: string): string => style.getPropertyValue(name).trim()
  return {
    text: of('--text'),
    quiet: of('--quiet'),
    line: of('--line'),
    card: of('--card'),
    warn: of('--warn'),
    accent: of('--accent'),
    series: Array.from({ length: COLOURS }, (_, n) => of(`--plot-${n}`)),
  }
}
