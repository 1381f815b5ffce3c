import { messageOf } from '@golem/core'
import type { Path } from '@golem/config'
import type { Report } from './model-file.ts'
import { NAME_PATTERN } from './schema.ts'

const LONGEST_PATTERN = 500
/** Two `.*` in one pattern cost at most the square of a line's length; three would cost seconds. So does a missing ^. */
const MOST_WILDCARDS = 2

/** A pattern of a model file that has been found to be sound. */
export interface Pattern {
  regex: RegExp
  /** Names of its groups, in their order. */
  groups: readonly string[]
}

/**
 * Reads a pattern (a JavaScript regular expression). One that could take for ever on an unlucky line is reported: an
 * instrument must not be able to hold the worker up.
 *
 * @returns undefined when it was reported
 */
export function readPattern(source: string, path: Path, report: Report, flags = ''): Pattern | undefined {
  if (source.length > LONGEST_PATTERN) {
    report(path, `The pattern has ${source.length} characters; at most ${LONGEST_PATTERN} are taken.`)
    return undefined
  }
  let regex: RegExp
  try {
    regex = new RegExp(source, flags)
  } catch (error) {
    report(path, `The pattern can't be read: ${messageOf(error)}.`)
    return undefined
  }
  const why = whyCostly(source)
  if (why !== undefined) {
    report(path, `The pattern could take very long on an unlucky line: ${why}.`)
    return undefined
  }
  const groups = [...source.matchAll(/\(\?<([A-Za-z_$][\w$]*)>/g)].map(([, name = '']) => name)
  const odd = groups.find((name) => !new RegExp(NAME_PATTERN).test(name))
  if (odd !== undefined) {
    report(path, `"${odd}" can't be the name of a group: a letter, then letters, digits and _.`)
    return undefined
  }
  return { regex, groups }
}

/** The shapes that backtrack without end: something repeated without limit inside something repeated without limit. */
function whyCostly(source: string): string | undefined {
  let wildcards = source.startsWith('^') ? 0 : 1
  /** For each open bracket: does what is in it repeat without limit, or have alternatives? */
  const open: { repeats: boolean; alternatives: boolean }[] = [{ repeats: false, alternatives: false }]
  for (let at = 0; at < source.length; at++) {
    const character = source[at]
    let closed: { repeats: boolean; alternatives: boolean } | undefined
    const start = at
    if (character === '\\') {
      if (/[1-9k]/.test(source[at + 1] ?? '')) return 'it refers back to a group'
      at += 1
    } else if (character === '[') at = endOfClass(source, at)
    else if (character === '(') {
      open.push({ repeats: false, alternatives: false })
      continue
    } else if (character === ')') closed = open.pop()
    else if (character === '|') {
      const top = open.at(-1)
      if (top) top.alternatives = true
      continue
    }
    const unlimited = /^(?:[*+]|\{\d+,\})/.exec(source.slice(at + 1))?.[0]
    const inner = open.at(-1)
    if (unlimited === undefined) {
      if (closed && inner) inner.repeats ||= closed.repeats
      continue
    }
    if (closed?.repeats)
      return 'a repetition is repeated, as in (a+)+; write it without the inner or the outer one'
    if (closed?.alternatives) return 'alternatives are repeated, as in (a|b)*; write [ab]* or name how often'
    if (inner) inner.repeats = true
    if (source[start] === '.') wildcards += 1
    if (wildcards > MOST_WILDCARDS) {
      return `it has too many .* and .+ (two, or one where it does not begin with ^); write what may stand there, e.g. [^,]*`
    }
    at += unlimited.length
  }
  return undefined
}

function endOfClass(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at += 1
    else if (source[at] === ']') return at
  }
  return source.length
}
