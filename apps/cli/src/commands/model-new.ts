import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { parseAddress } from '@golem/core'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'
import { withSite } from '../options.ts'

interface NewOptions extends CommonOptions {
  id?: string
  label?: string
  kind?: string
  address?: string
  ask: boolean
}

/** What a first model file is made from. */
interface Facts {
  id: string
  label: string
  kind: string
  /** Its answer to `*IDN?`; null: it gave none, or was not asked. */
  idn: string | null
}

/** `golem model new`: asks a few questions, tries `*IDN?`, and writes a first file. */
export function modelNew(group: Command, context: Context): void {
  withSite(group.command('new'))
    .description('asks a few questions, tries *IDN?, and writes a first model file')
    .option('--id <id>', 'id of the model: a-z, 0-9 and -')
    .option('--label <text>', 'maker and type')
    .option('--kind <text>', 'kind of instrument, e.g. power supply')
    .option('--address <address>', 'where one is, to be asked *IDN?, e.g. tcp://10.0.0.5:5025')
    .option('--no-ask', 'do not ask it *IDN?')
    .option('--json', 'print JSON instead of text')
    .addHelpText(
      'after',
      '\nExamples:\n  golem model new\n  golem model new --id my-supply --label "ACME 30V" --kind "power supply" --address tcp://10.0.0.5:5025',
    )
    .action(async (options: NewOptions) => {
      const id = await answer(context, options.id, '--id', 'Id of the model (a-z, 0-9, -)')
      if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(id)) {
        throw new CliError('usage', `"${id}" can't be an id: it is a-z, 0-9 and -, at most 63.`)
      }
      const file = path.join(instanceDirOf(context, siteFileOf(context, options)), 'models', `${id}.yaml`)
      if (existsSync(file))
        throw new CliError('refused', `${file} is there already. Choose another id, or change that file.`)
      const address = options.address ?? (await optional(context, 'Address, to ask it *IDN? (empty: none)'))
      const idn = address && options.ask ? await identityAt(context, address) : null
      const [maker = '', type = ''] = (idn ?? '').split(',').map((part) => part.trim())
      const known = `${maker} ${type}`.trim()
      const label =
        options.label ?? (known || (await answer(context, undefined, '--label', 'Maker and type')))
      const kind = await answer(context, options.kind, '--kind', 'Kind of instrument, e.g. power supply')
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, firstFile({ id, label, kind, idn }), { flag: 'wx' })
      if (options.json) context.out(JSON.stringify({ file, idn }))
      else {
        context.out(`${file} is a first model: it reads its name and a voltage, and has a simulation.`)
        context.out(`Change it to what the instrument's manual says, then: golem model test ${file}`)
      }
    })
}

async function answer(
  context: Context,
  given: string | undefined,
  option: string,
  question: string,
): Promise<string> {
  const text = given ?? (await optional(context, question))
  if (text) return text
  throw new CliError('usage', `${option} is missing (${question}).`)
}

/** @returns an empty text when there is nobody to ask */
async function optional(context: Context, question: string): Promise<string> {
  return context.interactive ? (await context.ask(question)).trim() : ''
}

async function identityAt(context: Context, address: string): Promise<string | null> {
  const { kind } = parseAddress(address)
  if (kind !== 'tcp' && kind !== 'usbtmc' && kind !== 'serial') {
    throw new CliError(
      'usage',
      `*IDN? is for instruments at tcp, usbtmc and serial addresses, not ${kind}. Use --no-ask.`,
    )
  }
  const { askIdentity } = await import('@golem/discovery')
  const idn = await askIdentity(address)
  context.err(idn === null ? `${address} does not answer *IDN?.` : `It says: ${printable(idn)}`)
  return idn
}

/** JSON texts are YAML texts: nothing that an instrument says can break out of one. */
const quoted = (text: string): string => JSON.stringify(text)

function firstFile({ id, label, kind, idn }: Facts): string {
  const identity = idn ?? `ACME,${id},0,1.0`
  const [maker = '', type = ''] = identity.split(',')
  const pattern = `^${[maker, type].map((part) => part.trim().replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join(', ?')}`
  return `# yaml-language-server: $schema=../model.schema.json
model: ${id}
label: ${quoted(label)}
kind: ${quoted(kind)}
source: ${quoted(`Write here which manual this is from, and what has been tried.${idn === null ? '' : ` It identified itself as ${idn}.`}`)}
transport: line

# The first question after connecting, and what the answer has to look like.
identify:
  ask: '*IDN?'
  pattern: ${quoted(pattern)}

# After each write the instrument is asked whether it agreed. Without SYST:ERR? remove this.
errors:
  ask: 'SYST:ERR?'

parameters:
  voltage:
    label: Voltage
    type: number
    unit: V
    min: 0
    max: 10
    decimals: 3
    read: 'VOLT?'
    write: 'VOLT {value}'
    readBack: true
    # The emergency stop gives it this value.
    safe: 0

# What the instrument would answer: golem model test plays it, without the instrument.
simulation:
  scpi: true
  identity: ${quoted(identity)}
  state:
    voltage: { value: 0, min: 0, max: 10 }
  rules:
    - { scpi: 'VOLTage {voltage}' }
    - { scpi: 'VOLTage?', reply: '{voltage}' }
`
}
