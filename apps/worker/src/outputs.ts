import { type InstrumentConfig, describeParameter } from '@golem/config'
import {
  type AnyParameterSpec,
  type Clock,
  type CommandTarget,
  type Driver,
  GolemError,
  type OutputState,
  RESET_COUNTERS,
  type Readings,
  type Value,
  defaultMatches,
  isFault,
  isoTime,
  messageOf,
} from '@golem/core'
import { type OutputStore, memoryFrom, monotonic } from './output-store.ts'
import { type OutputMemory, OutputWatch } from './output-watch.ts'

type OfInstruments = readonly { config: InstrumentConfig; driver: Driver }[]

/** The outputs of one link that have rules, with what its worker knows of them. */
export class LinkOutputs {
  readonly #store: OutputStore
  readonly #clock: Clock
  readonly #of = new Map<string, Outputs>()
  #written = -Infinity

  /** Takes up what was known when the link was last owned on this machine. @param clock - the site's */
  constructor(store: OutputStore, clock: Clock, instruments: OfInstruments) {
    this.#store = store
    this.#clock = clock
    const known = instruments.some(({ config }) => hasRules(config)) ? store.read(clock.now()) : undefined
    for (const { config, driver } of instruments) {
      const outputs = new Outputs(config, driver, {
        clock,
        known,
        save: () => this.save(),
      })
      this.#of.set(config.id, outputs)
    }
  }

