import type { PythonValue } from './python-literal.ts'
import { inExponent, inFixed, inGeneral } from './python-number.ts'

const MAX_FIELD = 1_000
const DIRECTIVE = /%(?:\(([^()]*)\))?([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([a-zA-Z%])/y

/**
 * Formats as Python's `template % args` does. Source: "printf-style String Formatting" of the Python library reference.
 *
 * @param args - a tuple, or a dict for `%(name)s`
 * @returns undefined when Python would raise, or there is any doubt what it would write
 */
export function formatPython(template: string, args: PythonValue): string | undefined {
  const values = new Arguments(args)
  let found = ''
  let at = 0
  for (;;) {
    const next = template.indexOf('%', at)
    if (next < 0) break
    found += template.slice(at, next)
    DIRECTIVE.lastIndex = next
    const directive = DIRECTIVE.exec(template)
    if (!directive) return undefined
    const text = formatted(directive, values)
    if (text === undefined || found.length > 100_000) return undefined
    found += text
    at = DIRECTIVE.lastIndex
  }
  return values.allUsed() ? found + template.slice(at) : undefined
}

/** What is formatted, taken in order or by name. */
class Arguments {
  readonly #args: PythonValue
  readonly #items: readonly PythonValue[]
  #used = 0
  #named = false

  constructor(args: PythonValue) {
    this.#args = args
    this.#items = args.type === 'tuple' ? args.items : [args]
  }

  next(name: string | undefined): PythonValue | undefined {
    if (name === undefined) {
      this.#used += 1
      return this.#items[this.#used - 1]
    }
    this.#named = true
    return this.#args.type === 'dict' ? this.#args.entries.get(name) : undefined
  }

  /** A dict need not be used up, a tuple has to. */
  allUsed(): boolean {
    if (this.#args.type === 'dict') return this.#named ? this.#used === 0 : this.#used <= 1
    return this.#used === this.#items.length
  }
}

function formatted(directive: RegExpExecArray, values: Arguments): string | undefined {
  const [whole, name, flags = '', width = '', precision, letter = ''] = directive
  if (letter === '%') return whole === '%%' ? '%' : undefined
  const columns = width === '*' ? starred(values) : Number(width || 0)
  const hasPoint = whole.replace(/^%(?:\([^()]*\))?/, '').includes('.')
  const digits = !hasPoint ? undefined : precision === '*' ? starred(values) : Number(precision ?? 0)
  if (columns === undefined || columns > MAX_FIELD || (hasPoint && digits === undefined)) return undefined
  if (digits !== undefined && (digits > 100 || digits < 0)) return undefined
  const value = values.next(name)
  if (value === undefined) return undefined
  const left = flags.includes('-') || columns < 0
  if ('sra'.includes(letter) || letter === 'c') {
    const text = letter === 'c' ? oneCharacter(value) : inText(value, letter)
    if (text === undefined) return undefined
    const shown = letter === 'c' || digits === undefined ? text : Array.from(text).slice(0, digits).join('')
    return padded(shown, Math.abs(columns), left)
  }
  const number = inNumber(value, letter, flags, digits)
  if (number === undefined) return undefined
  const { sign, prefix, body } = number
  if (flags.includes('0') && !left) {
    return sign + prefix + body.padStart(columns - sign.length - prefix.length, '0')
  }
  return padded(sign + prefix + body, Math.abs(columns), left)
}

function starred(values: Arguments): number | undefined {
  const value = values.next(undefined)
  if (value?.type !== 'int' || value.value > 1_000n || value.value < -1_000n) return undefined
  return Number(value.value)
}

function inText(value: PythonValue, letter: string): string | undefined {
  // What `repr` wrote is at hand; of `ascii` only where it is the same.
  if (letter === 'a' && !/^[\x20-\x7e]*$/.test(value.source)) return undefined
  return letter === 's' && value.type === 'text' ? value.text : value.source
}

function oneCharacter(value: PythonValue): string | undefined {
  if (value.type === 'text') return Array.from(value.text).length === 1 ? value.text : undefined
  if (value.type !== 'int' || value.value < 0n || value.value > 0x10ffffn) return undefined
  return String.fromCodePoint(Number(value.value))
}

interface NumberText {
  sign: string
  prefix: string
  body: string
}

function inNumber(
  value: PythonValue,
  letter: string,
  flags: string,
  digits: number | undefined,
): NumberText | undefined {
  if (value.type !== 'int' && value.type !== 'float') return undefined
  const plus = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  if ('diuxXo'.includes(letter)) {
    const whole = wholeNumber(value, letter)
    if (whole === undefined) return undefined
    const { base, prefix } = { x: { base: 16, prefix: '0x' }, o: { base: 8, prefix: '0o' } }[
      letter.toLowerCase()
    ] ?? { base: 10, prefix: '' }
    const text = (whole < 0n ? -whole : whole).toString(base).padStart(digits ?? 0, '0')
    const shown = flags.includes('#') ? prefix : ''
    const upper = letter === 'X'
    return {
      sign: whole < 0n ? '-' : plus,
      prefix: upper ? shown.toUpperCase() : shown,
      body: upper ? text.toUpperCase() : text,
    }
  }
  if (!'fFeEgG'.includes(letter)) return undefined
  const number = Number(value.value)
  if (value.type === 'int' && BigInt(Math.trunc(Number.isFinite(number) ? number : 0)) !== value.value)
    return undefined
  const negative = number < 0 || Object.is(number, -0)
  const body = floatText(Math.abs(number), letter, digits ?? 6, flags.includes('#'))
  if (body === undefined) return undefined
  return {
    sign: negative ? '-' : plus,
    prefix: '',
    body: /[A-Z]/.test(letter) ? body.toUpperCase() : body,
  }
}

function wholeNumber(value: PythonValue, letter: string): bigint | undefined {
  if (value.type === 'int') return value.value
  // `%x` of a float is an error in Python, `%d` cuts it off.
  if (value.type !== 'float' || 'xXo'.includes(letter) || !Number.isFinite(value.value)) return undefined
  return BigInt(Math.trunc(value.value))
}

function floatText(number: number, letter: string, digits: number, keepPoint: boolean): string | undefined {
  if (Number.isNaN(number)) return 'nan'
  if (!Number.isFinite(number)) return 'inf'
  // How `#` changes the point of these is left to Python.
  if (keepPoint) return undefined
  switch (letter.toLowerCase()) {
    case 'f':
      return inFixed(number, digits)
    case 'e':
      return inExponent(number, digits)
    default:
      return inGeneral(number, digits)
  }
}

function padded(text: string, columns: number, left: boolean): string {
  const missing = ' '.repeat(Math.max(0, columns - Array.from(text).length))
  return left ? text + missing : missing + text
}
