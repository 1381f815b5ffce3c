import type { Command } from 'commander'
import type { InstrumentDescription, ParameterDescription, StateDocument } from '@golem/core'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { table } from '../format.ts'
import { withApi } from '../options.ts'
import { holderInWords } from '../reservation.ts'

/** `golem list`: what there is and what it takes. */
export function list(program: Command, context: Context): Command {
  return withApi(program.command('list'))
    .description('lists the instruments, or the parameters and actions of one')
    .argument('[instrument]', 'id of an instrument')
    .addHelpText(
      'after',
      '\nExamples:\n  golem list\n  golem list chamber-relays\n  golem list --json | jq ".[].id"',
    )
    .action(async (id: string | undefined, options: CommonOptions) => {
      const api = openApi(context, options)
      const all = await api.instruments()
      if (id === undefined) {
        context.out(options.json ? JSON.stringify(all, null, 2) : await overview(all, await api.state()))
        return
      }
      const one = findInstrument(all, id)
      context.out(options.json ? JSON.stringify(one, null, 2) : await particulars(one))
    })
}

/**
 * The instrument with an id.
 *
 * @throws CliError refused, naming those there are
 */
export function findInstrument(all: readonly InstrumentDescription[], id: string): InstrumentDescription {
  const found = all.find((instrument) => instrument.id === id)
  if (found) return found
  const known = all.map((instrument) => instrument.id).join(', ') || 'none yet; is a worker running?'
  throw new CliError('refused', `There is no instrument "${id}". There are: ${known}.`, {
    details: { code: 'UNKNOWN_INSTRUMENT' },
  })
}

async function overview(all: readonly InstrumentDescription[], state: StateDocument): Promise<string> {
  if (all.length === 0) return 'No instrument has been described yet. Is a worker running? (`golem status`)'
  const now = Date.parse(state.at)
  const holder = ({ id }: InstrumentDescription): string =>
    holderInWords(state.instruments[id]?.reservation ?? null, now)
  return table([
    ['instrument', 'label', 'group', 'model', 'host', 'address', 'reserved by'],
    ...all.map((one) => [
      one.id,
      one.label,
      one.group,
      one.model,
      one.host ?? 'any',
      one.address,
      holder(one),
    ]),
  ])
}

async function particulars(one: InstrumentDescription): Promise<string> {
  const parameters = Object.entries(one.parameters).map(([name, parameter]) => [
    name,
    parameter.label,
    takes(parameter),
    [parameter.readable ? 'read' : '', parameter.writable ? 'write' : ''].filter(Boolean).join(', '),
    parameter.note ?? '',
  ])
  const actions = Object.entries(one.actions).map(([name, action]) => [
    name,
    action.label,
    Object.entries(action.arguments)
      .map(([key, argument]) => `${key}=${takes(argument)}`)
      .join(' '),
    action.note ?? '',
  ])
  const parts = [`${one.id}: ${one.label} (${one.model}, ${one.address})`]
  if (parameters.length > 0) {
    parts.push(await table([['parameter', 'label', 'takes', 'access', 'note'], ...parameters]))
  }
  if (actions.length > 0) parts.push(await table([['action', 'label', 'arguments', 'note'], ...actions]))
  return parts.join('\n\n')
}

function takes(value: Pick<ParameterDescription, 'type' | 'unit' | 'min' | 'max' | 'choices'>): string {
  if (value.type === 'boolean') return 'on | off'
  if (value.type === 'choice') return (value.choices ?? []).join(' | ')
  if (value.type === 'text') return 'text'
  if (value.type === 'array') return 'numbers, e.g. 1,2,3'
  const unit = value.unit ? ` ${value.unit}` : ''
  if (value.min === undefined && value.max === undefined) return `number${unit}`
  return `${value.min ?? '…'} to ${value.max ?? '…'}${unit}`
}