  get isEmpty(): boolean {
    return [...this.#of.values()].every(({ watches }) => watches.size === 0)
  }

  of(instrument: string): Outputs {
    const outputs = this.#of.get(instrument)
    if (!outputs) throw new GolemError('INTERNAL', `${instrument} has no outputs on this link.`)
    return outputs
  }

  /** Writes what is known to the disk. @throws JOURNAL_FAILED */
  save(): void {
    const all = [...this.#of].flatMap(([id, { watches }]) =>
      [...watches].map(([name, { memory }]) => [`${id}.${name}`, memory] as const),
    )
    if (all.length === 0) return
    try {
      this.#store.write(Object.fromEntries(all), this.#clock.now())
    } catch (error) {
      throw new GolemError(
        'JOURNAL_FAILED',
        `What is known of its outputs is not kept: ${messageOf(error)}. Look at the disk.`,
        { cause: error },
      )
    }
    this.#written = monotonic()
    for (const outputs of this.#of.values()) outputs.changed = false
  }

  /** As `save`, where something has changed, or once in a while. @param everyMs */
  saveIfDue(everyMs: number): void {
    const changed = [...this.#of.values()].some((outputs) => outputs.changed)
    if (changed || monotonic() - this.#written > everyMs) this.save()
  }
}

/** What the site's log is told of an output, and under which kind of event. */
export interface OutputNews {
  kind: 'safe' | 'counter'
  message: string
}

/** The outputs of one instrument that have rules. */
export class Outputs {
  readonly watches: ReadonlyMap<string, OutputWatch>
  /** Something was switched that is not on the disk yet. */
  changed = false
  /** Is told of each write that was acknowledged, also of outputs without rules. */
  onWrote: (target: CommandTarget) => void = () => undefined
  /** What readings have shown and nobody has been told yet. */
  readonly #news: OutputNews[] = []
  readonly #clock: Clock
  readonly #save: () => void
  readonly #knownAt: number

  constructor(
    config: InstrumentConfig,
    driver: Driver,
    around: {
      clock: Clock
      known: { at: number; outputs: Record<string, OutputMemory> } | undefined
      save: () => void
    },
  ) {
    this.#clock = around.clock
    this.#save = around.save
    this.#knownAt = around.known?.at ?? -Infinity
    this.watches = new Map(
      Object.keys(config.parameters).flatMap((name) => {
        const watch = watchOf(
          config,
          driver,
          name,
          this.#iso(monotonic()),
          around.known?.outputs[`${config.id}.${name}`],
        )
        return watch ? [[name, watch] as const] : []
      }),
    )
  }

  /** Takes over what the last owner has published, where that is newer than what was known on this machine. */
  adopt(published: Readonly<Record<string, OutputState>>): void {
    for (const [name, watch] of this.watches) {
      const state = published[name]
      if (state && Date.parse(state.seenAt) > this.#knownAt) {
        watch.takeOver(memoryFrom(state, this.#clock.now()))
      }
    }
  }

  /** @throws OUTPUT_RULE when this must not be written now */
  judge(target: CommandTarget): void {
    const now = monotonic()
    for (const [watch, value] of this.#written(target)) watch.judge(value, now, (at) => this.#iso(at))
  }

  /** It is about to be sent. @throws JOURNAL_FAILED; then it must not be */
  writing(target: CommandTarget): void {
    const concerned = this.#written(target)
    if (concerned.length === 0) return
    for (const [watch, value] of concerned) watch.writing(value, monotonic())
    try {
      this.#save()
    } catch (error) {
      this.refused(target)
      throw error
    }
  }

  /** The instrument has acknowledged it. */
  wrote(target: CommandTarget): void {
    for (const [watch, value] of this.#written(target)) watch.wrote(value, monotonic())
    this.changed = true
    this.onWrote(target)
  }

  /** The instrument has said no to it. */
  refused(target: CommandTarget): void {
    for (const [watch] of this.#written(target)) watch.refused()
    this.changed = true
  }

  /** Takes readings. @param began - when reading them began, monotonic */
  read(found: Readings, began: number): void {
    for (const [name, watch] of this.watches) {
      const value = found[name]
      if (value === undefined || isFault(value)) continue
      const { on, kept } = watch.memory
      const news = watch.read(value, began, monotonic())
      if (news !== undefined) this.#news.push({ kind: 'safe', message: `rearm: ${name} ${news}` })
      this.changed ||= watch.memory.on !== on || watch.memory.kept !== kept
    }
  }

  /** Time has passed. @returns what is to be told of what has been used up, or has gone off by itself */
  tick(): OutputNews[] {
    const news = this.#news.splice(0)
    for (const [name, watch] of this.watches) {
      const gone = watch.tick(monotonic())
      if (gone !== undefined) news.push({ kind: 'safe', message: `rearm: ${name} ${gone}` })
      const used = watch.counter?.news()
      if (used !== undefined) news.push({ kind: 'counter', message: `${name}: ${used}` })
    }
    this.changed ||= news.length > 0
    return news
  }

  /** Begins to count anew. @param name - of an output, as `resetCounters` has it */
  resetCounters(name: Value | undefined): void {
    const counter = this.watches.get(String(name))?.counter
    if (!counter) throw new GolemError('UNKNOWN_NAME', `${String(name)} has no counter.`)
    counter.reset(this.#iso(monotonic()))
    this.#save()
  }

  /** Those that `maxOn` wants off. @param now - monotonic */
  overdue(now: number): (readonly [name: string, watch: OutputWatch, safe: Value])[] {
    return [...this.watches].flatMap(([name, watch]) =>
      watch.safe !== undefined && watch.offBy <= now ? [[name, watch, watch.safe] as const] : [],
    )
  }

  /** As they are published. @param shown - names of the parameters that are */
  states(shown: Readonly<Record<string, unknown>>): Record<string, OutputState> {
    const now = monotonic()
    return Object.fromEntries(
      [...this.watches]
        .filter(([name]) => Object.hasOwn(shown, name))
        .map(([name, { memory, offBy, heldUntil, counter }]): [string, OutputState] => [
          name,
          {
            on: memory.on,
            since: this.#iso(memory.since),
            countedFrom: this.#iso(memory.before),
            seenAt: this.#iso(memory.seen),
            ...(Number.isFinite(offBy) ? { offBy: this.#iso(offBy) } : {}),
            ...(heldUntil > now ? { heldUntil: this.#iso(heldUntil) } : {}),
            ...(memory.kept === undefined ? {} : { kept: memory.kept }),
            ...(counter ? { count: counter.count } : {}),
          },
        ]),
    )
  }

  /** What a command writes: a parameter, or those that an action sets by arguments of their names. */
  #written(target: CommandTarget): (readonly [OutputWatch, Value])[] {
    if ('action' in target && target.action === RESET_COUNTERS) return []
    const values = 'parameter' in target ? { [target.parameter]: target.value } : target.arguments
    return Object.entries(values).flatMap(([name, value]) => {
      const watch = this.watches.get(name)
      return watch ? [[watch, value] as const] : []
    })
  }

  #iso(at: number): string {
    return isoTime(Math.round(this.#clock.now() - (monotonic() - at)))
  }
}

/** Does the site demand something of one of its outputs? */
export function hasRules({ parameters }: InstrumentConfig): boolean {
  return Object.values(parameters).some(({ rules }) => rules !== undefined)
}

function watchOf(
  { id, parameters }: InstrumentConfig,
  driver: Driver,
  name: string,
  time: string,
  memory: OutputMemory | undefined,
): OutputWatch | undefined {
  const override = parameters[name]
  const spec: AnyParameterSpec | undefined = driver.parameters[name]
  if (!override?.rules || !spec) return undefined
  const { safe, readable, unit = '' } = describeParameter(spec, override)
  const matches = (wanted: Value, got: Value): boolean =>
    spec.matches ? spec.matches(wanted, got) : defaultMatches(wanted, got, spec.step)
  return new OutputWatch(
    { name: `${id}.${name}`, unit, rules: override.rules, safe, readable, matches, memory, time },
    monotonic(),
  )
}
