import { GolemError } from '@golem/core'

/** One thing that is wrong, and where. */
export interface Fault {
  /** The file, or `environment` for a variable. */
  file: string
  /** From 1. */
  line: number
  /** From 1. */
  column: number
  /** The place within the file, e.g. `instruments[2].address`; the variable's name for `environment`. */
  path: string
  /** A sentence: what is wrong and what to do. */
  message: string
}

/** Everything that is wrong with a site, found in one go. */
export class SiteFaults extends GolemError {
  readonly faults: readonly Fault[]

  /** @param faults - at least one; they are put in the order of the file */
  constructor(faults: readonly Fault[]) {
    const sorted = [...faults].sort(
      (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
    )
    const head = sorted.length === 1 ? 'The site has a fault:' : `The site has ${sorted.length} faults:`
    super('CONFIG_INVALID', [head, ...sorted.map((fault) => `  ${describeFault(fault)}`)].join('\n'), {
      details: { faults: sorted },
    })
    this.name = 'SiteFaults'
    this.faults = sorted
  }
}

/** A fault on one line, `file:line:column path: message`, as editors and terminals make it a link. */
export function describeFault(fault: Fault): string {
  const where = fault.path === '' ? '' : ` ${fault.path}:`
  return `${fault.file}:${fault.line}:${fault.column}${where} ${fault.message}`
}
