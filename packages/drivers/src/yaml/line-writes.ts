import {
  type Fault,
  defaultMatches,
  GolemError,
  isFault,
  type LineIo,
  type TimedWrite,
  type Value,
  valueInWords,
} from '@golem/core'
import type { Path } from '@golem/config'
import type { ErrorQueue } from './error-queue.ts'
import type { RawLineParameter, RawWrite } from './line-schema.ts'
import type { Report } from './model-file.ts'
import { type LineContext, ms } from './question.ts'
import { readDelivery } from './steps.ts'
import { readTemplate } from './template.ts'
import type { ValueForm } from './values.ts'

type Matches = (wanted: Value, got: Value) => boolean

/** How a parameter is written. */
export interface Writing {
  write: (io: LineIo, value: Value) => Promise<void>
  timed?: TimedWrite<LineIo>
  matches: Matches
}

/** Sends what writes it. @param seconds - only of a timed write */
type Send = (io: LineIo, value: Value, seconds?: number) => Promise<void>

/**
 * Compiles a parameter's `write`.
 *
 * @param readAlone - reads the parameter; undefined when it has no reading
 */
export function readWriting(
  name: string,
  parameter: RawLineParameter,
  readAlone: ((io: LineIo) => Promise<Value | Fault | undefined>) | undefined,
  context: LineContext,
  errors: ErrorQueue | undefined,
): Writing | undefined {
  const { report } = context
  const place = ['parameters', name]
  if (parameter.write === undefined) {
    for (const key of ['readBack', 'safe', 'tolerance', 'timed'] as const) {
      if (parameter[key] === undefined) continue
      report(
        [...place, key],
        `${name} can only be read: it can't have "${key}". Remove it, or add "write".`,
        'key',
      )
    }
    return undefined
  }
  const sender = (raw: RawWrite, place: Path, inside: Path, seconds?: ValueForm): Send => {
    const lines = typeof raw.send === 'string' ? [raw.send] : raw.send
    const forms = { value: parameter, ...(seconds ? { seconds } : {}) }
    const templates = lines.map((line) => readTemplate(line, forms, inside, report))
    for (const placeholder of Object.keys(forms)) {
      if (lines.some((line) => line.includes(`{${placeholder}}`))) continue
      report(inside, `There is no {${placeholder}} in what is sent: it would be the same for every value.`)
    }
    const deliver = readDelivery(raw, place, context)
    const settleMs = ms(raw.settle)
    return async (io, value, time = 0) => {
      // All of it is made before anything is sent: a text that may not be sent must not leave half a command.
      const made = templates.map((template) => template({ value, seconds: time }))
      for (const line of made) await deliver(io, line)
      if (settleMs !== undefined) await io.sleep(settleMs)
      await errors?.check(io, `${name} = ${valueInWords(value)}`)
      if (!readBack || !readAlone) return
      if (after !== undefined) await io.sleep(after)
      compare(name, value, await readAlone(io), matches)
    }
  }
  const { readBack } = parameter
  const after = typeof readBack === 'object' ? ms(readBack.after) : undefined
  if (readBack && !readAlone)
    report([...place, 'readBack'], `${name} has no "read": it can't be read back.`, 'key')
  const matches = matcherOf(parameter)
  const { write, timed } = parameter
  const at = [...place, 'write']
  return {
    matches,
    write: typeof write === 'string' ? sender({ send: write }, at, at) : sender(write, at, [...at, 'send']),
    ...(timed ? { timed: timedOf(name, parameter, timed, sender, report) } : {}),
  }
}

/** What writes it for a time; {seconds} may have decimals. */
function timedOf(
  name: string,
  { safe }: RawLineParameter,
  raw: NonNullable<RawLineParameter['timed']>,
  sender: (raw: RawWrite, place: Path, inside: Path, seconds: ValueForm) => Send,
  report: Report,
): TimedWrite<LineIo> {
  const place = ['parameters', name, 'timed']
  const [minMs, maxMs] = [ms(raw.min) ?? 0, ms(raw.max) ?? 0]
  if (safe === undefined) report(place, `${name} has no "safe": say what it goes back to.`, 'key')
  if (minMs > maxMs) report([...place, 'min'], 'It is longer than "max".')
  const send = sender(raw, place, [...place, 'send'], { type: 'number', format: 'plain' })
  return { minMs, maxMs, write: (io, value, time) => send(io, value, time / 1000) }
}

function compare(name: string, wanted: Value, got: Value | Fault | undefined, matches: Matches): void {
  if (got !== undefined && !isFault(got) && matches(wanted, got)) return
  const said = got === undefined ? 'nothing' : isFault(got) ? got.fault : valueInWords(got)
  throw new GolemError(
    'READBACK_MISMATCH',
    `${name} was set to ${valueInWords(wanted)}, but reads back: ${said}.`,
  )
}

/** Instruments answer with seven digits and keep as many (single precision): what is lost there is no disagreement. */
const LOST_DIGITS = 1e-6

/** Numbers agree within the tolerance of the model, or within what is lost by the digits that are sent and answered. */
function matcherOf({ tolerance, format, scale = 1, step }: RawLineParameter): Matches {
  const digits = /^fixed (\d)$/.exec(format ?? '')?.[1]
  const rounding = digits === undefined ? 0 : 0.5 * 10 ** -Number(digits) * Math.abs(scale) * (1 + 1e-9)
  const allowed = tolerance ?? rounding
  return (wanted, got) => {
    if (typeof wanted === 'number' && typeof got === 'number') {
      const least = Math.max(allowed + 1e-12, Math.abs(wanted) * LOST_DIGITS)
      return Math.abs(wanted - got) <= least || defaultMatches(wanted, got, allowed > 0 ? undefined : step)
    }
    return defaultMatches(wanted, got, step)
  }
}
