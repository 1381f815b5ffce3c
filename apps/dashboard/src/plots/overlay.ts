import type uPlot from 'uplot'
import type { ChartModel, Palette } from './chart-model.ts'
import { gapsOf, isText, stretchesOf, united } from './lines.ts'
import { rowsFor } from './marks.ts'

/** Heights in CSS pixels. */
const LANE = 18
const LANE_GAP = 3
const GAP_STRIP = 5
/** Marks closer together than this can't be told apart, in CSS pixels. */
const MARK_APART = 3
const MOST_BAND_ROWS = 3

/** How much room the lanes above the plot need, in CSS pixels: bands of runs, then a lane for each text. */
export function lanesHeight({ bands, lines }: Pick<ChartModel, 'bands' | 'lines'>): number {
  const count = bandRows(bands).count + lines.filter(isText).length
  return count === 0 ? 8 : count * (LANE + LANE_GAP) + 6
}

function bandRows(bands: ChartModel['bands']): { rows: number[]; count: number } {
  const rows = rowsFor(bands).map((row) => Math.min(row, MOST_BAND_ROWS - 1))
  return { rows, count: bands.length === 0 ? 0 : Math.max(...rows) + 1 }
}

/** Draws times without readings, below the lines: hatched over the height, with a strip in the colour of each line. */
export function drawGaps(u: uPlot, model: ChartModel, palette: Palette): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  const gaps = model.lines.map((line) => gapsOf(line, model.now))
  clipped(u, () => {
    for (const { from, to } of united(gaps.flat())) {
      const [left, right] = edges(u, from, to)
      if (right < bbox.left || left > bbox.left + bbox.width) continue
      const width = Math.max(ratio, right - left)
      ctx.globalAlpha = 0.13
      ctx.fillStyle = palette.quiet
      ctx.fillRect(left, bbox.top, width, bbox.height)
      hatch(ctx, { left, top: bbox.top, width, height: bbox.height }, 9 * ratio, palette.quiet)
    }
    ctx.globalAlpha = 1
    model.lines.forEach((line, index) => {
      ctx.fillStyle = palette.series[line.colour] ?? palette.text
      const strip = GAP_STRIP * ratio
      for (const { from, to } of gaps[index] ?? []) {
        const [left, right] = edges(u, from, to)
        const width = Math.max(ratio, right - left)
        ctx.fillRect(left, bbox.top + bbox.height - (index + 1) * strip, width, strip - ratio)
      }
    })
  })
}

function hatch(
  ctx: CanvasRenderingContext2D,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
  step: number,
  colour: string,
): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, top, width, height)
  ctx.clip()
  ctx.globalAlpha = 0.25
  ctx.strokeStyle = colour
  ctx.lineWidth = 1
  ctx.beginPath()
  // Aligned to the canvas, so that the pattern of neighbours goes on.
  for (let x = Math.floor((left - height) / step) * step; x < left + width; x += step) {
    ctx.moveTo(x, top + height)
    ctx.lineTo(x + height, top)
  }
  ctx.stroke()
  ctx.restore()
}

/** Draws what happened, above the lines: marks across the plot, runs and texts in lanes over it. */
export function drawMarks(u: uPlot, model: ChartModel, palette: Palette): void {
  const { bbox } = u
  drawLines(u, model, palette)
  const ratio = devicePixelRatio
  const height = (LANE + LANE_GAP) * ratio
  const { rows, count } = bandRows(model.bands)
  const top = bbox.top - lanesHeight(model) * ratio + 2 * ratio
  clipped(
    u,
    () => {
      model.bands.forEach((band, index) => {
        const y = top + (rows[index] ?? 0) * height
        lane(u, y, band, palette.accent, palette)
      })
      model.lines.filter(isText).forEach((line, index) => {
        const y = top + (count + index) * height
        const colour = palette.series[line.colour] ?? palette.text
        for (const { from, to, text } of stretchesOf(line, model.now)) {
          lane(u, y, { from, to, label: text }, colour, palette)
        }
      })
    },
    top,
  )
}

function drawLines(u: uPlot, { marks, bands }: ChartModel, palette: Palette): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  clipped(u, () => {
    const taken = new Set<string>()
    const stages = bands.flatMap((band) => band.stages)
    for (const { at, look } of [...marks, ...stages]) {
      const x = u.valToPos(at, 'x', true)
      if (x < bbox.left || x > bbox.left + bbox.width) continue
      const place = `${look} ${Math.round(x / (MARK_APART * ratio))}`
      if (taken.has(place)) continue
      taken.add(place)
      ctx.strokeStyle = look === 'warning' ? palette.warn : look === 'plain' ? palette.quiet : palette.accent
      ctx.fillStyle = ctx.strokeStyle
      ctx.globalAlpha = look === 'plain' ? 0.45 : 0.9
      ctx.lineWidth = ratio
      ctx.setLineDash(
        look === 'stage' ? [2 * ratio, 3 * ratio] : look === 'plain' ? [5 * ratio, 4 * ratio] : [],
      )
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
      flag(ctx, x, bbox.top, look, 5 * ratio)
    }
    ctx.setLineDash([])
    ctx.globalAlpha = 1
  })
}

/** Marks differ in shape and not in colour alone. */
function flag(ctx: CanvasRenderingContext2D, x: number, top: number, look: string, size: number): void {
  ctx.beginPath()
  if (look === 'warning') {
    ctx.moveTo(x - size, top)
    ctx.lineTo(x + size, top)
    ctx.lineTo(x, top + 1.6 * size)
  } else if (look === 'note') {
    ctx.rect(x - size * 0.8, top, 1.6 * size, 1.6 * size)
  } else if (look === 'plain') {
    ctx.arc(x, top + size / 2, size / 2, 0, 2 * Math.PI)
  } else return
  ctx.fill()
}

/** One stretch of a lane with its words, as far as they fit. */
function lane(
  u: uPlot,
  top: number,
  { from, to, label }: { from: number; to: number; label: string },
  colour: string,
  palette: Palette,
): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  const [begin, end] = edges(u, from, to)
  const left = Math.max(begin, bbox.left)
  const width = Math.max(2 * ratio, Math.min(end, bbox.left + bbox.width) - left)
  if (begin > bbox.left + bbox.width || end < bbox.left) return
  const height = LANE * ratio
  ctx.globalAlpha = 0.22
  ctx.fillStyle = colour
  ctx.fillRect(left, top, width, height)
  ctx.globalAlpha = 1
  ctx.fillRect(left, top, 2 * ratio, height)
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, top, width, height)
  ctx.clip()
  ctx.fillStyle = palette.text
  ctx.font = `${11 * ratio}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  ctx.fillText(label, left + 6 * ratio, top + height / 2)
  ctx.restore()
}

function edges(u: uPlot, from: number, to: number): [left: number, right: number] {
  const { min = 0, max = 0 } = u.scales['x'] ?? {}
  // Beyond the canvas by far, numbers of pixels lose their meaning.
  const bounded = (value: number): number => Math.min(max + (max - min), Math.max(min - (max - min), value))
  return [u.valToPos(bounded(from), 'x', true), u.valToPos(bounded(to), 'x', true)]
}

/** @param top - where lanes begin that lie above the plot */
function clipped({ ctx, bbox }: uPlot, draw: () => void, top = bbox.top): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, top, bbox.width, bbox.top + bbox.height - top)
  ctx.clip()
  draw()
  ctx.restore()
}
