import { piecesOf } from './template.ts'

/** A SCPI command as a rule of a simulation has it, made into patterns. */
export interface ScpiCommand {
  /** Matches the whole command; its named groups are the rule's variables. */
  whole: RegExp
  /** Matches the header alone, to tell a missing parameter from an unknown command. */
  header: RegExp
}

/**
 * Reads a command like `[:SOURce1]:VOLTage[:LEVel] {volts}`: the short form stands in capitals, what is in [ ] may be
 * left out, a number 1 at the end of a word too. A query ends with ?, its parameters follow after a space.
 *
 * @returns null when it has another form
 */
export function readScpi(spec: string): ScpiCommand | null {
  const [, written = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(spec.trim()) ?? []
  // An optional beginning takes its colon with it: [:A]:B is [A:]B.
  const header = headerPattern(written.replace(/^\[:([^\]]+)\]:/, '[$1:]').replace(/^:/, ''))
  if (header === null) return null
  const parameters = parametersPattern(rest)
  return {
    whole: new RegExp(`^:?${header}${parameters === '' ? '' : `\\s+${parameters}`}\\s*$`, 'i'),
    header: new RegExp(`^:?${header}(?:\\s|$)`, 'i'),
  }
}

function headerPattern(header: string): string | null {
  let pattern = ''
  let rest = header
  let depth = 0
  while (rest !== '') {
    const word = /^(\*?)([A-Z]+)([a-z]*)(\d*)/.exec(rest)
    if (word) {
      const [whole, star, short, long, digits] = word
      pattern += `${star === '' ? '' : '\\*'}${short}${long === '' ? '' : `(?:${long})?`}${digits === '1' ? '1?' : digits}`
      rest = rest.slice(whole.length)
      continue
    }
    const [character = ''] = rest
    rest = rest.slice(1)
    if (character === '[') depth += 1
    if (character === ']') depth -= 1
    const piece = { '[': '(?:', ']': ')?', ':': ':', '?': '\\?', '.': '\\.' }[character]
    if (piece === undefined || depth < 0) return null
    pattern += piece
  }
  return depth === 0 && pattern !== '' ? pattern : null
}

function parametersPattern(text: string): string {
  return piecesOf(text, [], () => undefined)
    .map(({ text: plain, name }) => {
      if (name !== undefined) return String.raw`(?<${name}>"[^"]*"|'[^']*'|[^,"']+?)`
      return plain.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/\s*,\s*/g, String.raw`\s*,\s*`)
    })
    .join('')
}

/** The path that the next command of a message continues: of `:SOUR:VOLT 1` that is `:SOUR:`. */
export function pathOf(command: string): string {
  const [header = ''] = command.trim().split(/[\s?]/)
  if (header.startsWith('*')) return ''
  return header.slice(0, header.lastIndexOf(':') + 1)
}
