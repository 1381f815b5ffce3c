import { type AnyParameterSpec, defaultMatches, type Value } from '@golem/core'

/** The most values that are made for one parameter. */
const MOST = 50

/**
 * Values that a parameter takes and that can be told from each other, at least two; the first ones are its safe value's
 * opposite and far apart.
 *
 * @returns empty when there are no two: an empty range, a choice of one
 */
export function testValues(spec: AnyParameterSpec): readonly Value[] {
  const values = candidates(spec)
  // What is dangerous to leave on is not what a test begins with.
  const { safe } = spec
  if (safe !== undefined) values.sort((a, b) => Number(agrees(spec, safe, a)) - Number(agrees(spec, safe, b)))
  return values.length > 1 ? values : []
}

function candidates(spec: AnyParameterSpec): Value[] {
  switch (spec.type) {
    case 'boolean':
      return [true, false]
    case 'choice':
      return [...(spec.choices ?? [])]
    case 'text':
      return ['A1', 'B2', 'C3'].map((text) => text.slice(0, spec.maxLength ?? 2))
    case 'array':
      return [
        [1, 2],
        [3, 4],
      ]
    case 'integer':
    case 'number':
      return numbers(spec)
  }
}

/** Numbers in the middle of the range, on the grid of its steps, each once. */
function numbers(spec: AnyParameterSpec): number[] {
  const { min = spec.max === undefined ? 1 : spec.max - 100, type } = spec
  const { max = min + 100 } = spec
  const grid = spec.step ?? (type === 'integer' ? 1 : 10 ** -(spec.decimals ?? 3))
  const found: number[] = []
  for (let index = 1; index <= MOST; index += 1) {
    // The golden section spreads them, so that neighbours in time are none in value.
    const part = (index * 0.618_033_988_75) % 1
    const raw = min + Math.round(((max - min) * part) / grid) * grid
    const value = type === 'integer' ? Math.round(raw) : Number(raw.toPrecision(9))
    if (value < min || value > max) continue
    if (!found.some((other) => agrees(spec, other, value) || agrees(spec, value, other))) found.push(value)
  }
  return found
}

/** Does a value read back agree with the one written, as this parameter has it? */
export function agrees(spec: AnyParameterSpec, wanted: Value, got: Value): boolean {
  return spec.matches ? spec.matches(wanted, got) : defaultMatches(wanted, got, spec.step)
}
