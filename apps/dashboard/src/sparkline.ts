import type { Point } from './history.ts'

/** What a line is drawn into: an SVG of `width` by `height` units that shows the time `from` to `to` (ms). */
export interface Frame {
  from: number
  to: number
  width: number
  height: number
  /** A switch: steps between 0 and 1. */
  steps: boolean
  /** Least difference that fills the height, so that noise in the last digit stays flat. */
  leastSpan: number
  /** Two points further apart than this are not joined, in ms. */
  maxGapMs: number
}

/** The path of a sparkline (`M0 12L…`), or an empty text when there is too little to show. */
export function sparklinePath(points: readonly Point[], frame: Frame): string {
  const values = valuesOf(points)
  if (values.length < 2) return ''
  const y = scaleOf(values, frame)
  const x = (at: number): number =>
    round(((Math.max(at, frame.from) - frame.from) / (frame.to - frame.from)) * frame.width)
  let path = ''
  let pen: { at: number; value: number } | null = null
  for (const { at, value } of points) {
    if (value === null) {
      pen = null
      continue
    }
    const joined: boolean = pen !== null && at - pen.at <= frame.maxGapMs
    if (!joined) path += `M${x(at)} ${y(value)}`
    else if (frame.steps) path += `H${x(at)}V${y(value)}`
    else path += `L${x(at)} ${y(value)}`
    pen = { at, value }
  }
  return path
}

/** Lowest and highest value of the points, or null when there is none. */
export function extentOf(points: readonly Point[]): { min: number; max: number } | null {
  const values = valuesOf(points)
  return values.length === 0 ? null : { min: Math.min(...values), max: Math.max(...values) }
}

function scaleOf(values: readonly number[], { steps, leastSpan, height }: Frame): (value: number) => number {
  const min = steps ? 0 : Math.min(...values)
  const max = steps ? 1 : Math.max(...values)
  const span = Math.max(max - min, leastSpan, Number.MIN_VALUE)
  const bottom = (min + max - span) / 2
  // One unit of air above and below, so that the stroke is not cut.
  return (value) => round(height - 1 - ((value - bottom) / span) * (height - 2))
}

function valuesOf(points: readonly Point[]): number[] {
  return points.flatMap(({ value }) => (value === null ? [] : [value]))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/**
 * The path of a list of numbers, e.g. a waveform, over the whole width. A list longer than the frame is wide is drawn
 * as what lies between the lowest and the highest number of each column: no spike is lost.
 */
export function listPath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return ''
  const columns = Math.min(width, Math.floor(values.length / 2))
  const drawn = values.length <= width ? values : columnExtremes(values, columns)
  const { min, max } = extentOfList(drawn) ?? { min: 0, max: 0 }
  const span = Math.max(max - min, Number.MIN_VALUE)
  const y = (value: number): number => round(height - 1 - ((value - min) / span) * (height - 2))
  const x = (index: number): number => round((index / (drawn.length - 1)) * width)
  return drawn.map((value, index) => `${index === 0 ? 'M' : 'L'}${x(index)} ${y(value)}`).join('')
}

/** Lowest and highest number of a list of any length, or null when it is empty. */
export function extentOfList(values: readonly number[]): { min: number; max: number } | null {
  if (values.length === 0) return null
  let [min, max] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}

function columnExtremes(values: readonly number[], columns: number): number[] {
  const extremes: number[] = []
  for (let column = 0; column < columns; column += 1) {
    const from = Math.floor((column * values.length) / columns)
    const to = Math.floor(((column + 1) * values.length) / columns)
    let [low, high] = [values[from] ?? 0, values[from] ?? 0]
    for (let index = from; index < to; index += 1) {
      const value = values[index] ?? 0
      if (value < low) low = value
      if (value > high) high = value
    }
    extremes.push(low, high)
  }
  return extremes
}
