import type { Clock } from '@golem/core'
import { follow } from './chamber.ts'
import type { Sba5Spec } from './device.ts'
import {
  configurationLine,
  FACTORY_SETTINGS,
  isSingle,
  type Sba5Settings,
  settingChange,
  ZERO_SECONDS,
} from './sba5-settings.ts'
import type { Probe, Stand } from './stand.ts'

/** What one command led to. */
export interface Sba5Answer {
  /** Lines to be sent, without CR LF. */
  lines: string[]
  acted: boolean
  understood: boolean
}

type Phase =
  | { kind: 'off' }
  | { kind: 'warming'; since: number }
  | { kind: 'zeroing'; step: number; of: number; stepMs: number }
  | { kind: 'measuring' }

/** Zero counts of a clean cell, and how strongly CO2 darkens it (from a sample line: 501 ppm, 50885 to 48094). */
const ZERO_COUNTS = 50_885
const DARK_COUNTS = 120
const ABSORPTION = 1.126e-4
const PRESSURE_MBAR = 829
const AMBIENT = 25
/** The detector follows its air with 66 % in 3.5 s; the oven its set point more slowly. */
const CELL_RATE = 1 / 3.25
const OVEN_RATE = 1 / 20
/** Seconds between the lines that tell the progress of a zero, on a real one. */
const ZERO_LINE_SECONDS = 0.84
const WARM_UP_LINE_MS = 1000

/** Status in words, as continuous display gives it; the exact texts are not documented. */
const STATUS_TEXT = [
  'None',
  'Zero counts low',
  'IRGA temperature low',
  'IRGA temperature high',
  'CO2 below limit',
] as const

/** The SBA-5 itself, without its line: settings, warm-up, zeros, measurements. */
export class Sba5Analyser {
  readonly #spec: Sba5Spec
  readonly #stand: Stand
  readonly #clock: Clock
  readonly #probe: Probe
  readonly #emit: (line: string) => void
  #saved: Sba5Settings = FACTORY_SETTINGS
  #settings: Sba5Settings = FACTORY_SETTINGS
  #phase: Phase = { kind: 'off' }
  #continuous = false
  #zeroCounts = ZERO_COUNTS
  #cell: number | null = null
  #oven = AMBIENT
  #sampledAt = 0
  #tick: NodeJS.Timeout | undefined
  #zeroTimer: NodeJS.Timeout | undefined
  /** Minutes to the next of the progressive zeros after power-up. */
  #progressive = 0

  /** @param emit - takes the lines that nobody asked for */
  constructor(spec: Sba5Spec, stand: Stand, clock: Clock, emit: (line: string) => void) {
    this.#spec = spec
    this.#stand = stand
    this.#clock = clock
    this.#probe = spec.probe ?? 'experiment.co2'
    this.#emit = emit
  }

  powerOn(): void {
    this.#settings = this.#saved
    this.#continuous = this.#spec.continuous ?? false
    this.#oven = AMBIENT
    this.#cell = null
    this.#sampledAt = this.#clock.now()
    this.#progressive = this.#settings.zeroMinutes > 0 ? 2 : 0
    this.#phase = { kind: 'warming', since: this.#clock.now() }
    this.#warm()
  }

