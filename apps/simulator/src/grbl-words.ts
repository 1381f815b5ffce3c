/** The words of a line of G-code, e.g. G: [90, 1], X: [10]. */
export type Words = Readonly<Record<string, readonly number[]>>

/** What can be wrong with a line, as Grbl numbers it. */
export const ERRORS = {
  letterExpected: 1,
  badNumber: 2,
  unknownDollar: 3,
  homingDisabled: 5,
  notIdle: 8,
  locked: 9,
  lineTooLong: 11,
  jogOutOfTravel: 15,
  badJog: 16,
  unsupported: 20,
  noFeed: 22,
} as const

/** Reads a line of G-code without spaces and comments. @returns an error number when it can't be read */
export function parseWords(line: string): Words | number {
  const words: Record<string, number[]> = {}
  let rest = line.toUpperCase()
  while (rest !== '') {
    const letter = rest[0] ?? ''
    if (!/[A-Z]/.test(letter)) return ERRORS.letterExpected
    const number = /^[+-]?(\d+\.?\d*|\.\d+)/.exec(rest.slice(1))?.[0]
    if (number === undefined) return ERRORS.badNumber
    words[letter] = [...(words[letter] ?? []), Number(number)]
    rest = rest.slice(1 + number.length)
  }
  return words
}

/** Takes what does not count out of a line: spaces and comments. */
export function withoutComments(line: string): string {
  return line.replaceAll(/\([^)]*\)|;.*$|\s/g, '')
}
