import { applyCalibration, combine, invertCalibration, resultOf } from '@golem/calibration'
import type { CalibratedParameter, InstrumentConfig } from '@golem/config'
import {
  type Calibration,
  type CommandTarget,
  GolemError,
  type InstrumentDescription,
  type Reading,
  checkValue,
} from '@golem/core'
import type { Calibrations } from './calibrations.ts'

/** The parameters of one instrument that calibrations make of its raw ones. */
export class CalibratedParameters {
  readonly #id: string
  readonly #uses: Readonly<Record<string, CalibratedParameter>>
  readonly #calibrations: Calibrations

  constructor(config: InstrumentConfig, calibrations: Calibrations) {
    this.#id = config.id
    this.#uses = config.calibrations ?? {}
    this.#calibrations = calibrations
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#uses, name)
  }

  /** What they are made of, by their names. */
  get sources(): readonly (readonly [string, readonly string[]])[] {
    return Object.entries(this.#uses).map(([name, { from }]) => [name, from])
  }

  /**
   * Their readings: as good as the worst of the raw ones, as old as the oldest.
   *
   * @param readings - of the instrument, calibrated ones (as they were before) included
   */
  readings(readings: Readonly<Record<string, Reading>>): Record<string, Reading> {
    return Object.fromEntries(
      Object.entries(this.#uses).map(([name, { from, use }]) => {
        const inputs = from.map((one) => ({ label: one, reading: readings[one] }))
        const calibration = this.#calibrations.newest.get(use)
        const reading = resultOf(combine(inputs), readings[name], (values) =>
          calibration ? applyCalibration(calibration, values) : { fault: notThere(use) },
        )
        return [name, reading]
      }),
    )
  }

  /**
   * A command as the instrument takes it: the set value of a calibrated parameter is turned back into that of the raw
   * one. Others stay as they are.
   *
   * @throws NOT_WRITABLE, WRONG_TYPE; OUT_OF_RANGE for a value beyond the limits of the calibrated parameter, or one that
   *   no raw value gives
   */
  toRaw(target: CommandTarget, { parameters }: InstrumentDescription): CommandTarget {
    if (!('parameter' in target) || !this.has(target.parameter)) return target
    const { parameter, value } = target
    const place = `${this.#id}.${parameter}`
    const { from, use } = this.#uses[parameter] ?? { from: [], use: '' }
    const raw = from[0] ?? ''
    const [allowed, rawAllowed] = [parameters[parameter], parameters[raw]]
    if (!allowed?.writable || !rawAllowed) throw new GolemError('NOT_WRITABLE', `${place} can only be read.`)
    const calibration = this.#calibrations.newest.get(use)
    if (!calibration) throw new GolemError('NOT_WRITABLE', `${place} can't be set. ${notThere(use)}`)
    const wanted = Number(checkValue(place, allowed, value, '/value'))
    const exact = invertCalibration(calibration, wanted, rawAllowed)
    return { parameter: raw, value: rawAllowed.type === 'integer' ? Math.round(exact) : exact }
  }

  /** Which calibration turned a command back, in words; undefined: none did. */
  inWords(asked: CommandTarget, raw: CommandTarget): string | undefined {
    if (asked === raw || !('parameter' in asked) || !('parameter' in raw)) return undefined
    const calibration: Calibration | undefined = this.#calibrations.newest.get(
      this.#uses[asked.parameter]?.use ?? '',
    )
    if (!calibration) return undefined
    const { name, at, by } = calibration
    return `Written: ${raw.parameter} = ${String(raw.value)}, by the calibration ${name} of ${at.slice(0, 10)} (${by}).`
  }
}

function notThere(name: string): string {
  return `There is no calibration ${name} yet.`
}
