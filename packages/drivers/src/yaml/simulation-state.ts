import type { Report } from './model-file.ts'
import type { RawSimulation, RawVariable } from './simulation-schema.ts'
import { formatNumber, parseNumber, unquoted } from './values.ts'

/** What a simulated instrument remembers. */
export class SimulatedState {
  readonly #variables: ReadonlyMap<string, RawVariable>
  readonly #values = new Map<string, string | number>()

  constructor(variables: ReadonlyMap<string, RawVariable>) {
    this.#variables = variables
    this.reset()
  }

  /** Everything as after power-up. */
  reset(): void {
    for (const [name, { value }] of this.#variables) this.#values.set(name, value)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  get(name: string): string | number | undefined {
    return this.#values.get(name)
  }

  /** All values by name, as they are now. */
  all(): Record<string, string | number> {
    return Object.fromEntries(this.#values)
  }

  /** How it is answered. */
  shown(name: string): string {
    const value = this.#values.get(name)
    const format = this.#variables.get(name)?.format
    return typeof value === 'number' && format !== undefined
      ? formatNumber(value, format)
      : String(value ?? '')
  }

  set(name: string, value: string | number): void {
    this.#values.set(name, value)
  }

  /** What a variable becomes by a text of a command, or the SCPI error it makes. */
  taken(name: string, text: string): { value: string | number } | { error: number } {
    const variable = this.#variables.get(name)
    const bare = unquoted(text.trim())
    if (!variable) return { value: bare }
    if (variable.words) {
      const match = Object.entries(variable.words).find(([value, words]) =>
        [value, ...words].some((word) => String(word).toLowerCase() === bare.toLowerCase()),
      )
      if (!match) return { error: -224 }
      return { value: typeof variable.value === 'number' ? Number(match[0]) : match[0] }
    }
    if (typeof variable.value === 'string') return { value: bare }
    const number = numberFor(variable, bare)
    if (number === undefined || !Number.isFinite(number)) return { error: -104 }
    if (number < (variable.min ?? -Infinity) || number > (variable.max ?? Infinity)) return { error: -222 }
    return { value: number }
  }
}

function numberFor({ value, min, max }: RawVariable, text: string): number | undefined {
  if (/^min(imum)?$/i.test(text)) return min
  if (/^max(imum)?$/i.test(text)) return max
  if (/^def(ault)?$/i.test(text)) return Number(value)
  return parseNumber(text)
}

/** Reads `state:`. */
export function readVariables(
  state: NonNullable<RawSimulation['state']>,
  report: Report,
): ReadonlyMap<string, RawVariable> {
  return new Map(
    Object.entries(state).map(([name, raw]) => {
      const variable = typeof raw === 'object' ? raw : { value: raw }
      const place = ['simulation', 'state', name]
      if (variable.words && !Object.hasOwn(variable.words, String(variable.value))) {
        report(
          [...place, 'value'],
          `"${variable.value}" is none of its words: ${Object.keys(variable.words).join(', ')}.`,
        )
      }
      if ((variable.min !== undefined || variable.max !== undefined) && typeof variable.value !== 'number') {
        report([...place, 'value'], 'Only a number has min and max.')
      }
      return [name, variable]
    }),
  )
}
