import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { parseValue } from '../format.ts'
import { seconds, withApi } from '../options.ts'
import { reportOutcome } from '../outcome.ts'
import { splitTarget } from './get.ts'
import { findInstrument } from './list.ts'

interface SetOptions extends CommonOptions {
  wait: number
  validFor?: number
}

/** `golem set`: writes one parameter. */
export function set(program: Command, context: Context): Command {
  return withCommandOptions(withApi(program.command('set')))
    .description('writes one parameter and waits for the outcome')
    .argument('<instrument.parameter>', 'what to write')
    .argument('<value>', "on, off, a number in the parameter's unit, a choice or a text")
    .addHelpText(
      'after',
      '\nExamples:\n  golem set chamber-relays.relay0 on\n  golem set lamp-1.red 60 --valid-for 5\n  golem set stage.position -2.5',
    )
    .action(async (what: string, text: string, options: SetOptions) => {
      const [id, name] = splitTarget(what)
      if (!name) {
        throw new CliError(
          'usage',
          `"${what}" names no parameter: write INSTRUMENT.PARAMETER, e.g. lamp-1.red.`,
        )
      }
      const api = openApi(context, options)
      const instrument = findInstrument(await api.instruments(), id)
      const parameter = Object.hasOwn(instrument.parameters, name) ? instrument.parameters[name] : undefined
      if (!parameter) {
        const known = Object.keys(instrument.parameters).join(', ')
        throw new CliError('refused', `${id} has no parameter "${name}". It has: ${known}.`, {
          details: { code: 'UNKNOWN_NAME' },
        })
      }
      const value = parseValue(what, parameter, text)
      const validity =
        options.validFor === undefined ? {} : { validForMs: Math.round(options.validFor * 1000) }
      const record = await api.command(id, { parameter: name, value, ...validity }, options.wait)
      reportOutcome(context, options, record, parameter)
    })
}

/** Adds `--wait` and `--valid-for`. */
export function withCommandOptions(command: Command): Command {
  return command
    .option('--wait <s>', 'how long to wait for the outcome; 0: hand over only', seconds, 40)
    .option('--valid-for <s>', 'not to be carried out later than this (default: 30)', seconds)
}
