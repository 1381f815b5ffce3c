import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { InstrumentDescription, InstrumentState, StateDocument } from '@golem/core'
import { type ApiClient } from '../client.ts'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable, valueInWords } from '../format.ts'
import { seconds, withApi } from '../options.ts'
import { findInstrument } from './list.ts'

interface WatchOptions extends CommonOptions {
  every: number
  for?: number
}

/** `golem watch`: prints changes as they come. */
export function watch(program: Command, context: Context): Command {
  return withApi(program.command('watch'))
    .description('prints each change of readings, conditions and commands; ends with Ctrl-C')
    .argument('[instruments...]', 'ids (default: all)')
    .option('--every <s>', 'how often to ask', seconds, 1)
    .option('--for <s>', 'end after this time', seconds)
    .addHelpText(
      'after',
      '\nIt goes on by itself when the server was away.\n\nExamples:\n  golem watch\n  golem watch gas chamber-relays --every 0.5\n  golem watch --json | tee changes.jsonl',
    )
    .action(async (ids: string[], options: WatchOptions) => {
      const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for * 1000)]
      const signal = AbortSignal.any([context.signal, ...limit])
      const api = openApi({ ...context, signal }, options)
      await new Watcher({ context, api, ids, options, signal }).run()
    })
}

/** One change, as `--json` prints it. */
interface Change {
  at: string
  instrument?: string
  what: 'condition' | 'reading' | 'command' | 'stop' | 'server'
  name?: string
  value?: unknown
  quality?: string
  message: string
}

class Watcher {
  readonly #context: Context
  readonly #api: ApiClient
  readonly #ids: readonly string[]
  readonly #options: WatchOptions
  readonly #signal: AbortSignal
  #descriptions = new Map<string, InstrumentDescription>()
  readonly #last = new Map<string, InstrumentState>()
  #stop = ''
  #cursor: string | undefined
  #awaySince: string | null = null

  constructor(parts: {
    context: Context
    api: ApiClient
    ids: readonly string[]
    options: WatchOptions
    signal: AbortSignal
  }) {
    this.#context = parts.context
    this.#api = parts.api
    this.#ids = parts.ids
    this.#options = parts.options
    this.#signal = parts.signal
  }

  async run(): Promise<void> {
    // The first answer is waited for: a wrong address or id is told at once instead of watched for ever.
    const all = await this.#api.instruments()
    for (const id of this.#ids) findInstrument(all, id)
    this.#remember(all)
    while (!this.#signal.aborted) {
      await this.#round()
      // Ended early by Ctrl-C or --for.
      await sleep(this.#options.every * 1000, undefined, { signal: this.#signal }).catch(() => undefined)
    }
  }

  async #round(): Promise<void> {
    let document: StateDocument
    try {
      document = await this.#api.state(this.#cursor)
      if (
        this.#awaySince !== null ||
        Object.keys(document.instruments).some((id) => !this.#descriptions.has(id))
      ) {
        this.#remember(await this.#api.instruments())
      }
    } catch (error) {
      if (this.#signal.aborted) return
      if (!(error instanceof CliError)) throw error
      this.#away(error)
      return
    }
    if (this.#awaySince !== null) {
      this.#print({ at: document.at, what: 'server', message: `${this.#api.url} answers again` })
      this.#awaySince = null
    }
    this.#cursor = document.cursor
    this.#show(document)
  }

  #remember(all: readonly InstrumentDescription[]): void {
    this.#descriptions = new Map(all.map((one) => [one.id, one]))
  }

  #away(error: CliError): void {
    if (this.#awaySince !== null) return
    this.#awaySince = new Date().toISOString()
    // After its return everything is read anew; only what differs is printed.
    this.#cursor = undefined
    this.#print({ at: this.#awaySince, what: 'server', message: `${error.message} Trying again.` })
  }

  #show(document: StateDocument): void {
    const stop = JSON.stringify(document.stop)
    if (
      stop !== this.#stop &&
      (this.#stop !== '' || document.stop.site || Object.keys(document.stop.instruments).length > 0)
    ) {
      this.#print({ at: document.at, what: 'stop', message: stopInWords(document.stop) })
    }
    this.#stop = stop
    for (const [id, now] of Object.entries(document.instruments)) {
      if (this.#ids.length > 0 && !this.#ids.includes(id)) continue
      for (const change of changesOf(id, this.#last.get(id), now, this.#descriptions.get(id))) {
        this.#print({ ...change, at: change.at || document.at })
      }
      this.#last.set(id, now)
    }
  }

  #print(change: Change): void {
    if (this.#options.json) {
      this.#context.out(JSON.stringify(change))
      return
    }
    const line = [change.at, change.instrument ?? '-', change.message].join('  ')
    const write = change.what === 'server' ? this.#context.err : this.#context.out
    write(printable(line))
  }
}

function stopInWords(stop: StateDocument['stop']): string {
  if (stop.site) return `EMERGENCY STOP of everything by ${stop.site.by}: ${stop.site.reason}`
  const ids = Object.keys(stop.instruments)
  return ids.length === 0 ? 'no stop is in force any more' : `EMERGENCY STOP of ${ids.join(', ')}`
}

/** What differs between two states of an instrument. */
function changesOf(
  instrument: string,
  before: InstrumentState | undefined,
  now: InstrumentState,
  description: InstrumentDescription | undefined,
): Change[] {
  const changes: Change[] = []
  if (before?.condition !== now.condition) {
    changes.push({
      at: now.conditionSince,
      instrument,
      what: 'condition',
      value: now.condition,
      message: `${now.condition.toUpperCase()}: ${now.message}`,
    })
  }
  for (const [name, reading] of Object.entries(now.readings)) {
    const old = before?.readings[name]
    if (old && old.value === reading.value && old.quality === reading.quality) continue
    const quality =
      reading.quality === 'good'
        ? ''
        : `  ${reading.quality.toUpperCase()}${reading.error ? `: ${reading.error}` : ''}`
    changes.push({
      at: reading.at ?? '',
      instrument,
      what: 'reading',
      name,
      value: reading.value,
      quality: reading.quality,
      message: `${name} = ${valueInWords(reading.value, description?.parameters[name])}${quality}`,
    })
  }
  const ended = now.queue.last
  if (before && ended && ended.id !== before.queue.last?.id) {
    changes.push({
      at: ended.endedAt ?? '',
      instrument,
      what: 'command',
      value: ended,
      message: `command ${ended.exchange ?? ended.action ?? `${ended.parameter} = ${String(ended.value)}`} by ${ended.by}: ${ended.outcome}${ended.message ? ` (${ended.message})` : ''}`,
    })
  }
  return changes
}
