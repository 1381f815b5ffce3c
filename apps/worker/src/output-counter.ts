import type { CountLevel, CountRules, OutputCount } from '@golem/core'

/** What an output has used up. */
export interface CountMemory {
  onMs: number
  cycles: number
  /** Its time on is in `onMs` up to here, by the monotonic clock. */
  countedTo: number
  /** When the counting began, ISO 8601 UTC. */
  since: string
  /** What people have been told already. */
  told: CountLevel
}

const LEVELS: readonly CountLevel[] = ['ok', 'warn', 'limit']

/** Counts how long an output was on, and how often it was switched on. Without I/O; times are monotonic, in ms. */
export class OutputCounter {
  readonly rules: CountRules
  memory: CountMemory

  /** @param memory - what had been counted before */
  constructor(rules: CountRules, memory: CountMemory) {
    this.rules = rules
    this.memory = memory
  }

  /** It went on. */
  switchedOn(at: number): void {
    this.memory = { ...this.memory, cycles: this.memory.cycles + 1, countedTo: at }
  }

  /** It is on, and nobody knows since when. */
  foundOn(at: number): void {
    this.memory = { ...this.memory, countedTo: at }
  }

  /** It was on up to here. */
  onUntil(at: number): void {
    const { onMs, countedTo } = this.memory
    this.memory = {
      ...this.memory,
      onMs: onMs + Math.max(0, at - countedTo),
      countedTo: Math.max(at, countedTo),
    }
  }

  /** @param since - the time, ISO 8601 UTC */
  reset(since: string): void {
    this.memory = { ...this.memory, onMs: 0, cycles: 0, since, told: 'ok' }
  }

  get litres(): number {
    return ((this.rules.volume?.litresPerMinute ?? 0) * this.memory.onMs) / 60_000
  }

  /** The worst of what is counted. */
  get level(): CountLevel {
    const { onTime, cycles, volume } = this.rules
    const levels = [
      levelOf(this.memory.onMs, onTime?.limitMs, onTime?.warnAtMs),
      levelOf(this.memory.cycles, cycles?.limit, cycles?.warnAt),
      levelOf(this.litres, volume?.limit, volume?.warnAt),
    ]
    return LEVELS.findLast((level) => levels.includes(level)) ?? 'ok'
  }

  get count(): OutputCount {
    const { onMs, cycles, since } = this.memory
    return {
      onTimeS: Math.floor(onMs / 1000),
      cycles,
      ...(this.rules.volume ? { litres: Math.round(this.litres * 1000) / 1000 } : {}),
      since,
      level: this.level,
    }
  }

  /** What is to be told now, once for each level; undefined: nothing new. */
  news(): string | undefined {
    const { level } = this
    if (LEVELS.indexOf(level) <= LEVELS.indexOf(this.memory.told)) return undefined
    this.memory = { ...this.memory, told: level }
    const reached = level === 'limit' ? 'a limit is reached' : 'a limit is near'
    const refused =
      level === 'limit' && this.rules.atLimit === 'refuse'
        ? '; it is not switched on again until it is reset'
        : ''
    return `${reached}: ${this.inWords()}${refused}`
  }

  inWords(): string {
    const { onTime, cycles, volume } = this.rules
    const hours = (ms: number): string => `${Math.round(ms / 36_000) / 100} h`
    const of = (limit: string | undefined): string => (limit === undefined ? '' : ` of ${limit}`)
    return [
      onTime &&
        `on for ${hours(this.memory.onMs)}${of((onTime.limitMs && hours(onTime.limitMs)) || undefined)}`,
      cycles && `switched on ${this.memory.cycles}${of(cycles.limit?.toString())} times`,
      volume && `${Math.round(this.litres * 100) / 100}${of(volume.limit?.toString())} l`,
    ]
      .filter((part) => part !== undefined)
      .join(', ')
  }
}

function levelOf(value: number, limit = Infinity, warnAt = Infinity): CountLevel {
  return value >= limit ? 'limit' : value >= warnAt ? 'warn' : 'ok'
}
