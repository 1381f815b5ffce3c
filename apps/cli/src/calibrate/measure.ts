import type { CalibrationMark, InstrumentDescription, MeasuredPoint, Value } from '@golem/core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../client.ts'
import type { Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'

/** How long a command may take, in s. */
const WAIT_S = 40
/** How long the instrument is reserved at a time, in ms; each point reserves it anew. */
const RESERVE_MS = 30 * 60_000

/** What is calibrated. */
export interface Subject {
  instrument: InstrumentDescription
  mark: CalibrationMark
  /** `INSTRUMENT.PARAMETER` */
  of: string
}

/**
 * Sets one point after the other, by ordinary commands under a reservation, and asks what the meter shows. Each point is
 * kept by the server as it comes. At the end outputs go to their safe values, or back to what they were.
 *
 * @param points - what is to be measured still
 * @returns what was measured
 */
export async function measure(
  context: Context,
  api: ApiClient,
  subject: Subject,
  points: readonly (readonly number[])[],
  settleS: number,
): Promise<MeasuredPoint[]> {
  const { instrument, mark, of } = subject
  const before = await readingsOf(api, subject)
  const measured: MeasuredPoint[] = []
  try {
    for (const [n, inputs] of points.entries()) {
      await api.reserve(instrument.id, { forMs: RESERVE_MS, note: mark.name, onExpiry: 'safe' })
      for (const [index, name] of mark.from.entries()) await set(api, instrument.id, name, inputs[index] ?? 0)
      await sleep(settleS * 1000, undefined, { signal: context.signal })
      const where = mark.from.map((name, index) => `${name} ${inputs[index]}`).join(', ')
      const value = await askNumber(context, `${where} (${n + 1} of ${points.length}): `)
      if (value === 'end') break
      if (value === 'skip') continue
      await keep(api, subject, { inputs, value })
      measured.push({ inputs, value })
    }
  } finally {
    for (const [index, name] of mark.from.entries()) {
      const value = instrument.parameters[name]?.safe ?? before[index]
      if (value !== undefined && value !== null) await set(api, instrument.id, name, value)
    }
    await api.giveBack(instrument.id, {})
  }
  context.err(`${measured.length} points of ${of}; the outputs are back.`)
  return measured
}

/** As `measure`, for inputs that are only read: whoever calibrates brings the reference. */
export async function measureAsRead(
  context: Context,
  api: ApiClient,
  subject: Subject,
): Promise<MeasuredPoint[]> {
  const measured: MeasuredPoint[] = []
  for (;;) {
    const value = await askNumber(
      context,
      'Value of the reference that is there now (empty: ask again; end): ',
    )
    if (value === 'end') return measured
    if (value === 'skip') continue
    const inputs = (await readingsOf(api, subject)).flatMap((one) => (typeof one === 'number' ? [one] : []))
    if (inputs.length !== subject.mark.from.length) {
      context.err('It has no good reading at the moment; nothing was kept.')
      continue
    }
    await keep(api, subject, { inputs, value })
    measured.push({ inputs, value })
    context.err(`read: ${inputs.join(', ')}`)
  }
}

/** A number; skip: nothing was typed; end: the rest is left for later. */
async function askNumber(context: Context, question: string): Promise<number | 'skip' | 'end'> {
  for (;;) {
    const text = (await context.ask(question)).trim()
    if (text === '') return 'skip'
    if (text === 'end') return 'end'
    const value = Number(text.replace(',', '.'))
    if (Number.isFinite(value)) return value
    context.err(`"${text}" is no number. Empty skips this point; "end" goes to the fit.`)
  }
}

async function keep(api: ApiClient, { mark, of }: Subject, { inputs, value }: MeasuredPoint): Promise<void> {
  await api.request(`/api/calibrations/${encodeURIComponent(mark.name)}/points`, {
    method: 'POST',
    body: { of, inputs, value },
    retry: true,
    unknownHint: 'Whether this point was kept is not known.',
  })
}

async function readingsOf(api: ApiClient, { instrument, mark }: Subject): Promise<(Value | null)[]> {
  const { instruments } = await api.state()
  return mark.from.map((name) => {
    const reading = instruments[instrument.id]?.readings[name]
    return reading?.quality === 'good' ? reading.value : null
  })
}

async function set(api: ApiClient, id: string, parameter: string, value: Value): Promise<void> {
  const record = await api.command(id, { parameter, value }, WAIT_S)
  if (record.outcome === 'done') return
  throw new CliError(
    'failed',
    `${id}.${parameter} was not set: ${record.message ?? record.outcome ?? 'no outcome'}.`,
  )
}