  powerOff(): void {
    clearTimeout(this.#tick)
    clearTimeout(this.#zeroTimer)
    this.#phase = { kind: 'off' }
  }

  state(): Record<string, unknown> {
    return { phase: this.#phase.kind, continuous: this.#continuous, settings: { ...this.#settings } }
  }

  /** Which field of a measurement line is the CO2 value, counted from the letter as 0. */
  get co2Position(): number {
    return this.#settings.mask & 128 ? 3 : 1
  }

  /** Takes one command, without its CR. @param act - false: answers as if, but changes nothing */
  execute(command: string, act: boolean): Sba5Answer {
    if (this.#phase.kind === 'off') return { lines: [], acted: false, understood: true }
    return isSingle(command) ? this.#single(command, act) : this.#string(command, act)
  }

  #string(command: string, act: boolean): Sba5Answer {
    const change = settingChange(command, this.#settings)
    // What it says to nonsense is not documented; it is taken to say nothing.
    if (!change) return { lines: [], acted: false, understood: false }
    if (act) {
      this.#sample()
      this.#settings = { ...this.#settings, ...change }
      if (change.zeroMinutes !== undefined) this.#retime(change.zeroMinutes)
      if (change.intervalSeconds !== undefined && this.#phase.kind === 'measuring') this.#stream()
    }
    return { lines: [command, 'OK'], acted: act, understood: true }
  }

  #single(command: string, act: boolean): Sba5Answer {
    const echo = this.#spec.echoSingle ? [command] : []
    const said = (...lines: string[]): Sba5Answer => ({
      lines: [...echo, ...lines],
      acted: false,
      understood: true,
    })
    switch (command) {
      case 'M':
        return said(...(this.#phase.kind === 'measuring' ? [this.#measurement(false)] : []))
      case 'V':
        return said('SBA-5 00512 2.05')
      case 'N':
        return said('N 12.0 5.0 3.3')
      case '?':
        return said(configurationLine(this.#settings))
      default:
        if (act) this.#do(command)
        return { lines: echo, acted: act, understood: true }
    }
  }

  #do(command: string): void {
    switch (command) {
      case '!':
      case '@':
        this.#continuous = command === '@'
        if (this.#phase.kind === 'measuring') this.#stream()
        return
      case 'Z':
        if (this.#phase.kind === 'measuring') this.#startZero()
        return
      case 'X':
        this.#saved = this.#settings
        return
      case ']':
        this.#settings = FACTORY_SETTINGS
        this.#retime(0)
        return
    }
  }

  #warm(): void {
    if (this.#phase.kind !== 'warming') return
    const totalMs = (this.#spec.warmUpSeconds ?? 4) * 1000
    const passed = this.#clock.now() - this.#phase.since
    this.#oven = AMBIENT + (this.#settings.thermostat - AMBIENT) * Math.min(1, passed / Math.max(totalMs, 1))
    if (passed >= totalMs) {
      this.#oven = this.#settings.thermostat
      this.#sampledAt = this.#clock.now()
      if (this.#settings.zeroAtPowerUp) this.#startZero()
      else this.#measure()
      this.#scheduleZero()
      return
    }
    this.#emit(`W,${this.#oven.toFixed(1)}`)
    this.#later(Math.min(WARM_UP_LINE_MS, totalMs - passed), () => this.#warm())
  }

  #startZero(): void {
    const real = ZERO_SECONDS[this.#settings.zeroLength]
    const totalMs = (real / ZERO_SECONDS.S) * (this.#spec.zeroSeconds ?? 3) * 1000
    const of = Math.round(real / ZERO_LINE_SECONDS)
    this.#phase = { kind: 'zeroing', step: 0, of, stepMs: totalMs / of }
    this.#later(this.#phase.stepMs, () => this.#zero())
  }

  #zero(): void {
    if (this.#phase.kind !== 'zeroing') return
    const step = this.#phase.step + 1
    this.#phase = { ...this.#phase, step }
    this.#emit(`Z,${step} of ${this.#phase.of}`)
    if (step < this.#phase.of) {
      this.#later(this.#phase.stepMs, () => this.#zero())
      return
    }
    const drift = Math.round(this.#stand.random.normal(15))
    this.#zeroCounts = this.#settings.source ? ZERO_COUNTS + drift : DARK_COUNTS
    this.#measure()
  }

  #measure(): void {
    this.#phase = { kind: 'measuring' }
    this.#stream()
  }

  /** Continues, or ends, the continuous display. */
  #stream(): void {
    clearTimeout(this.#tick)
    if (!this.#continuous) return
    this.#later(this.#settings.intervalSeconds * 1000, () => {
      this.#emit(this.#measurement(true))
      this.#stream()
    })
  }

  #later(ms: number, what: () => void): void {
    clearTimeout(this.#tick)
    this.#tick = setTimeout(what, ms)
  }

  /** A new time between zeros: one at once, unless there are to be none. */
  #retime(minutes: number): void {
    this.#progressive = 0
    if (minutes !== 0 && this.#phase.kind === 'measuring') this.#startZero()
    this.#scheduleZero()
  }

  #scheduleZero(): void {
    clearTimeout(this.#zeroTimer)
    const period = Math.abs(this.#settings.zeroMinutes)
    if (period === 0) return
    const minutes = this.#progressive > 0 ? Math.min(this.#progressive, period) : period
    this.#progressive = this.#progressive < period ? this.#progressive * 2 : 0
    this.#zeroTimer = setTimeout(
      () => {
        if (this.#phase.kind === 'measuring') this.#startZero()
        this.#scheduleZero()
      },
      minutes * (this.#spec.minuteSeconds ?? 60) * 1000,
    )
  }

  /** Brings cell and oven up to now. */
  #sample(): void {
    const seconds = (this.#clock.now() - this.#sampledAt) / 1000
    this.#sampledAt = this.#clock.now()
    if (this.#phase.kind !== 'warming') {
      this.#oven = follow(this.#oven, this.#settings.thermostat, OVEN_RATE, seconds)
    }
    const air = this.#settings.portsSwapped ? 0 : this.#stand.measure(this.#probe)
    const { average, pump } = this.#settings
    if (this.#cell === null) this.#cell = air
    // Without the pump the same air stays in the cell.
    else if (!pump) return
    // A jump beyond the limit begins the average anew.
    else if (average === 0 || Math.abs(air - this.#cell) > average) this.#cell = air
    else this.#cell = follow(this.#cell, air, CELL_RATE, seconds)
  }

  #measurement(inWords: boolean): string {
    this.#sample()
    const { mask, decimals, scale, source, spareInput } = this.#settings
    const inCell = Math.max(0, this.#cell ?? 0)
    const co2 = inCell * scale
    const counts = source ? this.#zeroCounts * Math.exp(-ABSORPTION * inCell) : DARK_COUNTS
    const celsius = this.#oven.toFixed(1)
    const status = this.#status(co2)
    return [
      'M',
      ...(mask & 128 ? [String(this.#zeroCounts), String(Math.round(counts))] : []),
      co2.toFixed(decimals),
      ...(mask & 64 ? [celsius] : []),
      // No humidity sensor is fitted.
      ...(mask & 32 ? ['0.0', '0.0'] : []),
      ...(mask & 16 ? [String(PRESSURE_MBAR)] : []),
      ...(mask & 8 ? [celsius, celsius] : []),
      ...(spareInput ? ['0'] : []),
      ...(mask & 4 ? [inWords ? STATUS_TEXT[status] : `0${status}`] : []),
    ].join(' ')
  }

  #status(co2: number): 0 | 1 | 2 | 3 | 4 {
    if (this.#zeroCounts < 25_000) return 1
    if (this.#oven < this.#settings.thermostat - 5) return 2
    if (this.#oven > this.#settings.thermostat + 5) return 3
    return this.#settings.lowAlarm > 0 && co2 < this.#settings.lowAlarm ? 4 : 0
  }
}
