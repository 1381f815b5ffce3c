import type { InstrumentDescription, MeasuredPoint } from '@golem/core'
import { CliError } from '../exit-codes.ts'

/** More than this nobody reads off a meter. */
const MAX_SET_POINTS = 200

/**
 * The set points of a sweep, every combination of the inputs.
 *
 * @param from - names of the inputs
 * @param given - as `NAME=FROM..TO/STEP`; an input that is not given goes from limit to limit in five steps
 * @throws CliError usage
 */
export function setPoints(
  { parameters }: InstrumentDescription,
  from: readonly string[],
  given: readonly string[],
): number[][] {
  const sweeps = new Map(given.map((text) => readSweep(text, from)))
  const points = from.reduce<number[][]>(
    (all, name) => {
      const { min = 0, max = 100 } = parameters[name] ?? {}
      const values = sweeps.get(name) ?? valuesOf(min, max, (max - min) / 5)
      return all.flatMap((point) => values.map((value) => [...point, value]))
    },
    [[]],
  )
  if (points.length <= MAX_SET_POINTS) return points
  throw new CliError(
    'usage',
    `That would be ${points.length} points; at most ${MAX_SET_POINTS} can be measured.`,
  )
}

function readSweep(text: string, from: readonly string[]): [string, number[]] {
  const parts = /^([^=]+)=(-?[\d.]+)\.\.(-?[\d.]+)\/([\d.]+)$/.exec(text)
  const [low, high, step] = [parts?.[2], parts?.[3], parts?.[4]].map(Number)
  const name = parts?.[1] ?? ''
  if (low === undefined || high === undefined || step === undefined || !(step > 0)) {
    throw new CliError('usage', `"${text}" is no sweep: write NAME=FROM..TO/STEP, e.g. white=0..100/20.`)
  }
  if (!from.includes(name)) {
    throw new CliError('usage', `It is not made of "${name}", but of ${from.join(' and ')}.`)
  }
  return [name, valuesOf(low, high, step)]
}

function valuesOf(from: number, to: number, step: number): number[] {
  const count = Math.min(Math.floor(Math.abs(to - from) / step + 1e-9), MAX_SET_POINTS)
  const values = Array.from({ length: count + 1 }, (_none, n) =>
    Number((from + Math.sign(to - from) * n * step).toPrecision(12)),
  )
  return values.at(-1) === to ? values : [...values, to]
}

/**
 * Points from a table: in each line the inputs, then what the reference showed; commas, semicolons or tabs between them.
 * A first line of names is passed over, and so are empty lines and those that begin with #.
 *
 * @param inputs - how many inputs there are
 * @throws CliError failed, with the line
 */
export function pointsFromCsv(text: string, inputs: number): MeasuredPoint[] {
  const points: MeasuredPoint[] = []
  let isFirst = true
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const cells = line.split(line.includes(';') ? ';' : line.includes('\t') ? '\t' : ',')
    const numbers = cells.map((cell) => (cell.trim() === '' ? NaN : Number(cell.trim().replace(',', '.'))))
    const isPoint = numbers.length === inputs + 1 && numbers.every(Number.isFinite)
    if (!isPoint && !(isFirst && numbers.some(Number.isNaN))) {
      throw new CliError(
        'failed',
        `Line ${index + 1} is no point: "${line.slice(0, 80)}". It has ${inputs + 1} numbers, the inputs and the value.`,
      )
    }
    isFirst = false
    if (isPoint) points.push({ inputs: numbers.slice(0, -1), value: numbers.at(-1) ?? 0 })
  }
  return points
}
