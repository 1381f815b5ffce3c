import { type CommandRecord, describeCommand, type ParameterDescription } from '@golem/core'
import type { CommonOptions, Context } from './context.ts'
import { CliError, type ExitName, exitOf } from './exit-codes.ts'
import { printable, valueInWords } from './format.ts'

/**
 * Prints how a command ended.
 *
 * @param parameter - what was written, for unit and decimals
 * @throws CliError when it did not end as done
 */
export function reportOutcome(
  context: Context,
  options: CommonOptions & { wait: number },
  record: CommandRecord,
  parameter?: ParameterDescription,
): void {
  const target = `${record.instrument}: ${describeCommand(record)}`
  if (options.json) context.out(JSON.stringify(record))
  if (record.state !== 'ended') {
    if (options.wait === 0) {
      if (!options.json) context.out(`${target} was handed over as command ${record.id}`)
      return
    }
    throw new CliError(
      'unknown',
      `${target} has not ended within ${options.wait} s (it is ${record.state}; valid until ${record.validUntil}). ` +
        `Its outcome will be in the ledger: command ${record.id}.`,
      { details: { command: record.id } },
    )
  }
  if (record.outcome === 'done') {
    if (!options.json) context.out(printable(doneInWords(target, record, parameter)))
    return
  }
  throw new CliError(exitOfRecord(record), printable(outcomeInWords(target, record)), {
    details: { command: record.id, code: record.code, outcome: record.outcome, effect: record.effect },
  })
}

function doneInWords(
  target: string,
  record: CommandRecord,
  parameter: ParameterDescription | undefined,
): string {
  if (record.resultItems !== undefined) {
    return `${target} is done, it answers ${record.resultItems} numbers: --save FILE writes them; they are kept for an hour as command ${record.id}`
  }
  const result = record.result === undefined ? '' : `, it answers ${valueInWords(record.result, parameter)}`
  return `${target} is done${result}${record.message === undefined ? '' : `. ${record.message}`}`
}

function outcomeInWords(target: string, record: CommandRecord): string {
  const why = record.message ?? record.code ?? 'no reason was given'
  switch (record.outcome) {
    case 'refused':
      return `${target} was REFUSED, nothing was sent: ${why}`
    case 'failed':
      return `${target} has FAILED: ${why}`
    default: {
      const settled = record.settled ? ` Read back since: ${record.settled.message}` : ''
      return `The outcome of ${target} is UNKNOWN, look before you repeat it: ${why}${settled}`
    }
  }
}

function exitOfRecord(record: CommandRecord): ExitName {
  if (record.outcome === 'refused') return 'refused'
  if (record.outcome === 'unknown') return 'unknown'
  return record.code === undefined ? 'failed' : exitOf(record.code)
}
