import { blockOf } from './blocks.ts'
import type { RawWave } from './simulation-schema.ts'

/** The answer of a simulated instrument that measures a wave: a comma list or a block. @param points - how many */
export function waveAnswer(wave: RawWave, points: number): Buffer {
  const { shape = 'sine', amplitude = 1, middle = 0, periods = 1, as = 'list', endian, digits } = wave
  const numbers = Array.from({ length: points }, (_, index) => {
    const turn = points === 0 ? 0 : ((index * periods) / points) % 1
    return middle + amplitude * SHAPES[shape](turn)
  })
  if (as === 'list') return Buffer.from(numbers.map(asNr3).join(','), 'latin1')
  const whole = as === 'float32' || as === 'float64' ? numbers : numbers.map(Math.round)
  return blockOf(whole, as, endian === 'little', digits)
}

/** A number as instruments write it in lists, `+1.23456789E+00`: also how this list is checked in tests. */
function asNr3(value: number): string {
  const [mantissa = '0', exponent = '+0'] = value.toExponential(8).split('e')
  const power = `${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`
  return `${value < 0 ? '' : '+'}${mantissa}E${power}`
}

const SHAPES: Readonly<Record<NonNullable<RawWave['shape']>, (turn: number) => number>> = {
  sine: (turn) => Math.sin(2 * Math.PI * turn),
  ramp: (turn) => 2 * turn - 1,
  square: (turn) => (turn < 0.5 ? 1 : -1),
  flat: () => 0,
}
