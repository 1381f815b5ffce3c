import { type Now, secondsInWords } from '@golem/alarms'
import type { Site } from '@golem/config'
import {
  type InterlockRecord,
  type OutputCount,
  type RunRecord,
  type Severity,
  type Snapshot,
  type WorkerRecord,
  timeInWords,
} from '@golem/core'
import type { SiteView } from '@golem/queue'
import type { AlarmBook } from './alarm-book.ts'
import { archiveAlarm, archiveAlarms } from './archive-alarms.ts'
import type { Definition } from './definition.ts'

/** An instrument that nobody has spoken to is missed after this time, in ms. */
const NEVER_SEEN_MS = 60_000
/** For how long a clock may not be trusted before somebody is called, in ms. */
const CLOCK_DELAY_MS = 60_000

/** What calls somebody although no rule of the site speaks of it. */
export class SystemAlarms {
  readonly #site: Site
  readonly #view: SiteView
  readonly #book: AlarmBook
  /** Ended runs that were dealt with. */
  readonly #runs: Set<string>
  #runsChanged = false
  #firstNow: Now | null = null

  /** @param runs - ids of ended runs that the leader before has dealt with */
  constructor(site: Site, view: SiteView, book: AlarmBook, runs: readonly string[]) {
    this.#site = site
    this.#view = view
    this.#book = book
    this.#runs = new Set(runs)
  }

