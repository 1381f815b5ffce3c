import {
  type CommandRecord,
  type ErrorCode,
  GolemError,
  MAX_ITEMS,
  RESET_COUNTERS,
  type Outcome,
  asGolemError,
  checkValue,
  describeTarget,
  messageOf,
  targetOf,
} from '@golem/core'
import { type Begin, commandRefusedBy, outcomeOf, unknownOutcome } from '@golem/queue'
import type { Value } from '@golem/core'
import type { AfterReservation } from './after-reservation.ts'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'
import type { Journal } from './journal.ts'
import { mayCommand } from './may-command.ts'

/** What carrying out commands on one link needs. */
export interface ExecuteContext {
  context: WorkerContext
  link: string
  journal: Journal
  /**
   * Commands submitted before this (ms since 1970, site clock) may have been carried out by somebody whose
   * journal is not here, and Redis may have lost its record of that. 0: there are none.
   */
  suspectBefore: number
}

/**
 * Carries out one command from the queue, at most once, and writes how it ended. An older one that another worker
 * has left behind goes before it.
 *
 * The order is what keeps the promise: Redis agrees that it begins now (and is not cancelled, expired or stopped),
 * then, directly before the first byte, the lease and the valid-until are looked at once more and the journal line
 * is written; only then something is sent.
 *
 * @throws LEASE_LOST when the link is another worker's: the command goes on waiting, for that one
 */
export async function executeCommand(
  execution: ExecuteContext,
  instrument: Instrument,
  id: string,
  afterReservation?: AfterReservation,
): Promise<void> {
  const { context, link, journal } = execution
  // Under a stop nothing begins; taking what was refused off the queue has time until the safe values are out.
  if (context.stops.of(instrument.id)) await context.stops.obeyed
  const begin = await context.client.begin(id, instrument.id, link, afterReservation?.triedAfter ?? 0)
  if (begin.answer === 'missing' || begin.answer === 'ended') return
  const { record } = begin
  if (begin.answer === 'notowner') {
    throw new GolemError(
      'LEASE_LOST',
      `${link} is no longer this worker's; command ${id} waits for its owner.`,
    )
  }
  if (begin.answer === 'after') {
    await executeCommand(execution, instrument, record.id, afterReservation)
    return executeCommand(execution, instrument, id, afterReservation)
  }
  if ('reservations' in begin) context.reservations.hear(instrument.id, begin.reservations)
  if (begin.answer === 'unsafe' && afterReservation) {
    await afterReservation.obey(begin.reservations.unsafe)
    return executeCommand(execution, instrument, id, afterReservation)
  }
  const known = journal.entry(id)
  const outcome = known
    ? (known.outcome ?? unknownOutcome('It had begun before, and how it ended is not known.'))
    : (doubt(execution, record) ??
      (begin.answer === 'ok' ? await perform(execution, instrument, record, begin.under) : refusal(begin)))
  const endedAt = context.client.clock.now()
  try {
    journal.end(id, outcome, endedAt)
  } catch (error) {
    context.log.error({ err: error, command: id }, 'the outcome is not in the journal')
  }
  // Not waited for: on the same connection it goes ahead of all that follows, and what Redis loses the journal has.
  context.client
    .finish(record, outcome, endedAt)
    .catch((error: unknown) =>
      context.log.error({ err: error, command: id }, 'the outcome is not in the ledger'),
    )
  if (outcome.outcome === 'unknown') instrument.settleLater(record)
  else if (outcome.outcome !== 'refused') instrument.pollSoon()
}

/** It may have been carried out by somebody whose journal is not here: then nobody can say what became of it. */
function doubt({ suspectBefore }: ExecuteContext, { givenAt, submittedAt }: CommandRecord): Outcome | null {
  if (Date.parse(givenAt ?? submittedAt) >= suspectBefore) return null
  return unknownOutcome(
    'Redis was restarted after this was submitted, and another machine may have carried it out before.',
  )
}

function refusal(begin: Begin): Outcome {
  const refused = (code: ErrorCode, message: string): Outcome => ({
    outcome: 'refused',
    effect: 'none',
    code,
    message,
  })
  switch (begin.answer) {
    case 'stopped':
      return refused('STOPPED', 'Refused: the emergency stop is in force.')
    case 'reserved':
      return refused('INSTRUMENT_RESERVED', commandRefusedBy(begin.reservations.state).message)
    case 'fence':
      return refused('INSTRUMENT_RESERVED', commandRefusedBy(begin.reservations.state, begin.under).message)
    case 'expired':
      return refused('COMMAND_EXPIRED', 'It waited past its valid-until; nothing was sent.')
    default:
      return unknownOutcome('It was being carried out already, and how it ended is not known.')
  }
}

