import {
  type AlarmMemory,
  type Calling,
  type Now,
  type Turn,
  acknowledge,
  advance,
  isWorthKeeping,
} from '@golem/alarms'
import { type AlarmRecord, type RunRecord, type Value, isoTime } from '@golem/core'
import type { SchedulerWrite, SiteView } from '@golem/queue'
import { type Definition, inhibitedBy, runsThatGoOn } from './definition.ts'

/** How serious the log calls what an alarm of this severity says. */
const LEVELS = { info: 'notice', warning: 'warning', critical: 'critical' } as const
/** Under which names alarms are remembered. */
const NAME = 'alarm:'

interface Entry {
  definition: Definition
  memory: AlarmMemory
  /** As pages see it; null: not at all. */
  record: AlarmRecord | null
  /** The same as it was last written. */
  written: string
}

/** All alarms of the site: how they are, and what of that is not written yet. */
export class AlarmBook {
  readonly #view: SiteView
  readonly #entries = new Map<string, Entry>()
  /** Ids of those that have changed. */
  readonly #dirty = new Set<string>()
  #events: SchedulerWrite[] = []

  constructor(view: SiteView) {
    this.#view = view
  }

  /** How an alarm was when the leader before wrote it. */
  static remembered(remembered: ReadonlyMap<string, unknown>): Map<string, AlarmMemory> {
    const found = new Map<string, AlarmMemory>()
    for (const [name, value] of remembered) {
      if (name.startsWith(NAME)) found.set(name.slice(NAME.length), value as AlarmMemory)
    }
    return found
  }

  /** Goes on with an alarm of the leader before. */
  restore(definition: Definition, before: AlarmMemory, now: Now): void {
    // After a step of the clock back the leader before seems to have written in times to come.
    const memory = { ...before, raisedAt: Math.min(before.raisedAt, now.ms) }
    const entry: Entry = { definition, memory, record: null, written: '' }
    this.#entries.set(definition.id, entry)
    this.#refresh(entry)
    this.#dirty.add(definition.id)
  }

