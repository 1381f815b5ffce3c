import { formatNumber } from '../format.ts'
import { extentOfList, listPath } from '../sparkline.ts'
import { language } from '../store.ts'

const WIDTH = 720
const HEIGHT = 120

interface ListPlotProps {
  values: readonly number[]
  /** Decimals of the numbers beside the line; absent: six digits. */
  decimals?: number | undefined
}

/** A list of numbers as a line, in their order. For the eye only: the words beside it say how many and how large. */
export function ListPlot({ values, decimals }: ListPlotProps) {
  const extent = extentOfList(values)
  if (extent === null) return null
  const shown = (value: number): string => formatNumber(value, decimals, language.value)
  return (
    <span class="list-plot" aria-hidden="true" data-part="plot">
      <span class="most">{shown(extent.max)}</span>
      <span class="least">{shown(extent.min)}</span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" focusable="false">
        <path d={listPath(values, WIDTH, HEIGHT)} vector-effect="non-scaling-stroke" />
      </svg>
      <span class="first">1</span>
      <span class="last-of">{values.length}</span>
    </span>
  )
}
