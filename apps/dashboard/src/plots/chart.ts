import uPlot from 'uplot'
import { formatNumber } from '../format.ts'
import { NO_COLUMNS, dataOf } from './aligned.ts'
import { type ChartEvents, type ChartModel, type Palette, paletteOf } from './chart-model.ts'
import { followGestures } from './gestures.ts'
import { type Columns, columnsOf, extentIn, isStepped, isText, type PlotLine, type View } from './lines.ts'
import { drawGaps, drawMarks, lanesHeight } from './overlay.ts'
import { elapsedLabel, ELAPSED_STEPS, timeLabels } from './ticks.ts'

/** Axes beyond these have no room; their lines are drawn, and told below the plot. */
const MOST_AXES = 4
const MOST_AXES_NARROW = 2
const NARROW_PX = 600
/** Less than this share of the plot's width is a click and no selection. */
const LEAST_SELECTION_PX = 6

/** Two hexadecimal digits behind a colour. */
const BAND_ALPHA = '38'
const EDGE_ALPHA = '99'
/** Air above and below the lines, as a share of what they span. */
const AIR = 0.08

/** A plot in its element: lines, bands between extremes, gaps and marks, and what people do with it. */
export class PlotChart {
  readonly #element: HTMLElement
  readonly #events: ChartEvents
  #plot: uPlot | null = null
  #model: ChartModel | null = null
  #palette: Palette
  /** What has to be the same for data to be put into the plot that is there. */
  #shape = ''
  /** How high the lanes are that have been made room for. */
  #lanes = 0
  /** What is drawn, by unit; scales are made for it. */
  #columns: readonly { unit: string; columns: Columns }[] = []
  #endGestures: () => void = () => undefined

  constructor(element: HTMLElement, events: ChartEvents) {
    this.#element = element
    this.#events = events
    this.#palette = paletteOf(element)
  }

