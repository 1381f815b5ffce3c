import type { Calibration, CalibrationDraft, Curve, CurveKind, MeasuredPoint } from '@golem/core'
import type { Api } from './api.ts'

/** A calibration with its history, newest version first. */
export interface CalibrationHistory {
  name: string
  /** The version that counts. */
  version: string
  versions: readonly Calibration[]
}

/** A curve through points, and how well it fits. */
export interface FitAnswer {
  curve: Curve
  rSquared: number | null
  rmsd: number
  /** Measured less fitted, in the order of the points. */
  residuals: readonly number[]
}

/** golem's HTTP interface of calibrations. Every method throws Problem or Unreachable. */
export class CalibrationApi {
  readonly #api: Pick<Api, 'request'>

  constructor(api: Pick<Api, 'request'>) {
    this.#api = api
  }

  async all(): Promise<{ calibrations: CalibrationHistory[]; drafts: CalibrationDraft[] }> {
    const { body } = await this.#api.request('api/calibrations')
    return body as { calibrations: CalibrationHistory[]; drafts: CalibrationDraft[] }
  }

  async fit(kind: CurveKind, points: readonly MeasuredPoint[]): Promise<FitAnswer> {
    const body = { kind, points }
    return (await this.#api.request('api/calibrations/fit', { method: 'POST', body })).body as FitAnswer
  }

  /** Keeps one measured point until the calibration is made. */
  async keep(name: string, of: string, { inputs, value }: MeasuredPoint): Promise<void> {
    await this.#api.request(`${pathOf(name)}/points`, { method: 'POST', body: { of, inputs, value } })
  }

  async discard(name: string): Promise<void> {
    await this.#api.request(`${pathOf(name)}/points`, { method: 'DELETE' })
  }

  async make(body: {
    name: string
    of: string
    kind: CurveKind
    points: readonly MeasuredPoint[]
    unit?: string
    note?: string
  }): Promise<Calibration> {
    return (await this.#api.request('api/calibrations', { method: 'POST', body })).body as Calibration
  }
}

function pathOf(name: string): string {
  return `api/calibrations/${encodeURIComponent(name)}`
}
