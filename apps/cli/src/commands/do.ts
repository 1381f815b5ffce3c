import type { Command } from 'commander'
import type { ActionDescription, CommandRecord, Value } from '@golem/core'
import { writeFile } from 'node:fs/promises'
import type { ApiClient } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { parseValue } from '../format.ts'
import { withApi } from '../options.ts'
import { reportOutcome } from '../outcome.ts'
import { findInstrument } from './list.ts'
import { withCommandOptions } from './set.ts'

interface DoOptions extends CommonOptions {
  wait: number
  validFor?: number
  save?: string
}

/** `golem do`: runs one action. */
export function doAction(program: Command, context: Context): Command {
  return withCommandOptions(withApi(program.command('do')))
    .description('runs one action of an instrument and waits for the outcome')
    .argument('<instrument>', 'id of the instrument')
    .argument('<action>', 'name of the action; `golem list INSTRUMENT` shows them')
    .argument('[arguments...]', 'as key=value')
    .option('--save <file>', 'write the numbers it answers with to a file, one a line')
    .addHelpText(
      'after',
      '\nExamples:\n  golem do gas zero\n  golem do lamp-1 flash times=3 --wait 10\n  golem do scope waveform --save wave.csv --wait 30',
    )
    .action(async (id: string, name: string, words: string[], options: DoOptions) => {
      const api = openApi(context, options)
      const instrument = findInstrument(await api.instruments(), id)
      const action = Object.hasOwn(instrument.actions, name) ? instrument.actions[name] : undefined
      if (!action) {
        const known = Object.keys(instrument.actions).join(', ') || 'none'
        throw new CliError('refused', `${id} has no action "${name}". It has: ${known}.`, {
          details: { code: 'UNKNOWN_NAME' },
        })
      }
      const given = parseArguments(`${id} ${name}`, action, words)
      const validity =
        options.validFor === undefined ? {} : { validForMs: Math.round(options.validFor * 1000) }
      const record = await api.command(id, { action: name, arguments: given, ...validity }, options.wait)
      const kept = options.save === undefined ? undefined : await numbersOf(api, record)
      if (options.save === undefined || kept === undefined) return reportOutcome(context, options, record)
      await writeFile(options.save, `${kept.join('\n')}\n`)
      if (options.json) context.out(JSON.stringify({ ...record, savedTo: options.save, saved: kept.length }))
      else context.out(`${id}: ${name} is done, ${kept.length} numbers are in ${options.save}`)
    })
}

/** The numbers a command answered with; undefined when it did not, or has not ended well. */
async function numbersOf(api: ApiClient, record: CommandRecord): Promise<readonly number[] | undefined> {
  if (record.outcome !== 'done') return undefined
  if (record.resultItems !== undefined) return api.result(record.id)
  return typeof record.result === 'object' ? record.result : undefined
}

function parseArguments(
  where: string,
  action: ActionDescription,
  words: readonly string[],
): Record<string, Value> {
  const known = Object.keys(action.arguments).join(', ') || 'none'
  const given = words.map((word): [string, Value] => {
    const [, key, text] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    if (key === undefined || text === undefined) {
      throw new CliError('usage', `"${word}" is no argument: write key=value. ${where} takes: ${known}.`)
    }
    const argument = Object.hasOwn(action.arguments, key) ? action.arguments[key] : undefined
    if (!argument) throw new CliError('usage', `${where} has no argument "${key}". It takes: ${known}.`)
    return [key, parseValue(`${where} ${key}`, argument, text)]
  })
  return Object.fromEntries(given)
}
