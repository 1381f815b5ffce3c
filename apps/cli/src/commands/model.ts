import type { Command } from 'commander'
import type { Trial } from '@golem/conformance'
import { parseAddress } from '@golem/core'
import { checkOptions, modelOptions, withModels } from '../chosen-models.ts'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable, table } from '../format.ts'
import { withSite } from '../options.ts'
import { modelNew } from './model-new.ts'

interface TestOptions extends CommonOptions {
  address?: string
  write?: boolean
  options?: string[]
}

/** `golem model`: making and trying models of instruments. */
export function model(program: Command, context: Context): Command {
  const group = program
    .command('model')
    .description('makes and tries models of instruments')
    .addHelpText('after', '\nExamples:\n  golem model new\n  golem model test instance/models/my-supply.yaml')
  modelTest(group, context)
  modelNew(group, context)
  return group
}

function modelTest(group: Command, context: Context): void {
  withSite(group.command('test'))
    .description(
      'runs a model against its own simulation, or against a real instrument, and shows what each parameter did',
    )
    .argument('<model>', 'file of a model, or id of one that golem or the site has')
    .option(
      '--address <address>',
      'a real instrument, e.g. tcp://10.0.0.5:5555 (default: the simulation in the file)',
    )
    .option('--write', 'also write: to a real instrument each parameter gets the value it has just now')
    .option(
      '--options <option...>',
      'options of the model as in site.yaml: name=value each, or a JSON object',
    )
    .option('--json', 'print JSON instead of text')
    .addHelpText(
      'after',
      '\nReads only, unless --write is given; a simulation is always written to.' +
        '\n\nExamples:\n  golem model test instance/models/my-supply.yaml\n  golem model test rigol-dp800 --address tcp://10.0.0.5:5555',
    )
    .action(async (name: string, options: TestOptions) => {
      const { tryModel } = await import('@golem/conformance')
      const endpoint = options.address === undefined ? undefined : parseAddress(options.address)
      const given = modelOptions(options.options)
      await withModels(context, options, name, async ([found]) => {
        if (!found) return
        if (given) await checkOptions(found, given)
        const trial = await tryModel(found, {
          write: options.write === true,
          ...(endpoint === undefined ? {} : { endpoint }),
          ...(given === undefined ? {} : { options: given }),
        })
        await report(context, options, trial)
      })
    })
}

async function report(context: Context, options: CommonOptions, trial: Trial): Promise<void> {
  const bad = trial.parameters.filter(({ good }) => !good)
  if (options.json) context.out(JSON.stringify(trial, null, 2))
  else {
    context.out(`${trial.model} at ${trial.where === 'simulation' ? 'its own simulation' : trial.where}`)
    const rows = trial.parameters.map(({ name, unit, read, written, readBack, good, why }) => [
      name,
      inUnit(read, unit),
      inUnit(written, unit),
      inUnit(readBack, unit),
      good ? 'ok' : 'NOT ok',
      printable(why ?? ''),
    ])
    if (rows.length > 0) {
      context.out(await table([['parameter', 'read', 'written', 'read back', '', 'note'], ...rows]))
    }
  }
  if (trial.failed !== undefined) throw new CliError('failed', `${trial.model}: ${printable(trial.failed)}`)
  if (bad.length > 0) {
    throw new CliError('failed', `${bad.length} of ${trial.parameters.length} parameters are not ok.`)
  }
  if (!options.json) context.out(`All ${trial.parameters.length} parameters are ok.`)
}

function inUnit(text: string | null, unit: string | undefined): string {
  if (text === null) return ''
  return printable(unit === undefined ? text : `${text} ${unit}`)
}
