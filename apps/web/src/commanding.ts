import {
  type ActionDescription,
  type CommandRecord,
  type CommandTarget,
  DEFAULT_VALID_FOR_MS,
  GolemError,
  type StopState,
  isoTime,
  validateTarget,
} from '@golem/core'
import { commandIdFor } from '@golem/queue'
import type { Identity } from './access.ts'
import { clip } from './problem.ts'
import { type WebContext, bounded, checkKnown, handedOver, noAnswer, noConfirmation } from './context.ts'

/** The body of a command, as `commandBody` has it. */
export interface CommandBody {
  parameter?: string
  value?: unknown
  action?: string
  arguments?: unknown
  validForMs?: number
  reservation?: number
}

/** A command that somebody gives, by whatever way it came. */
export interface GivenCommand {
  instrument: string
  body: CommandBody
  identity: Identity
  /** Repeated with the same key it is the same command. */
  key: string | undefined
}

/**
 * Checks a command and hands it over. HTTP and the socket both go through here.
 *
 * @returns its ledger record, which may be that of an earlier request with the same key
 * @throws what `checkCommand` and `SiteClient.submit` throw; HANDOVER_UNKNOWN when Redis does not confirm it
 */
export async function submitCommand(context: WebContext, given: GivenCommand): Promise<CommandRecord> {
  try {
    return await submit(context, given)
  } catch (error) {
    const { instrument, body, identity } = given
    if (error instanceof GolemError && error.code !== 'KEY_REUSED') {
      context.refusals.take(instrument, wordsOf(body), identity.name, error)
    }
    throw error
  }
}

/** What was asked for, of whatever form it is; bounded. */
function wordsOf({ parameter, value, action }: CommandBody): string {
  return clip(parameter === undefined ? `${action ?? '?'}()` : `${parameter} = ${JSON.stringify(value)}`)
}

async function submit(
  context: WebContext,
  { instrument, body, identity, key }: GivenCommand,
): Promise<CommandRecord> {
  const by = identity.name
  const repeated = key === undefined ? undefined : commandIdFor(by, key)
  const target = await checkCommand(context, instrument, body, { repeated, identity })
  const { record } = await bounded(
    context.client.submit({
      instrument,
      target,
      by,
      validForMs: body.validForMs ?? DEFAULT_VALID_FOR_MS,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(body.reservation === undefined ? {} : { reservation: body.reservation }),
    }),
    () => noConfirmation('the command'),
  )
  return record
}

/**
 * Emergency stop of one instrument, or of everything.
 *
 * @throws UNKNOWN_INSTRUMENT, QUEUE_DOWN; HANDOVER_UNKNOWN when Redis does not confirm it
 */
export async function giveStop(
  context: WebContext,
  { instrument, reason, by }: { instrument: string | undefined; reason: string | undefined; by: string },
): Promise<StopState> {
  if (instrument !== undefined) checkKnown(context, instrument)
  const of = instrument === undefined ? {} : { instrument }
  return handedOver(
    context.client.stop({ ...of, by, reason: reason ?? 'no reason given' }),
    () =>
      new GolemError(
        'HANDOVER_UNKNOWN',
        'Redis stopped answering while the emergency stop was handed over; it may still take effect. Do not rely on it: use the switch at the stand.',
      ),
  )
}

/**
 * Waits for the outcome. A command once accepted stays accepted: trouble while waiting is no error of it, and a process
 * that is being ended answers with what it knows.
 *
 * @param seconds - the longest time to wait
 * @returns the record as it then is
 */
export async function outcomeOf(
  { client, log, closing }: WebContext,
  record: CommandRecord,
  seconds: number,
): Promise<CommandRecord> {
  if (record.state === 'ended' || closing.aborted) return record
  const waitMs = seconds * 1000
  let giveUp = (): void => undefined
  const closes = new Promise<CommandRecord>((resolve) => {
    giveUp = () => resolve(record)
  })
  closing.addEventListener('abort', giveUp)
  try {
    const outcome = Promise.race([client.waitForOutcome(record.id, waitMs), closes])
    return await bounded(outcome, noAnswer, waitMs + 2_500)
  } catch (error) {
    log.warn(
      { err: error, command: record.id },
      'waiting for an outcome was cut short; the command stays in the queue',
    )
    return record
  } finally {
    closing.removeEventListener('abort', giveUp)
  }
}

/**
 * All that can be checked before a command is handed over; what fails here has reached no queue.
 *
 * @param repeated - id of the command that an earlier request with the same key would have made
 */
async function checkCommand(
  context: WebContext,
  id: string,
  body: CommandBody,
  { repeated, identity }: { repeated: string | undefined; identity: Identity },
): Promise<CommandTarget> {
  const { view } = context.client
  checkKnown(context, id)
  checkBus(context)
  const description = view.descriptions.get(id)
  if (!description) {
    throw new GolemError('WORKER_AWAY', `No worker has announced ${id} yet. Is a worker running on its host?`)
  }
  const target = validateTarget(description, body)
  if ('action' in target) checkRole(identity, description.actions[target.action])
  const missing = context.states.missingOwner(id)
  // A repeated request asks what became of the first; that a worker is away now is no answer to it.
  if (missing && !(repeated !== undefined && (await isInLedger(context, repeated)))) {
    const who =
      missing.worker === null
        ? `No worker has owned ${id}`
        : `The worker of ${id}, ${missing.worker}, has been silent`
    throw new GolemError('WORKER_AWAY', `${who} since ${isoTime(missing.since)}. Nothing was sent.`)
  }
  return target
}

async function isInLedger({ client }: WebContext, id: string): Promise<boolean> {
  try {
    await bounded(client.getCommand(id), noAnswer)
    return true
  } catch (error) {
    if (error instanceof GolemError && error.code === 'UNKNOWN_COMMAND') return false
    throw error
  }
}

/** @throws QUEUE_DOWN while the web process does not hear from Redis: it can't know what it would command */
function checkBus({ client }: WebContext): void {
  const { bus } = client.view
  if (bus.ok) return
  throw new GolemError('QUEUE_DOWN', `${bus.message} Nothing was sent; try again when Redis is back.`)
}

/** @throws NOT_ALLOWED */
function checkRole({ name, role }: Identity, action: ActionDescription | undefined): void {
  if (action?.role !== 'admin' || role === 'admin') return
  throw new GolemError('NOT_ALLOWED', `"${action.label}" takes the role admin, and ${name} has not.`, {
    field: 'header.authorization',
  })
}