async function perform(
  { context, link, journal }: ExecuteContext,
  instrument: Instrument,
  record: CommandRecord,
  under: string,
): Promise<Outcome> {
  const asked = targetOf(record)
  let target = asked
  let sent = false
  const checkTime = (): void => {
    if (context.client.clock.now() <= Date.parse(record.validUntil)) return
    throw new GolemError('COMMAND_EXPIRED', 'It waited past its valid-until; nothing was sent.')
  }
  const beforeSend = (): void => {
    mayCommand(context, instrument.id, record.by, { under })
    context.interlocks.check(instrument, target)
    checkTime()
    instrument.outputs.judge(target)
    journal.begin(record, context.client.clock.now())
    // A worn memory card may have taken seconds for that line.
    context.client.leases.guard(link)
    checkTime()
    instrument.outputs.writing(target)
    sent = true
  }
  try {
    target = instrument.calibrated.toRaw(asked, instrument.description)
    const result = await send(instrument, target, record.by, beforeSend)
    instrument.outputs.wrote(target)
    const message = instrument.calibrated.inWords(asked, target)
    return {
      outcome: 'done',
      effect: 'done',
      ...(message === undefined ? {} : { message }),
      ...(await resultOf(context, record.id, result)),
    }
  } catch (error) {
    const golemError = asGolemError(error)
    if (golemError.code === 'INTERNAL') {
      context.log.error({ err: error, command: record.id }, 'the driver failed')
    }
    const message = `${instrument.id}, ${describeTarget(target)}: ${golemError.message}`
    const outcome = outcomeOf(golemError, sent)
    if (sent && outcome.effect === 'none') instrument.outputs.refused(target)
    return { ...outcome, message }
  }
}

/** What the outcome says of a result. Many numbers are kept apart: a ledger of waveforms would be too large for it. */
async function resultOf(
  { client, log }: WorkerContext,
  id: string,
  result: Value | undefined,
): Promise<Pick<Outcome, 'result' | 'resultItems' | 'message'>> {
  if (result === undefined) return {}
  if (typeof result !== 'object' || result.length <= MAX_ITEMS) return { result }
  try {
    await client.keepResult(id, result)
    return { resultItems: result.length }
  } catch (error) {
    log.error({ err: error, command: id }, 'the result is lost')
    return {
      message: `It was done, but its ${result.length} numbers are lost: they could not be kept (${messageOf(error)}).`,
    }
  }
}

async function send(
  instrument: Instrument,
  target: ReturnType<typeof targetOf>,
  by: string,
  beforeSend: () => void,
): Promise<Value | undefined> {
  if ('parameter' in target) {
    const { parameter, value } = target
    const write = instrument.writeOf(parameter)
    const allowed = instrument.description.parameters[parameter]
    if (!write || !allowed?.writable) {
      throw new GolemError('NOT_WRITABLE', `${instrument.id}.${parameter} can only be read.`)
    }
    // Checked against this worker's own site file too: the web process may have an older one.
    checkValue(`${instrument.id}.${parameter}`, allowed, value, '/value')
    instrument.forgetUnsettled(parameter)
    await instrument.channel.run('command', (io) => write(io, value), { beforeSend })
    return undefined
  }
  if (target.action === RESET_COUNTERS && !instrument.driver.actions[RESET_COUNTERS]) {
    if (by.startsWith('run ')) {
      throw new GolemError(
        'NOT_ALLOWED',
        'Counters are reset by a person, after maintenance, and not by a run.',
      )
    }
    // Golem's own: nothing goes out, and everything that is asked before something does is asked all the same.
    beforeSend()
    instrument.outputs.resetCounters(target.arguments['output'])
    return undefined
  }
  const action = instrument.driver.actions[target.action]
  if (!action || !instrument.description.actions[target.action]) {
    throw new GolemError('UNKNOWN_NAME', `${instrument.id} has no action "${target.action}".`)
  }
  const run: (io: never, args: Readonly<Record<string, Value>>) => Promise<Value | void> = action.run
  const answer = await instrument.channel.run('command', (io) => run(io, target.arguments), { beforeSend })
  return answer ?? undefined
}
