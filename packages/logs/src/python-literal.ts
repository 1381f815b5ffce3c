/** A value as Python's `repr` writes it. `source` is that text. */
export type PythonValue =
  | { type: 'text'; text: string; source: string }
  | { type: 'int'; value: bigint; source: string }
  | { type: 'float'; value: number; source: string }
  | { type: 'tuple'; items: readonly PythonValue[]; source: string }
  | { type: 'dict'; entries: ReadonlyMap<string, PythonValue>; source: string }
  /** None, bytes, a list or a set: only shown. */
  | { type: 'other'; source: string }

const MAX_LENGTH = 65_536
const MAX_DEPTH = 20

/**
 * Reads the text of a Python literal. Nothing is evaluated: numbers, texts, None, True, False, tuples, lists, sets and
 * dicts are known, and anything else (an object, an enum, a call) is not read.
 *
 * @returns undefined when there is any doubt
 */
export function readPythonLiteral(text: string): PythonValue | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const reader = new Reader(text)
  try {
    return reader.whole()
  } catch (error) {
    if (error instanceof Doubt) return undefined
    throw error
  }
}

class Doubt extends Error {}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
}
const NUMBER = /[+-]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/iy
const WORD = /None|True|False/y

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): PythonValue {
    const value = this.#value(MAX_DEPTH)
    this.#space()
    if (this.#at < this.#text.length) throw new Doubt()
    return value
  }

  #value(depth: number): PythonValue {
    this.#space()
    const start = this.#at
    const next = this.#text[start] ?? ''
    if (depth === 0) throw new Doubt()
    if (next === "'" || next === '"')
      return { type: 'text', text: this.#quoted(), source: this.#since(start) }
    if (next === 'b' && /["']/.test(this.#text[start + 1] ?? '')) {
      this.#at += 1
      this.#quoted()
      return { type: 'other', source: this.#since(start) }
    }
    if (next === '(') return this.#tuple(depth)
    if (next === '[') {
      this.#items('[', ']', depth)
      return { type: 'other', source: this.#since(start) }
    }
    if (next === '{') return this.#dict(depth)
    const word = this.#match(WORD)
    if (word === 'None') return { type: 'other', source: word }
    if (word !== undefined) return { type: 'int', value: word === 'True' ? 1n : 0n, source: word }
    return this.#number()
  }

  #number(): PythonValue {
    const source = this.#match(NUMBER)
    if (source === undefined) throw new Doubt()
    if (/^[+-]?\d+$/.test(source)) return { type: 'int', value: BigInt(source.replace('+', '')), source }
    const plain = source.toLowerCase().replace('inf', 'Infinity').replace('nan', 'NaN')
    return { type: 'float', value: Number(plain), source }
  }

  #tuple(depth: number): PythonValue {
    const start = this.#at
    const { items, comma } = this.#items('(', ')', depth)
    // `(1)` is no tuple.
    if (items.length === 1 && !comma) throw new Doubt()
    return { type: 'tuple', items, source: this.#since(start) }
  }

  #items(open: string, close: string, depth: number): { items: PythonValue[]; comma: boolean } {
    this.#expect(open)
    const items: PythonValue[] = []
    let comma = false
    while (!this.#takes(close)) {
      if (items.length > 0 && !comma) throw new Doubt()
      items.push(this.#value(depth - 1))
      comma = this.#takes(',')
    }
    return { items, comma }
  }

  #dict(depth: number): PythonValue {
    const start = this.#at
    this.#expect('{')
    const entries = new Map<string, PythonValue>()
    let pairs = false
    let comma = true
    while (!this.#takes('}')) {
      if (!comma) throw new Doubt()
      const key = this.#value(depth - 1)
      if (this.#takes(':')) {
        pairs = true
        const value = this.#value(depth - 1)
        if (key.type === 'text') entries.set(key.text, value)
      } else if (pairs) throw new Doubt()
      comma = this.#takes(',')
    }
    const source = this.#since(start)
    return pairs || source === '{}' ? { type: 'dict', entries, source } : { type: 'other', source }
  }

  #quoted(): string {
    const quote = this.#text[this.#at] ?? ''
    this.#at += 1
    let found = ''
    for (;;) {
      const character = this.#text[this.#at]
      this.#at += 1
      if (character === quote) return found
      if (character === undefined || character === '\n') throw new Doubt()
      found += character === '\\' ? this.#escape() : character
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at] ?? ''
    this.#at += 1
    const plain = ESCAPES[letter]
    if (plain !== undefined) return plain
    const length = { x: 2, u: 4, U: 8 }[letter]
    if (length === undefined) throw new Doubt()
    const hex = this.#text.slice(this.#at, this.#at + length)
    this.#at += length
    const code = /^[0-9a-f]+$/i.test(hex) && hex.length === length ? parseInt(hex, 16) : Infinity
    if (code > 0x10ffff) throw new Doubt()
    return String.fromCodePoint(code)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    // `Nonesuch` and `1e5x` are something else.
    if (found !== undefined && /[\w.]/.test(this.#text[this.#at] ?? '')) throw new Doubt()
    return found
  }

  #takes(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw new Doubt()
  }

  #space(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1
  }

  #since(start: number): string {
    return this.#text.slice(start, this.#at)
  }
}
