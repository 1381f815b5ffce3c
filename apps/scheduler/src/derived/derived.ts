import { Deriver, type Input } from '@golem/calibration'
import type { DerivedConfig } from '@golem/config'
import { type Reading, type Snapshot, isoTime, messageOf } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import type { Part, PartContext } from '../part.ts'
import { describeDerived, EVERY_MS } from './describe.ts'
import { DerivedSamples } from './samples.ts'

/** What a derived reading may be late beyond its sources before it is stale, in ms. */
const LATE_MS = 2 * EVERY_MS
const DEFAULT_STALE_MS = 10_000

interface Derived {
  config: DerivedConfig
  derivers: ReadonlyMap<string, Deriver>
  snapshot: Snapshot
}

/** Computes the derived readings of the site, and publishes them as instruments of their own. */
export class DerivedPart implements Part {
  readonly #context: PartContext
  readonly #instruments: readonly Derived[]
  readonly #samples = new DerivedSamples()
  #timer: NodeJS.Timeout | undefined
  #writing = false

  constructor(context: PartContext) {
    this.#context = context
    this.#instruments = context.site.derived.map((config) => ({
      config,
      derivers: new Map(
        Object.entries(config.parameters).map(([name, { derivation, factor }]) => [
          name,
          new Deriver(derivation, factor),
        ]),
      ),
      snapshot: this.#begun(config),
    }))
  }

  async begin(): Promise<void> {
    const { client, site } = this.#context
    const known = new Set(site.derived.map(({ id }) => id))
    const gone = [...client.site.view.descriptions.values()].filter(
      ({ id, kind, address }) => kind === 'derived' && address === '' && !known.has(id),
    )
    const writes: SchedulerWrite[] = [
      ...gone.flatMap(({ id }): SchedulerWrite[] => [
        { op: 'record', table: 'description', id, value: null },
        { op: 'record', table: 'snapshot', id, value: null },
      ]),
      ...this.#described(),
    ]
    if (writes.length > 0) await client.write(writes)
    if (this.#instruments.length === 0) return
    this.#timer = setInterval(() => void this.#tick(), EVERY_MS)
    await this.#tick()
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #described(): SchedulerWrite[] {
    return this.#instruments.map(({ config }) => ({
      op: 'record',
      table: 'description',
      id: config.id,
      value: describeDerived(config),
    }))
  }

  async #tick(): Promise<void> {
    const { client, log, site } = this.#context
    // Computed also while nothing can be written: the windows go on.
    const writes = this.#instruments.flatMap((one) => this.#compute(one))
    const samples = this.#samples.waiting
    if (this.#writing || !client.leads) return
    this.#writing = true
    try {
      const max = site.archive?.stream ?? 0
      await client.write([...writes, ...samples.map((sample) => ({ op: 'sample', sample, max }) as const)])
      this.#samples.written(samples)
    } catch (error) {
      log.debug(`derived readings are not written: ${messageOf(error)}`)
    } finally {
      this.#writing = false
    }
  }

  #compute(one: Derived): SchedulerWrite[] {
    const { config, derivers } = one
    const { view } = this.#context.client.site
    const now = isoTime(this.#context.client.clock.now())
    const readings: Record<string, Reading> = { ...one.snapshot.readings }
    let staleAfterMs = 0
    for (const [name, { from }] of Object.entries(config.parameters)) {
      const inputs = from.map(({ instrument, parameter }): Input => {
        const label = `${instrument}.${parameter}`
        if (instrument === config.id) return { label, reading: readings[parameter] }
        const source = view.snapshots.get(instrument)
        staleAfterMs = Math.max(staleAfterMs, source ? staleAfterOf(source, parameter) : 0)
        return { label, reading: source && this.#honest(source, parameter) }
      })
      const reading = derivers.get(name)?.read(inputs)
      if (reading) readings[name] = reading
    }
    const bad = Object.entries(readings).filter(([, { quality }]) => quality !== 'good')
    // At the beginning each window has to fill; that is nothing anybody has to see to.
    const isWell = bad.every(([name]) => derivers.get(name)?.isFilling)
    const condition = isWell ? 'ok' : 'degraded'
    const isChanged = condition !== one.snapshot.condition
    one.snapshot = {
      ...one.snapshot,
      condition,
      conditionSince: isChanged ? now : one.snapshot.conditionSince,
      message:
        bad.length === 0 ? 'It is computed.' : `No good value of ${bad.map(([name]) => name).join(', ')}.`,
      writtenAt: now,
      seenAt: now,
      staleAfterMs: (staleAfterMs || DEFAULT_STALE_MS) + LATE_MS,
      readings,
    }
    if (this.#context.site.archive) this.#samples.take(one.snapshot, Date.parse(now))
    const writes: SchedulerWrite[] = [{ op: 'record', table: 'snapshot', id: config.id, value: one.snapshot }]
    // Redis may have been emptied meanwhile.
    if (!view.descriptions.has(config.id)) {
      writes.push({ op: 'record', table: 'description', id: config.id, value: describeDerived(config) })
    }
    return writes
  }

  /** A reading as it may be said to be now: its worker may have died since. */
  #honest(source: Snapshot, parameter: string): Reading | undefined {
    const reading = source.readings[parameter]
    if (reading?.quality !== 'good' || reading.at === null) return reading
    const ageMs = this.#context.client.clock.now() - Date.parse(reading.at)
    const staleAfterMs = staleAfterOf(source, parameter)
    if (ageMs <= staleAfterMs) return reading
    return { ...reading, quality: 'stale', error: `Not read for more than ${staleAfterMs / 1000} s.` }
  }

  #begun({ id, parameters }: DerivedConfig): Snapshot {
    const now = isoTime(this.#context.client.clock.now())
    return {
      id,
      condition: 'connecting',
      conditionSince: now,
      message: 'Not computed yet.',
      writtenAt: now,
      owner: this.#context.scheduler,
      seenAt: null,
      staleAfterMs: DEFAULT_STALE_MS,
      readings: Object.fromEntries(
        Object.keys(parameters).map((name) => [name, { value: null, at: null, quality: 'stale' }]),
      ),
    }
  }
}

function staleAfterOf(source: Snapshot, parameter: string): number {
  return source.staleAfterMsOf?.[parameter] ?? source.staleAfterMs
}
