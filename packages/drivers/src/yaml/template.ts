import type { Path } from '@golem/config'
import type { Value } from '@golem/core'
import type { Report } from './model-file.ts'
import { toWire, type ValueForm } from './values.ts'

/** Values by the name of their placeholder. */
export type Values = Readonly<Record<string, Value>>

/** Fills a text's placeholders with what stands on the wire for these values. @throws OUT_OF_RANGE (see toWire) */
export type Template = (values: Values) => string

/**
 * Reads a text with placeholders: `{name}`, nothing else; `{{` and `}}` are brackets.
 *
 * @param forms - what may stand in a placeholder, by name; others are reported
 */
export function readTemplate(
  text: string,
  forms: Readonly<Record<string, ValueForm>>,
  path: Path,
  report: Report,
): Template {
  const parts = piecesOf(text, path, report)
  for (const part of parts) {
    if (part.name === undefined || Object.hasOwn(forms, part.name)) continue
    const known = Object.keys(forms)
    report(
      path,
      `There is nothing to put into {${part.name}} here${known.length > 0 ? `; there is ${known.map((name) => `{${name}}`).join(', ')}` : ''}. A bracket itself is written twice.`,
    )
  }
  return (values) =>
    parts
      .map(({ text: plain, name }) => {
        const form = name === undefined ? undefined : forms[name]
        const value = name === undefined ? undefined : values[name]
        return form === undefined || value === undefined ? plain : toWire(form, value)
      })
      .join('')
}

/** A text in pieces: plain ones, and placeholders (whose `text` is empty). */
export function piecesOf(text: string, path: Path, report: Report): { text: string; name?: string }[] {
  const pieces: { text: string; name?: string }[] = []
  const matcher = /\{\{|\}\}|\{([A-Za-z][A-Za-z0-9_]*)\}|[{}]|[^{}]+/g
  for (const [piece, name] of text.matchAll(matcher)) {
    if (name !== undefined) pieces.push({ text: '', name })
    else if (piece === '{{' || piece === '}}') pieces.push({ text: piece.slice(1) })
    else {
      if (piece === '{' || piece === '}') {
        report(
          path,
          `The bracket ${piece} is no placeholder like {value}. Write it twice if it is meant as itself.`,
        )
      }
      pieces.push({ text: piece })
    }
  }
  return pieces
}
