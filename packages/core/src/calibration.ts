/** How what an instrument tells becomes what is meant. Numbers of inputs are in the unit of the raw parameter. */
export type Curve =
  | { kind: 'linear'; slope: number; offset: number }
  /** c0 + c1·x + c2·x² + … */
  | { kind: 'polynomial'; coefficients: readonly number[] }
  /** Straight lines between the points; nothing is known outside of them. */
  | { kind: 'table'; points: readonly (readonly [number, number])[] }
  /** Of two inputs: a + b·x + c·y + d·x² + e·x·y + f·y², in this order. */
  | { kind: 'surface'; coefficients: readonly number[] }

export type CurveKind = Curve['kind']

/** What a reference (a quantum meter, a buffer solution) showed at these inputs. */
export interface MeasuredPoint {
  inputs: readonly number[]
  value: number
  /** When it was measured, ISO 8601 UTC, and who read it. */
  at?: string
  by?: string
}

/** One version of a named calibration. It is never changed: who calibrates anew makes another version. */
export interface Calibration {
  name: string
  /** Follows from name, time, person and curve: 8 hexadecimal digits. */
  version: string
  /** When it was made, ISO 8601 UTC. Of the versions of one name the newest counts. */
  at: string
  by: string
  note?: string
  /** Unit of its result. */
  unit?: string
  /** What was calibrated, as `INSTRUMENT.PARAMETER`. */
  of?: string
  /** file: from instance/calibrations; site: made on the page, by a program or with `golem calibrate`. */
  source: 'file' | 'site'
  curve: Curve
  /** For each input from where to where it holds; absent: everywhere. */
  range?: readonly (readonly [number, number])[]
  /** Of the fit, where there was one. */
  rSquared?: number
  points?: readonly MeasuredPoint[]
}

/** Points measured for a calibration that is not made yet: what a break, or another browser, goes on with. */
export interface CalibrationDraft {
  name: string
  /** `INSTRUMENT.PARAMETER` that is being calibrated. */
  of: string
  points: readonly MeasuredPoint[]
  /** Of the last change, ISO 8601 UTC. */
  at: string
  by: string
}

/** Which calibration makes a parameter out of others, as its description says it. */
export interface CalibrationMark {
  name: string
  /** The raw parameters of the same instrument. */
  from: readonly string[]
  /** Of the version that counts; absent: there is none yet. */
  version?: string
  at?: string
  by?: string
}
