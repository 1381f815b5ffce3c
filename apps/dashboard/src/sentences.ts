import { RU_CODES } from './i18n/ru-codes.ts'
import { RU_SENTENCES } from './i18n/ru-sentences.ts'
import type { Language } from './i18n.ts'

/** So deep a sentence within a sentence is looked into. */
const DEEPEST = 6
/** Nothing that golem writes is longer; what is, is shown as it comes. */
const LONGEST = 1000

interface Template {
  pattern: RegExp
  /** Of its places, in order; `*why` is a sentence itself. */
  places: readonly string[]
  translated: string
}

const PLACE = /\{(\*?\w+)\}/g
/** Of a sentence: a name, a value, a reason; it ends with the sentence. */
const PLAIN = String.raw`((?:(?![.?] \p{Lu}).)*?)`
const SENTENCES = '(.*?)'

const TEMPLATES: readonly Template[] = RU_SENTENCES.map(([en, translated]) => {
  const places = [...en.matchAll(PLACE)].map(([, place = '']) => place)
  const fixed = en.split(/\{\*?\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  const pattern = fixed.map((part, n) => {
    const place = places[n]
    return place === undefined ? part : `${part}${place.startsWith('*') ? SENTENCES : PLAIN}`
  })
  return { pattern: new RegExp(`^${pattern.join('')}$`, 'su'), places, translated }
})

/**
 * What a process of golem has written, in the reader's language. A sentence that is not known is shown as it came.
 *
 * @param text - English, one or several sentences
 * @param code - why something was not done; said before a reason that is not known
 */
export function inWords(language: Language, text: string, code?: string): string {
  if (language === 'en') return text
  const known = inRussian(text, DEEPEST)
  if (known !== null) return known
  const title =
    code !== undefined && Object.hasOwn(RU_CODES, code) ? RU_CODES[code as keyof typeof RU_CODES] : null
  return title === null ? text : text === '' ? `${title}.` : `${title}: ${text}`
}

/** @returns null when no sentence of it is known */
function inRussian(text: string, depth: number): string | null {
  if (depth === 0 || text.length > LONGEST) return null
  for (const template of TEMPLATES) {
    const found = template.pattern.exec(text)
    if (found) return filled(template, found.slice(1), depth)
  }
  // Several sentences: the first one, and what comes behind it.
  const end = /[.?] (?=\p{Lu})/u.exec(text)
  if (end) {
    const first = text.slice(0, end.index + 1)
    const rest = text.slice(end.index + 2)
    const [one, others] = [inRussian(first, depth - 1), inRussian(rest, depth - 1)]
    return one === null && others === null ? null : `${one ?? first} ${others ?? rest}`
  }
  // A step's name, an instrument: what is said of it stands behind.
  const colon = text.indexOf(': ')
  const behind = colon === -1 ? null : inRussian(text.slice(colon + 2), depth - 1)
  if (behind !== null) return `${text.slice(0, colon)}: ${behind}`
  // What is a sentence here may be a part of one there.
  const part = /\w\.$/.test(text) ? inRussian(text.slice(0, -1), depth - 1) : null
  return part === null ? null : `${part}.`
}

function filled({ places, translated }: Template, given: readonly string[], depth: number): string {
  const values = new Map(places.map((place, n) => [place, given[n] ?? '']))
  return translated.replace(PLACE, (_, place: string) => {
    const value = values.get(place) ?? ''
    return place.startsWith('*') ? (inRussian(value, depth - 1) ?? value) : value
  })
}
