/**
 * The one table of errors. Classes do not survive Redis and HTTP; codes do.
 *
 * `effect` answers what a person at the bench asks first: what has it done to the instrument?
 * `outcome` is how a command ends that meets this error: refused (never sent), failed (sent, and the
 * instrument said no, or did something else) or unknown (sent, no trustworthy answer).
 * `status` is the HTTP status of a problem document with this code.
 */
export const ERRORS = {
  INVALID_REQUEST: { status: 400, effect: 'none', outcome: 'refused' },
  NOT_AUTHENTICATED: { status: 401, effect: 'none', outcome: 'refused' },
  NOT_ALLOWED: { status: 403, effect: 'none', outcome: 'refused' },
  UNKNOWN_INSTRUMENT: { status: 404, effect: 'none', outcome: 'refused' },
  UNKNOWN_NAME: { status: 404, effect: 'none', outcome: 'refused' },
  UNKNOWN_COMMAND: { status: 404, effect: 'none', outcome: 'refused' },
  NOT_FOUND: { status: 404, effect: 'none', outcome: 'refused' },
  METHOD_NOT_ALLOWED: { status: 405, effect: 'none', outcome: 'refused' },
  NOT_WRITABLE: { status: 422, effect: 'none', outcome: 'refused' },
  WRONG_TYPE: { status: 422, effect: 'none', outcome: 'refused' },
  OUT_OF_RANGE: { status: 422, effect: 'none', outcome: 'refused' },
  KEY_REUSED: { status: 422, effect: 'none', outcome: 'refused' },
  BODY_TOO_LARGE: { status: 413, effect: 'none', outcome: 'refused' },
  WRONG_MEDIA_TYPE: { status: 415, effect: 'none', outcome: 'refused' },
  TOO_MANY_REQUESTS: { status: 429, effect: 'none', outcome: 'refused' },
  QUEUE_FULL: { status: 429, effect: 'none', outcome: 'refused' },
  QUEUE_DOWN: { status: 503, effect: 'none', outcome: 'refused' },
  /** Redis stopped answering while a command was being handed over: it may still be carried out. */
  HANDOVER_UNKNOWN: { status: 503, effect: 'unknown', outcome: 'unknown' },
  WORKER_AWAY: { status: 503, effect: 'none', outcome: 'refused' },
  RUN_ENDED: { status: 409, effect: 'none', outcome: 'refused' },
  /** No scheduler process leads: runs, schedules and alarms wait for one. */
  SCHEDULER_AWAY: { status: 503, effect: 'none', outcome: 'refused' },
  INSTRUMENT_RESERVED: { status: 409, effect: 'none', outcome: 'refused' },
  /** An interlock of the site holds the output, or what it watches is not known. */
  INTERLOCKED: { status: 409, effect: 'none', outcome: 'refused' },
  NOT_WAITING: { status: 409, effect: 'none', outcome: 'refused' },
  STOPPED: { status: 423, effect: 'none', outcome: 'refused' },
  /** The site's rules of an output (minOn, minOff, slew, count) don't allow it now. */
  OUTPUT_RULE: { status: 409, effect: 'none', outcome: 'refused' },
  COMMAND_EXPIRED: { status: 410, effect: 'none', outcome: 'refused' },
  COMMAND_CANCELLED: { status: 409, effect: 'none', outcome: 'refused' },
  QUEUE_CLEARED: { status: 409, effect: 'none', outcome: 'refused' },
  LEASE_LOST: { status: 503, effect: 'none', outcome: 'refused' },
  WORKER_STOPPING: { status: 503, effect: 'none', outcome: 'refused' },
  /** The archive can't be reached, or is not kept at this site. */
  ARCHIVE_DOWN: { status: 503, effect: 'none', outcome: 'refused' },
  /** The worker's disk did not take the journal line, so nothing was sent. */
  JOURNAL_FAILED: { status: 503, effect: 'none', outcome: 'refused' },
  LINK_DOWN: { status: 503, effect: 'none', outcome: 'refused' },
  WRONG_INSTRUMENT: { status: 502, effect: 'none', outcome: 'refused' },
  /** Bytes went out, then the connection was lost. */
  LINK_LOST: { status: 502, effect: 'unknown', outcome: 'unknown' },
  REPLY_TIMEOUT: { status: 504, effect: 'unknown', outcome: 'unknown' },
  REPLY_MALFORMED: { status: 502, effect: 'unknown', outcome: 'unknown' },
  /** Interrupted while it ran, by the emergency stop. */
  INTERRUPTED: { status: 409, effect: 'unknown', outcome: 'unknown' },
  /** The worker that carried it out died, or Redis lost its record of it. */
  WORKER_LOST: { status: 503, effect: 'unknown', outcome: 'unknown' },
  INSTRUMENT_REFUSED: { status: 502, effect: 'none', outcome: 'failed' },
  READBACK_MISMATCH: { status: 502, effect: 'done', outcome: 'failed' },
  CONFIG_INVALID: { status: 500, effect: 'none', outcome: 'refused' },
  INTERNAL: { status: 500, effect: 'unknown', outcome: 'unknown' },
} as const satisfies Record<string, { status: number; effect: Effect; outcome: Exclude<OutcomeKind, 'done'> }>

/** What a command has done to the instrument. */
export type Effect = 'none' | 'unknown' | 'done'

/** How a command ended. */
export type OutcomeKind = 'done' | 'refused' | 'failed' | 'unknown'

export type ErrorCode = keyof typeof ERRORS

/** An error with a code of the table; everything golem throws on purpose is one of these. */
export class GolemError extends Error {
  readonly code: ErrorCode
  /** The place in the request that is at fault, as a JSON pointer, e.g. `/value`. */
  readonly field: string | undefined
  /** Machine-readable particulars, e.g. the id of the command concerned. */
  readonly details: Readonly<Record<string, unknown>>

  /**
   * @param code - from the table
   * @param message - a sentence: what was tried, on what, with which value, what came back
   * @param options - `cause`: the original error; `field`: what in the request is at fault
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; field?: string; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GolemError'
    this.code = code
    this.field = options.field
    this.details = options.details ?? {}
  }

  get effect(): Effect {
    return ERRORS[this.code].effect
  }

  get outcome(): Exclude<OutcomeKind, 'done'> {
    return ERRORS[this.code].outcome
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}

/** Any thrown thing as a GolemError; what is not one already is a bug and becomes INTERNAL. */
export function asGolemError(error: unknown): GolemError {
  if (error instanceof GolemError) return error
  return new GolemError('INTERNAL', `unexpected: ${messageOf(error)}`, { cause: error })
}

/** The message of any thrown thing. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
