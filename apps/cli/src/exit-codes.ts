import { ERRORS, type ErrorCode } from '@golem/core'

/**
 * The one table of exit codes; help and documents are made from it. What a script has to know is whether
 * anything has happened at the instrument: 3 promises that nothing has, 4 says that somebody has to look.
 */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done' },
  failed: {
    code: 1,
    meaning: 'failed: the instrument said no, a check found faults, or golem itself is broken',
  },
  usage: { code: 2, meaning: 'the command line is not understood; nothing was done' },
  refused: { code: 3, meaning: 'not reachable, or refused before anything was sent; nothing was done' },
  unknown: { code: 4, meaning: 'sent, but how it ended is not known (yet): look before you repeat it' },
} as const satisfies Record<string, { code: number; meaning: string }>

export type ExitName = keyof typeof EXIT_CODES

/** An error that a command ends with: a sentence for stderr and the exit code. */
export class CliError extends Error {
  readonly exit: ExitName
  /** Machine-readable particulars for `--json`. */
  readonly details: Readonly<Record<string, unknown>>

  /**
   * @param exit - what the shell is told
   * @param message - a sentence: what was tried, what came of it, what to do
   */
  constructor(
    exit: ExitName,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.exit = exit
    this.details = options.details ?? {}
  }
}

/** How a command of the shell ends that meets an error of golem's table. */
export function exitOf(code: ErrorCode): ExitName {
  switch (ERRORS[code].outcome) {
    case 'refused':
      return code === 'CONFIG_INVALID' ? 'failed' : 'refused'
    case 'failed':
      return 'failed'
    case 'unknown':
      return code === 'INTERNAL' ? 'failed' : 'unknown'
  }
}

/** The table as help shows it. */
export function exitCodesInWords(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${code}  ${meaning}`)
  return `Exit codes:\n${lines.join('\n')}`
}
