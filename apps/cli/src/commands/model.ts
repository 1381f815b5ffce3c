import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import type { Trial } from '@golem/conformance'
import { GolemError, type Model, parseAddress } from '@golem/core'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable, table } from '../format.ts'
import { withSite } from '../options.ts'
import { modelNew } from './model-new.ts'

interface TestOptions extends CommonOptions {
  address?: string
  write?: boolean
  options?: string
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
    .option('--options <json>', 'options of the model, as in site.yaml, e.g. \'{"axes":"xyz"}\'')
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
      await withModel(context, options, name, async (found) => {
        const trial = await tryModel(found, {
          write: options.write === true,
          ...(endpoint === undefined ? {} : { endpoint }),
          ...(given === undefined ? {} : { options: given }),
        })
        await report(context, options, trial)
      })
    })
}

function modelOptions(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new CliError('usage', `--options takes a JSON object, not "${text}".`)
}

/** Hands over the model of a file, or one by its id. */
async function withModel(
  context: Context,
  options: CommonOptions,
  name: string,
  work: (found: Model) => Promise<void>,
): Promise<void> {
  const { loadModels, readModelFile } = await import('@golem/drivers')
  const file = path.resolve(context.cwd, name)
  if (/\.ya?ml$/.test(name) && existsSync(file)) {
    const { SiteFaults } = await import('@golem/config')
    const { model: found, faults } = readModelFile(file)
    if (!found) throw new SiteFaults(faults)
    return work(found)
  }
  const loaded = await loadModels(instanceDirOf(context, siteFileOf(context, options)))
  try {
    const found = loaded.models.get(name)
    if (!found) {
      throw new GolemError(
        'CONFIG_INVALID',
        `There is no file and no model "${name}". Models: ${[...loaded.models.keys()].join(', ')}.`,
      )
    }
    await work(found)
  } finally {
    await loaded.close()
  }
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
