import { readScpi } from './scpi-header.ts'
import type { RawSimulation } from './simulation-schema.ts'
import { piecesOf } from './template.ts'

/** Errors of SCPI 1999 that a simulated instrument makes. */
const TEXTS: Readonly<Record<number, string>> = {
  [-102]: 'Syntax error',
  [-104]: 'Data type error',
  [-108]: 'Parameter not allowed',
  [-109]: 'Missing parameter',
  [-113]: 'Undefined header',
  [-200]: 'Execution error',
  [-221]: 'Settings conflict',
  [-222]: 'Data out of range',
  [-224]: 'Illegal parameter value',
  [-230]: 'Data corrupt or stale',
  [-240]: 'Hardware error',
  [-350]: 'Queue overflow',
}
const QUEUE_DEPTH = 20
/** Power on, in the event status register. */
const POWER_ON = 128

/** What every SCPI instrument has: identity, event status register and error queue. */
export class ScpiStatus {
  readonly #raw: RawSimulation
  readonly #errorQuery: RegExp
  #errors: number[] = []
  #events = POWER_ON

  constructor(raw: RawSimulation) {
    this.#raw = raw
    this.#errorQuery = readScpi(raw.errors?.ask ?? 'SYSTem:ERRor[:NEXT]?')?.whole ?? /$^/
  }

  reset(): void {
    this.#errors = []
    this.#events = POWER_ON
  }

  push(code: number): void {
    if (this.#errors.length >= QUEUE_DEPTH) this.#errors[QUEUE_DEPTH - 1] = -350
    else this.#errors.push(code)
    const kind = Math.ceil(code / 100)
    this.#events |= { [-1]: 32, [-2]: 16, [-3]: 8, [-4]: 4 }[kind] ?? 8
  }

  knows(command: string): boolean {
    return command.startsWith('*') || this.#errorQuery.test(command)
  }

  /** @returns the answer; null: it is known and answers nothing; undefined: not known */
  answer(command: string): string | null | undefined {
    if (this.#errorQuery.test(command)) return this.#oldestError()
    switch (command.toLowerCase()) {
      case '*idn?':
        return this.#raw.identity ?? ''
      case '*opc?':
        return '1'
      case '*tst?':
        return '0'
      case '*stb?':
        return this.#errors.length > 0 ? '4' : '0'
      case '*esr?': {
        const events = this.#events
        this.#events = 0
        return String(events)
      }
      case '*cls':
        this.#errors = []
        this.#events = 0
        return null
      case '*opc':
        this.#events |= 1
        return null
      case '*wai':
        return null
      default:
        return undefined
    }
  }

  #oldestError(): string {
    const { none = '0,"No error"', one = '{code},"{text}"' } = this.#raw.errors ?? {}
    const code = this.#errors.shift()
    if (code === undefined) return none
    const values: Readonly<Record<string, string>> = {
      code: String(code),
      text: TEXTS[code] ?? 'Device-specific error',
    }
    return piecesOf(one, [], () => undefined)
      .map(({ text, name }) => (name === undefined ? text : (values[name] ?? '')))
      .join('')
  }
}