  /** Nobody watches it any more: it was taken out of the site file, or what it was about is gone. */
  forget(id: string, why: string): void {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    this.#dirty.add(id)
    if (entry && entry.memory.condition === 'normal') return
    this.#events.push({
      op: 'event',
      kind: 'alarm',
      message: `${id} is no longer watched: ${why}`,
      data: { alarm: id },
    })
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  memoryOf(id: string): AlarmMemory | undefined {
    return this.#entries.get(id)?.memory
  }

  /** Ids of the alarms that begin so. */
  idsOf(prefix: string): string[] {
    return [...this.#entries.keys()].filter((id) => id.startsWith(prefix))
  }

  /** All that are not normal. */
  calling(): Calling[] {
    const calling: Calling[] = []
    for (const { record, memory } of this.#entries.values()) {
      if (record) calling.push({ record, raisedAt: memory.raisedAt })
    }
    return calling
  }

  /** Takes in what is so now. */
  take(
    definition: Definition,
    facts: { so: boolean | null; message: string; value: Value | null },
    now: Now,
  ): void {
    let entry = this.#entries.get(definition.id)
    const { memory, turn } = advance(entry?.memory, definition.manner, facts, now)
    if (memory === entry?.memory) return
    if (!entry) {
      if (!isWorthKeeping(memory)) return
      entry = { definition, memory, record: null, written: '' }
      this.#entries.set(definition.id, entry)
    }
    this.#change({ ...entry, definition }, memory, turn)
  }

  /** @returns what has to be written with it; undefined: there is no such alarm, or it is normal */
  acknowledge(id: string, by: string, note: string, at: number): SchedulerWrite[] | undefined {
    const entry = this.#entries.get(id)
    const next = entry && acknowledge(entry.memory, { by, at, note })
    if (!entry || !next) return undefined
    const said = note === '' ? '' : `: ${note}`
    this.#change(entry, next.memory, null)
    const { instrument } = entry.definition
    return [
      ...this.#writesOf(id),
      {
        op: 'event',
        kind: 'alarm',
        ...(instrument === undefined ? {} : { instrument }),
        by,
        data: { alarm: id, severity: entry.definition.severity },
        message: `${id} acknowledged by ${by}${said}${next.turn === 'settled' ? ' (it was over)' : ''}`,
      },
    ]
  }

  /** Looks whether a run inhibits alarms that are not normal. */
  refresh(): void {
    const runs = runsThatGoOn(this.#view)
    for (const entry of this.#entries.values()) {
      if (entry.record) this.#refresh(entry, runs)
    }
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#events.length > 0
  }

  /** What is to be written, at most of so many alarms; it counts as written from now on. */
  drain(most: number): SchedulerWrite[] {
    const ids = [...this.#dirty].slice(0, most)
    const writes = ids.flatMap((id) => this.#writesOf(id))
    writes.push(...this.#events)
    this.#events = []
    for (const id of ids) this.#dirty.delete(id)
    return writes
  }

  #change(entry: Entry, memory: AlarmMemory, turn: Turn): void {
    const { definition } = entry
    const next = { ...entry, memory }
    this.#entries.set(definition.id, next)
    this.#dirty.add(definition.id)
    this.#refresh(next)
    if (turn === null) return
    const { instrument, id, severity } = definition
    const often = memory.count > 1 ? ` (${memory.count} times)` : ''
    const said = {
      raised: `${id} active, ${severity}: ${memory.message}${often}`,
      returned: `${id} is over, and waits for somebody to acknowledge it`,
      settled: `${id} is over`,
    }[turn]
    this.#events.push({
      op: 'event',
      kind: 'alarm',
      ...(instrument === undefined ? {} : { instrument }),
      ...(turn === 'raised' ? { level: LEVELS[severity] } : {}),
      data: { alarm: id, severity },
      message: said,
    })
  }

  #refresh(entry: Entry, runs: readonly RunRecord[] = runsThatGoOn(this.#view)): void {
    const record = recordOf(entry, inhibitedBy(entry.definition, runs))
    if (JSON.stringify(record) === JSON.stringify(entry.record)) return
    entry.record = record
    this.#dirty.add(entry.definition.id)
  }

  #writesOf(id: string): SchedulerWrite[] {
    const entry = this.#entries.get(id)
    const name = `${NAME}${id}`
    if (!entry) {
      return [
        { op: 'remember', name, value: null },
        { op: 'record', table: 'alarm', id, value: null },
      ]
    }
    const { memory, record } = entry
    const shown = JSON.stringify(record)
    const isShownSo = shown === entry.written
    entry.written = shown
    return [
      { op: 'remember', name, value: isWorthKeeping(memory) ? memory : null },
      ...(isShownSo ? [] : [{ op: 'record' as const, table: 'alarm' as const, id, value: record }]),
    ]
  }
}

function recordOf({ definition, memory }: Entry, inhibited: string | undefined): AlarmRecord | null {
  if (memory.condition === 'normal') return null
  const { id, instrument, parameter, severity, guidance } = definition
  const { acknowledged, returnedAt } = memory
  return {
    id,
    ...(instrument === undefined ? {} : { instrument }),
    ...(parameter === undefined ? {} : { parameter }),
    severity,
    condition: memory.condition,
    message: memory.message,
    ...(guidance === undefined ? {} : { guidance }),
    ...(parameter === undefined ? {} : { value: memory.value }),
    since: isoTime(memory.since),
    ...(returnedAt === null ? {} : { returnedAt: isoTime(returnedAt) }),
    acknowledged: acknowledged === null ? null : { ...acknowledged, at: isoTime(acknowledged.at) },
    ...(inhibited === undefined ? {} : { inhibited }),
    count: memory.count,
  }
}