  /** Draws anew what has changed. */
  show(model: ChartModel): void {
    this.#model = model
    const drawn = model.lines.filter((line) => !isText(line))
    const columns = drawn.map((line) => columnsOf(line, model.now))
    this.#columns = drawn.map((line, index) => ({
      unit: unitOf(line),
      columns: columns[index] ?? NO_COLUMNS,
    }))
    const data = dataOf(drawn, columns)
    const palette = paletteOf(this.#element)
    const shape = JSON.stringify([shapeOf(model), palette, this.#element.clientWidth])
    if (shape !== this.#shape || this.#plot === null) {
      this.#shape = shape
      this.#palette = palette
      this.#make(model, data)
    }
    this.#plot?.batch(() => {
      this.#plot?.setData(data, false)
      this.#setView(model.view)
    })
    const lanes = lanesHeight(model)
    if (lanes !== this.#lanes) this.#plot?.redraw(false, true)
    this.#lanes = lanes
  }

  destroy(): void {
    this.#endGestures()
    this.#plot?.destroy()
    this.#plot = null
  }

  /** The canvas of the plot. */
  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null
  }

  get palette(): Palette {
    return this.#palette
  }

  #setView({ from, to }: View): void {
    // Ticks of a time axis lie askew between whole ms.
    this.#plot?.setScale('x', { min: Math.round(from), max: Math.max(Math.round(to), Math.round(from) + 1) })
  }

  #make(model: ChartModel, data: uPlot.AlignedData): void {
    this.destroy()
    const plot = new uPlot(this.#options(model), data, this.#element)
    this.#plot = plot
    this.#endGestures = followGestures({
      element: plot.over,
      view: () => ({ from: plot.scales['x']?.min ?? 0, to: plot.scales['x']?.max ?? 1 }),
      move: (view, isFinal) => {
        this.#setView(view)
        this.#events.onView(view, isFinal)
      },
    })
  }

  #options(model: ChartModel): uPlot.Options {
    const palette = this.#palette
    const width = Math.max(240, this.#element.clientWidth)
    const drawn = model.lines.filter((line) => !isText(line))
    const units = unitsOf(drawn)
    const most = width < NARROW_PX ? MOST_AXES_NARROW : MOST_AXES
    return {
      width,
      height: Math.max(260, this.#element.clientHeight),
      ms: 1,
      padding: [() => lanesHeight(this.#model ?? model), 12, 0, 8],
      legend: { show: false },
      scales: {
        x: { time: model.axis === 'time', auto: false, min: model.view.from, max: model.view.to },
        ...Object.fromEntries(units.map((unit) => [scaleOf(unit), { range: this.#rangeOf(unit) }])),
      },
      axes: [
        this.#timeAxis(model),
        ...units.slice(0, most).map((unit, index) => unitAxis(unit, index, drawn, model, palette)),
      ],
      series: [{}, ...drawn.flatMap((line) => seriesOf(line, palette))],
      bands: bandsBetween(drawn, palette),
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: LEAST_SELECTION_PX },
        points: { size: 7 },
        bind: {
          // With Shift the plot is moved, and nothing selected.
          mousedown: (_plot, _target, handler) => (event) => {
            if (!event.shiftKey) handler(event)
            return null
          },
          dblclick: () => null,
        },
      },
      hooks: {
        drawAxes: [(u) => this.#model && drawGaps(u, this.#model, palette)],
        draw: [(u) => this.#model && drawMarks(u, this.#model, palette)],
        setSelect: [
          (u) => {
            const { left, width: wide } = u.select
            if (wide < LEAST_SELECTION_PX) return
            const view = { from: u.posToVal(left, 'x'), to: u.posToVal(left + wide, 'x') }
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            this.#events.onView(view, true)
          },
        ],
        setCursor: [
          (u) => {
            const { left = -1 } = u.cursor
            this.#events.onCursor(left < 0 ? null : u.posToVal(left, 'x'))
          },
        ],
      },
    }
  }

  #rangeOf(unit: string): uPlot.Range.Function {
    if (unit === 'switch') return () => [-0.06, 1.06]
    return (u) => {
      const { min: from = 0, max: to = 1 } = u.scales['x'] ?? {}
      const extents = this.#columns.flatMap((line) =>
        line.unit === unit ? (extentIn(line.columns, { from, to }) ?? []) : [],
      )
      if (extents.length === 0) return [0, 1]
      const [low, high] = [Math.min(...extents), Math.max(...extents)]
      // What does not vary lies in the middle.
      const air = high > low ? (high - low) * AIR : Math.max(Math.abs(high) * 0.1, 0.1)
      return [low - air, high + air]
    }
  }

  #timeAxis({ axis, language }: ChartModel): uPlot.Axis {
    const { quiet, line } = this.#palette
    return {
      stroke: quiet,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
      font: FONT,
      space: 80,
      ...(axis === 'elapsed' ? { incrs: ELAPSED_STEPS } : {}),
      values: (_u, ticks, _axis, _space, step) =>
        axis === 'elapsed'
          ? ticks.map((tick) => elapsedLabel(tick, step))
          : timeLabels(ticks, step, language),
    }
  }
}

const FONT = '12px system-ui, sans-serif'

/** What needs a new plot when it changes. Level and lanes do not: they change while people move it. */
function shapeOf({ lines, axis, language }: ChartModel): unknown {
  return [axis, language, lines.map((line) => [line.key, line.label, line.unit, line.colour, line.data.type])]
}

/** Switches have an axis of their own. */
function unitOf(line: PlotLine): string {
  return isStepped(line) ? 'switch' : `unit ${line.unit}`
}

function unitsOf(lines: readonly PlotLine[]): string[] {
  return [...new Set(lines.map(unitOf))]
}

function scaleOf(unit: string): string {
  return `y ${unit}`
}

function unitAxis(
  unit: string,
  index: number,
  lines: readonly PlotLine[],
  { language, words }: ChartModel,
  palette: Palette,
): uPlot.Axis {
  const own = lines.filter((line) => unitOf(line) === unit)
  const [only, second] = own
  const colour = only && !second ? palette.series[only.colour] : undefined
  const label = unit === 'switch' ? '' : unit.slice('unit '.length)
  return {
    scale: scaleOf(unit),
    side: index % 2 === 0 ? 3 : 1,
    stroke: colour ?? palette.quiet,
    grid: { show: index === 0, stroke: palette.line, width: 1 },
    ticks: { stroke: palette.line, width: 1 },
    font: FONT,
    labelFont: FONT,
    ...(label === '' ? {} : { label, labelSize: 18, labelGap: 0 }),
    size: (u, values, axisIndex, cycle) => {
      const axis = u.axes[axisIndex] as uPlot.Axis & { _size?: number }
      if (cycle > 1 && axis._size !== undefined) return axis._size
      const longest = Math.max(0, ...(values ?? []).map((text) => text.length))
      return Math.ceil(18 + 7 * longest)
    },
    ...(unit === 'switch'
      ? {
          splits: () => [0, 1],
          values: (_u: uPlot, ticks: number[]) => ticks.map((tick) => (tick === 1 ? words.on : words.off)),
        }
      : {
          values: (_u: uPlot, ticks: number[], _axis: number, _space: number, step: number) =>
            ticks.map((tick) => formatNumber(tick, decimalsFor(step), language)),
        }),
  }
}

/** Decimals that tell ticks of this distance apart. */
function decimalsFor(step: number): number | undefined {
  const decimals = Math.ceil(-Math.log10(step) - 1e-9)
  return decimals > 6 || decimals < -8 ? undefined : Math.max(0, decimals)
}

/** Mean, and where points last, highest and lowest. */
function seriesOf(line: PlotLine, palette: Palette): uPlot.Series[] {
  const stroke = palette.series[line.colour] ?? palette.text
  const scale = scaleOf(unitOf(line))
  const path = isStepped(line) ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.()
  const common: uPlot.Series = { scale, ...(path ? { paths: path } : {}) }
  const mean: uPlot.Series = {
    ...common,
    label: line.label,
    stroke,
    width: 1.75,
    ...(line.isDashed ? { dash: [7, 5] } : {}),
  }
  if (isStepped(line)) return [mean]
  // Seen also where a bucket is narrower than a pixel.
  const edge: uPlot.Series = {
    ...common,
    stroke: `${stroke}${EDGE_ALPHA}`,
    width: 0.75,
    points: { show: false },
  }
  return [mean, edge, edge]
}

function bandsBetween(lines: readonly PlotLine[], palette: Palette): uPlot.Band[] {
  const bands: uPlot.Band[] = []
  let index = 1
  for (const line of lines) {
    if (!isStepped(line)) {
      const fill = `${palette.series[line.colour] ?? '#888888'}${BAND_ALPHA}`
      bands.push({ series: [index + 1, index + 2], fill })
    }
    index += isStepped(line) ? 1 : 3
  }
  return bands
}
