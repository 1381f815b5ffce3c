import { listPath } from '../sparkline.ts'

const WIDTH = 360
const HEIGHT = 72

/** A list of numbers as a line, in their order. For the eye only: the words beside it say how many and how large. */
export function ListPlot({ values }: { values: readonly number[] }) {
  return (
    <svg
      class="list-plot"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
      data-part="plot"
    >
      <path d={listPath(values, WIDTH, HEIGHT)} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