  /** What an alarm of this kind is, when the leader before has left one; undefined: it is none of these. */
  definitionOf(id: string): Definition | undefined {
    const [kind = '', name = ''] = id.split('.')
    if (kind === 'interlock') {
      const interlock = id.slice('interlock.'.length)
      return interlockTripped(interlock, this.#view.interlocks.get(interlock)?.guidance)
    }
    if (kind === 'worker') return workerLost(id.slice('worker.'.length))
    if (RUN_ENDINGS.some((ending) => id === `run.${name}.${ending}`)) return runCalls(id)
    if (id === `notifier.${name}`) return notifierFails(name)
    if (id === 'archiver' || kind === 'archiver') return archiveAlarm(id)
    if (id === 'scheduler') return schedulerAway()
    if (id === 'clock') return clockNotTrusted()
    if (id === 'clock-step') return clockStepped()
    if (!this.#site.instruments.some((one) => one.id === kind)) return undefined
    if (id === `${kind}.lost`) return lost(kind, this.#site)
    if (id === `${kind}.powerReturn`) return powerReturned(kind)
    const counter = COUNTERS.find((one) => id === `${kind}.${name}.${one}`)
    return counter && usedUp(kind, name, counter)
  }

  /** Looks at workers, the archiver, instruments with their outputs, interlocks and runs. */
  look(now: Now): void {
    this.#firstNow ??= now
    this.#lookAtWorkers(now)
    const lookedForMs = now.ms - this.#firstNow.ms
    for (const [definition, found] of archiveAlarms(this.#site, this.#view, lookedForMs)) {
      this.#book.take(definition, { ...found, value: null }, now)
    }
    for (const { id, label } of this.#site.instruments) this.#lookAtInstrument(id, label, now)
    for (const record of this.#view.interlocks.values()) this.#lookAtInterlock(record, now)
    for (const run of this.#view.runs.values()) this.#lookAtRun(run, now)
    for (const id of this.#book.idsOf('run.')) this.#lookAtRunAlarm(id, now)
  }

  /** The list of runs that were dealt with, when it has changed. */
  takeRuns(): string[] | null {
    if (!this.#runsChanged) return null
    this.#runsChanged = false
    return [...this.#runs]
  }

  /** Nobody led for a time: said once, until somebody acknowledges it. */
  schedulerWasAway(before: string, next: string, awayMs: number, now: Now): void {
    const since = before === next ? 'it has begun anew' : `${next} leads now`
    const message = `Scheduler ${before} ended without a word, and ${since}: for ${secondsInWords(awayMs)} nobody looked after runs, schedules and alarms.`
    this.#happened(schedulerAway(), message, now)
  }

  notifier(name: string, error: string | null, now: Now): void {
    const message = `${name} can't be told of alarms: ${error ?? 'it works'}`
    this.#book.take(notifierFails(name), { so: error !== null, message, value: null }, now)
  }

  /** @param fault - why the site's clock is not trusted, or null @param jumpMs - by how much it was set, or 0 */
  clock(fault: string | null, jumpMs: number, now: Now): void {
    const message = fault ?? 'The clock is trusted.'
    this.#book.take(clockNotTrusted(), { so: fault !== null, message, value: null }, now)
    if (jumpMs === 0) return
    const by = secondsInWords(Math.abs(jumpMs))
    this.#happened(
      clockStepped(),
      `The site's clock was set ${jumpMs > 0 ? 'forward' : 'back'} by ${by}.`,
      now,
    )
  }

  /** What has happened, and is no state, is over as soon as somebody has acknowledged it. */
  settleHappened(now: Now): void {
    for (const definition of [schedulerAway(), clockStepped()]) {
      if (!this.#book.memoryOf(definition.id)?.acknowledged) continue
      this.#book.take(definition, { so: false, message: '', value: null }, now)
    }
  }

  /** Once more, also while the time before has not been acknowledged. */
  #happened(definition: Definition, message: string, now: Now): void {
    if (this.#book.memoryOf(definition.id)?.condition === 'active') {
      this.#book.take(definition, { so: false, message: '', value: null }, now)
    }
    this.#book.take(definition, { so: true, message, value: null }, now)
  }

  #lookAtWorkers(now: Now): void {
    const workers = [...this.#view.workers.values()]
    for (const worker of workers) {
      const silentMs = this.#silentMs(worker)
      const isLost = silentMs > this.#site.leaseMs && !workers.some((other) => this.#replaces(other, worker))
      const had = worker.links.length > 0 ? ` It had ${worker.links.join(', ')}.` : ''
      const message = `Worker ${worker.id} on ${worker.host} has not been heard of for ${secondsInWords(silentMs)} and has not ended in order.${had}`
      this.#book.take(workerLost(worker.id), { so: isLost, message, value: null }, now)
    }
    for (const id of this.#book.idsOf('worker.')) {
      if (this.#view.workers.has(id.slice('worker.'.length))) continue
      this.#book.take(workerLost(id.slice('worker.'.length)), { so: false, message: '', value: null }, now)
    }
  }

  #silentMs({ lastSeen }: WorkerRecord): number {
    return this.#view.now() - Date.parse(lastSeen)
  }

  /** Another one has been started on its machine since. */
  #replaces(other: WorkerRecord, worker: WorkerRecord): boolean {
    return (
      other.id !== worker.id &&
      other.host === worker.host &&
      Date.parse(other.startedAt) > Date.parse(worker.lastSeen) &&
      this.#silentMs(other) <= this.#site.leaseMs
    )
  }

  #lookAtInstrument(id: string, label: string, now: Now): void {
    const snapshot = this.#view.snapshots.get(id)
    for (const [name, { count }] of Object.entries(snapshot?.outputs ?? {})) {
      if (count) this.#lookAtCount(id, label, name, count, now)
    }
    const worker = snapshot?.owner ? this.#view.workers.get(snapshot.owner) : undefined
    const definition = lost(id, this.#site)
    if (!snapshot) {
      const sinceMs = now.ms - (this.#firstNow?.ms ?? now.ms)
      const message = `Nobody has spoken to ${label} yet. Is a worker running on its host?`
      this.#book.take(definition, { so: sinceMs > NEVER_SEEN_MS, message, value: null }, now)
      return
    }
    this.#lookAtPowerReturn(label, snapshot, now)
    // Of its worker's loss another alarm tells, once for all instruments it had.
    if (worker && this.#silentMs(worker) > this.#site.leaseMs) return
    const { condition, message, conditionSince } = snapshot
    const sinceMs = this.#view.now() - Date.parse(conditionSince)
    const isOwnerless = condition !== 'stopped' && !worker && sinceMs > this.#site.leaseMs
    const so = condition === 'lost' || isOwnerless || (condition === 'connecting' && sinceMs > NEVER_SEEN_MS)
    const why = isOwnerless ? 'No worker has it.' : message
    this.#book.take(definition, { so, message: `${label} is lost. ${why}`, value: null }, now)
  }

  /** Open until somebody has said which values win. */
  #lookAtPowerReturn(label: string, { id, powerReturn }: Snapshot, now: Now): void {
    const names = (powerReturn?.differences ?? []).map(({ parameter }) => parameter).join(', ')
    const message = `${label} was without power, and ${names} is no longer as before: which values win?`
    this.#book.take(powerReturned(id), { so: powerReturn !== undefined, message, value: null }, now)
  }

  #lookAtCount(id: string, label: string, name: string, count: OutputCount, now: Now): void {
    const { level, onTimeS, cycles, litres, since } = count
    const used = `${secondsInWords(onTimeS * 1000)} on, switched on ${cycles} times${litres === undefined ? '' : `, ${litres.toFixed(1)} l`}`
    for (const counter of COUNTERS) {
      const so = level === 'limit' || (level === 'warn' && counter === 'counter')
      const what = counter === 'counter' ? 'will soon have' : 'has'
      const message = `${label}: ${name} ${what} used up what it may: ${used} since ${timeInWords(since)}.`
      this.#book.take(usedUp(id, name, counter), { so, message, value: null }, now)
    }
  }

  #lookAtInterlock({ name, tripped, guidance }: InterlockRecord, now: Now): void {
    const message = `Interlock ${name} has tripped: ${tripped?.message ?? ''}`
    const definition = interlockTripped(name, guidance)
    this.#book.take(definition, { so: tripped !== null, message, value: null }, now)
  }

  #lookAtRun({ id, label, state, end, message, heldByPolicy }: RunRecord, now: Now): void {
    const waits = [
      { ending: 'asks', so: state === 'asking', what: 'wants to be told how to go on' },
      { ending: 'held', so: state === 'paused' && heldByPolicy === true, what: 'was paused, and by nobody' },
    ]
    for (const { ending, so, what } of waits) {
      const definition = runCalls(`run.${id}.${ending}`)
      if (!so && !this.#book.has(definition.id)) continue
      const words = `Run ${id} of ${label} ${what}: ${message}`
      this.#book.take(definition, { so, message: words, value: null }, now)
    }
    if (state !== 'ended' || this.#runs.has(id)) return
    this.#runs.add(id)
    this.#runsChanged = true
    const isBad = end === 'failed' || (end === 'aborted' && !message.startsWith('Aborted by '))
    if (!isBad) return
    const words = `Run ${id} of ${label} ${end === 'failed' ? 'has failed' : 'was aborted'}: ${message}`
    this.#book.take(runCalls(`run.${id}.failed`), { so: true, message: words, value: null }, now)
  }

  /** What has failed stays so: it is over when somebody has acknowledged it, or the run is forgotten. */
  #lookAtRunAlarm(id: string, now: Now): void {
    const run = id.split('.')[1] ?? ''
    const memory = this.#book.memoryOf(id)
    const isGone = !this.#view.runs.has(run)
    if (isGone) {
      this.#runsChanged = this.#runs.delete(run) || this.#runsChanged
      this.#book.forget(id, 'the run is forgotten')
    } else if (id.endsWith('.failed') && memory?.acknowledged) {
      this.#book.take(runCalls(id), { so: false, message: '', value: null }, now)
    }
  }
}

const AT_ONCE = { delayMs: 0, offDelayMs: 0, latch: false }

function system(
  id: string,
  severity: Severity,
  guidance: string,
  more: Partial<Definition> = {},
): Definition {
  return { id, severity, guidance, manner: AT_ONCE, inhibitDuring: [], ...more }
}

function lost(id: string, { leaseMs }: Site): Definition {
  return system(`${id}.lost`, 'warning', 'Look at its power, its cable and its address.', {
    instrument: id,
    manner: { ...AT_ONCE, delayMs: leaseMs },
  })
}

/** What tells that an output is about to wear out, and that it has. */
const COUNTERS = ['counter', 'counterLimit'] as const

function usedUp(instrument: string, parameter: string, counter: (typeof COUNTERS)[number]): Definition {
  const guidance = 'Replace or refill it, then reset its counters.'
  return system(`${instrument}.${parameter}.${counter}`, 'warning', guidance, { instrument })
}

function interlockTripped(name: string, guidance = 'Look what has made it trip, then reset it.'): Definition {
  return system(`interlock.${name}`, 'critical', guidance)
}

function workerLost(id: string): Definition {
  return system(
    `worker.${id}`,
    'critical',
    'Its instruments are neither read nor commanded unless another worker has taken them over. Look at the machine and at the log of its worker.',
  )
}

/** What the alarms of a run end in. */
const RUN_ENDINGS = ['failed', 'asks', 'held'] as const

function runCalls(id: string): Definition {
  if (id.endsWith('.asks')) return system(id, 'critical', 'Look at the run and choose how it goes on.')
  return id.endsWith('.held')
    ? system(id, 'critical', 'Look at the run and its instruments, then resume, stop or abort it.')
    : system(id, 'critical', 'Look at the run, its instruments and the log, and start it anew.')
}

function powerReturned(instrument: string): Definition {
  const guidance = 'Say on its page which values win: those it has now, those from before, or the safe ones.'
  return system(`${instrument}.powerReturn`, 'critical', guidance, { instrument })
}

function notifierFails(name: string): Definition {
  return system(`notifier.${name}`, 'critical', 'Look at "notify" in site.yaml and at the server it uses.')
}

function schedulerAway(): Definition {
  return system('scheduler', 'warning', 'Look at the log of the scheduler that ended.')
}

function clockNotTrusted(): Definition {
  return system(
    'clock',
    'warning',
    'Calendar times wait for it. Have all machines set their clocks by the same time server.',
    {
      manner: { ...AT_ONCE, delayMs: CLOCK_DELAY_MS },
    },
  )
}

function clockStepped(): Definition {
  return system('clock-step', 'warning', 'Times in the log from before and after do not fit together.')
}
