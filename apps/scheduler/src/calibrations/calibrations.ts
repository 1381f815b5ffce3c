import { type Calibration, type CalibrationDraft, isoTime } from '@golem/core'
import type { SchedulerRequest, SchedulerWrite } from '@golem/queue'
import type { Answered, Part, PartContext } from '../part.ts'

/** The most points of one draft: a whole grid of two inputs in steps of 5 %. */
const MAX_POINTS = 500

/**
 * Keeps the records of calibrations: those in files are shown beside those made since; a new one is told to the
 * workers; points of one that is not made yet are gathered.
 */
export class CalibrationsPart implements Part {
  readonly #context: PartContext
  readonly #drafts = new Map<string, CalibrationDraft>()

  constructor(context: PartContext) {
    this.#context = context
  }

  async begin(): Promise<void> {
    const { client, site } = this.#context
    const { calibrations, drafts } = client.site.view
    for (const [name, draft] of drafts) this.#drafts.set(name, draft)
    const files = new Map(site.calibrations.map((one) => [idOf(one), one]))
    const writes: SchedulerWrite[] = []
    for (const [id, { source }] of calibrations) {
      if (source === 'file' && !files.has(id))
        writes.push({ op: 'record', table: 'calibration', id, value: null })
    }
    for (const [id, one] of files) {
      // The note or the unit may have changed; one that was made here is not replaced by its copy in a file.
      const known = calibrations.get(id)
      if (known?.source === 'site' || JSON.stringify(known) === JSON.stringify(one)) continue
      writes.push({ op: 'record', table: 'calibration', id, value: one })
    }
    if (writes.length > 0) await client.write(writes)
  }

  request(request: SchedulerRequest): Answered | undefined {
    if (request.type === 'calibration') return this.#made(request.name, request.version)
    return request.type === 'calibration-point' ? this.#point(request) : undefined
  }

  end(): void {
    this.#drafts.clear()
  }

  /** Its record stands already: it was written with the request. */
  #made(name: string, version: string): Answered {
    const record = this.#context.client.site.view.calibrations.get(`${name} ${version}`)
    this.#drafts.delete(name)
    const by = record?.by ?? ''
    return {
      writes: [
        { op: 'record', table: 'draft', id: name, value: null },
        { op: 'event', kind: 'calibration', by, message: `calibration ${name}: version ${version} was made` },
        { op: 'tell', message: { type: 'calibration', name } },
      ],
    }
  }

  #point(request: SchedulerRequest & { type: 'calibration-point' }): Answered {
    const { name, of, point, by } = request
    const before = this.#drafts.get(name)
    if (point === null) {
      this.#drafts.delete(name)
      return { writes: [{ op: 'record', table: 'draft', id: name, value: null }] }
    }
    const at = isoTime(this.#context.client.clock.now())
    // Measured at the same set point again: the new one counts.
    const points = (before?.of === of ? before.points : []).filter(
      ({ inputs }) => JSON.stringify(inputs) !== JSON.stringify(point.inputs),
    )
    const draft: CalibrationDraft = {
      name,
      of,
      points: [...points, { ...point, at, by }].slice(-MAX_POINTS),
      at,
      by,
    }
    this.#drafts.set(name, draft)
    return { writes: [{ op: 'record', table: 'draft', id: name, value: draft }] }
  }
}

/** Under what a version stands among the records. */
function idOf({ name, version }: Calibration): string {
  return `${name} ${version}`
}
