import type { Finding, Report } from '@golem/conformance'
import { printable, spanInWords } from '../format.ts'

const CHECKS_WIDTH = 42
const REASON_WIDTH = 60
/** Of the summary of many models: what is missing is shown so long at most. */
const MISSING_WIDTH = 100

/** Rows of a table; checks of which the same is to be said share one. */
export function findingsInWords(findings: readonly Finding[]): string[][] {
  const rows: { like: Finding; checks: string[] }[] = []
  for (const finding of findings) {
    const same = rows.find(
      ({ like }) =>
        like.level === finding.level && like.status === finding.status && like.reason === finding.reason,
    )
    if (same) same.checks.push(finding.check)
    else rows.push({ like: finding, checks: [finding.check] })
  }
  const order = ['bronze', 'silver', 'gold', 'platinum']
  return rows
    .toSorted((a, b) => order.indexOf(a.like.level) - order.indexOf(b.like.level))
    .map(({ like, checks }) => [
      like.level,
      wrapped(listed(checks), CHECKS_WIDTH),
      like.status === 'failed' ? 'FAILED' : like.status,
      wrapped(printable(like.reason), REASON_WIDTH),
    ])
}

/** What begins alike is said once: `stop during cut, refuse`. */
function listed(checks: readonly string[]): string {
  const [first = '', ...more] = checks
  const [beginning = ''] = /^(?:recovery from|stop during) /.exec(first) ?? []
  return [
    first,
    ...more.map((check) => (check.startsWith(beginning) ? check.slice(beginning.length) : check)),
  ].join(', ')
}

/** The level, and what it takes to get further. */
export function levelInWords(report: Report): string {
  const { model, level, next, ms } = report
  const is = `${model} is ${level ?? 'not even bronze'} (${spanInWords(ms)}).`
  if (!next) return is
  const missing = next.missing.map(({ check, status, reason }) =>
    printable(`  ${check}: ${status === 'failed' ? '' : `${status}, `}${reason}`),
  )
  return `${is} For ${next.level} is missing:\n${missing.join('\n')}`
}

/** The same in one line. */
export function missingInWords({ next }: Report): string {
  if (!next) return ''
  const text = next.missing
    .map(({ check, status }) => (status === 'failed' ? check : `${check} (${status})`))
    .join(', ')
  const whole = `${next.level}: ${text}`
  return whole.length > MISSING_WIDTH ? `${whole.slice(0, MISSING_WIDTH - 1)}…` : whole
}

/** With line breaks between words, so that no line is wider unless a word is. */
function wrapped(text: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
