import type { Command } from 'commander'
import type { InstrumentDescription, InstrumentState, Reading } from '@golem/core'
import type { ApiClient } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable, readingInWords } from '../format.ts'
import { withApi } from '../options.ts'
import { findInstrument } from './list.ts'

/** `golem get`: readings of one instrument. */
export function get(program: Command, context: Context): Command {
  return withApi(program.command('get'))
    .description('shows readings with their age; exit code 1 when the one asked for is not good')
    .argument('<instrument[.parameter]>', 'an instrument, or one parameter of it')
    .addHelpText(
      'after',
      '\nExamples:\n  golem get chamber-relays\n  golem get gas.co2\n  golem get gas.co2 --json | jq .value',
    )
    .action(async (what: string, options: CommonOptions) => {
      const api = openApi(context, options)
      const [instrument, name] = splitTarget(what)
      const { description, state, now } = await lookUp(api, instrument)
      if (name === undefined) {
        context.out(options.json ? JSON.stringify(state, null, 2) : allReadings(description, state, now))
        return
      }
      const reading = readingOf(description, state, name)
      const words = readingInWords(reading, description.parameters[name], now)
      context.out(options.json ? JSON.stringify(reading) : printable(words))
      if (reading.quality !== 'good') {
        throw new CliError(
          'failed',
          `${what} has no good reading: ${reading.error ?? `it is ${reading.quality}`} (${description.id}: ${state.message}).`,
        )
      }
    })
}

/** `chamber-relays.relay0` in its two parts. */
export function splitTarget(text: string): [instrument: string, name: string | undefined] {
  const dot = text.indexOf('.')
  return dot === -1 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)]
}

async function lookUp(
  api: ApiClient,
  id: string,
): Promise<{ description: InstrumentDescription; state: InstrumentState; now: number }> {
  const [all, document] = await Promise.all([api.instruments(), api.state()])
  const description = findInstrument(all, id)
  const state = document.instruments[id]
  if (!state) {
    throw new CliError(
      'refused',
      `${id} is known, but no worker has told anything of it yet: see \`golem status\`.`,
    )
  }
  return { description, state, now: Date.parse(document.at) }
}

function readingOf(description: InstrumentDescription, state: InstrumentState, name: string): Reading {
  const reading = Object.hasOwn(state.readings, name) ? state.readings[name] : undefined
  if (reading) return reading
  if (Object.hasOwn(description.parameters, name)) {
    throw new CliError('failed', `${description.id}.${name} has not been read yet (${state.message}).`)
  }
  const known = Object.keys(description.parameters).join(', ')
  throw new CliError('refused', `${description.id} has no parameter "${name}". It has: ${known}.`, {
    details: { code: 'UNKNOWN_NAME' },
  })
}

function allReadings(description: InstrumentDescription, state: InstrumentState, now: number): string {
  const width = Math.max(0, ...Object.keys(state.readings).map((name) => name.length))
  const lines = Object.entries(state.readings).map(
    ([name, reading]) =>
      `  ${name.padEnd(width)}  ${readingInWords(reading, description.parameters[name], now)}`,
  )
  const head = `${description.id}: ${state.condition.toUpperCase()}, ${state.message}`
  return [head, ...lines].map((line) => printable(line)).join('\n')
}
