import type { Site } from '@golem/config'
import { GolemError, type InstrumentDescription } from '@golem/core'
import type { SiteClient } from '@golem/queue'
import type { Logger } from 'pino'
import type { Access, Identity } from './access.ts'
import type { ArchiveReader } from './archive-reader.ts'
import type { LogIntake } from './log-intake/intake.ts'
import { clip } from './problem.ts'
import type { Refusals } from './refusals.ts'
import type { StateDocuments } from './state-document.ts'

/** What all routes have in common. */
export interface WebContext {
  site: Site
  client: SiteClient
  states: StateDocuments
  access: Access
  archive: ArchiveReader
  /** Takes log records of people's programs. */
  intake: LogIntake
  /** Tells of commands that were refused at the door. */
  refusals: Refusals
  log: Logger
  version: string
  /** When this process was started, ISO 8601 UTC. */
  startedAt: string
  /** Aborted when the process is being ended: whoever waits is to be answered now. */
  closing: AbortSignal
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any route runs. */
    identity: Identity
  }
  interface FastifyContextConfig {
    /** It takes log records: Basic authentication and `?token=` will do, and it always writes. */
    writesLog?: boolean
    /** The longest address, in characters (default: MAX_URL). */
    maxUrl?: number
    /** May be asked for without a token. */
    open?: boolean
    /** Viewers may ask for it although it is no GET. */
    harmless?: boolean
  }
}

/** How long a question to Redis may take before the request is answered without it, in ms. */
const PATIENCE_MS = 4_000

/**
 * Bounds the time of a question to Redis: the client fails fast by itself, this is the second line.
 *
 * @param late - the error when it takes longer
 */
export async function bounded<T>(
  question: Promise<T>,
  late: () => GolemError,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs)
  })
  try {
    return await Promise.race([question, patience])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * As `bounded`, for what takes effect in Redis at once: when the answer is lost on the way back, nobody knows whether
 * it did. The client says `cause` when it had begun to ask.
 */
export async function handedOver<T>(request: Promise<T>, unknown: () => GolemError): Promise<T> {
  try {
    return await bounded(request, unknown)
  } catch (error) {
    if (error instanceof GolemError && error.code === 'QUEUE_DOWN' && error.cause !== undefined)
      throw unknown()
    throw error
  }
}

/** The error of a question that could not have had an effect. */
export function noAnswer(): GolemError {
  return new GolemError(
    'QUEUE_DOWN',
    `Redis has not answered for ${PATIENCE_MS / 1000} s. Try again in a moment.`,
  )
}

/** The error of a request that may have reached Redis. @param what - e.g. `the command` */
export function noConfirmation(what: string): GolemError {
  return new GolemError(
    'HANDOVER_UNKNOWN',
    `Redis stopped answering while ${what} was handed over; it may still take effect.`,
  )
}

/** @throws UNKNOWN_INSTRUMENT unless site.yaml or a worker names it */
export function checkKnown({ site, client }: WebContext, id: string, field = 'path.id'): void {
  if (client.view.descriptions.has(id) || site.instruments.some((instrument) => instrument.id === id)) return
  throw new GolemError('UNKNOWN_INSTRUMENT', `There is no instrument "${clip(id)}" at this site.`, { field })
}

/**
 * What is known of an instrument: its worker's description, or, before any worker has announced it, what
 * site.yaml says, without parameters.
 */
export function describe({ site, client }: WebContext, id: string): InstrumentDescription | undefined {
  const announced = client.view.descriptions.get(id)
  if (announced) return announced
  const configured = site.instruments.find((instrument) => instrument.id === id)
  if (!configured) return undefined
  const { label, group, model, host, address, pollEveryMs, onStop } = configured
  const unknown = { kind: 'unknown', parameters: {}, actions: {} }
  return { id, label, group, model, host, address, pollEveryMs, onStop, ...unknown }
}

/** @throws UNKNOWN_COMMAND when it can't be the id of one */
export function checkCommandId(id: string): void {
  if (/^[\w-]{1,64}$/.test(id)) return
  throw new GolemError('UNKNOWN_COMMAND', `"${clip(id)}" is no id of a command.`, { field: 'path.id' })
}
