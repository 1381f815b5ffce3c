import {
  type Fault,
  defaultMatches,
  GolemError,
  isFault,
  type LineIo,
  type Value,
  valueInWords,
} from '@golem/core'
import type { ErrorQueue } from './error-queue.ts'
import type { RawLineParameter } from './line-schema.ts'
import { type LineContext, ms } from './question.ts'
import { readDelivery } from './steps.ts'
import { readTemplate } from './template.ts'

type Matches = (wanted: Value, got: Value) => boolean

/** How a parameter is written. */
export interface Writing {
  write: (io: LineIo, value: Value) => Promise<void>
  matches: Matches
}

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
    for (const key of ['readBack', 'safe', 'tolerance'] as const) {
      if (parameter[key] === undefined) continue
      report(
        [...place, key],
        `${name} can only be read: it can't have "${key}". Remove it, or add "write".`,
        'key',
      )
    }
    return undefined
  }
  const raw = typeof parameter.write === 'string' ? { send: parameter.write } : parameter.write
  const inside = typeof parameter.write === 'string' ? [...place, 'write'] : [...place, 'write', 'send']
  const lines = typeof raw.send === 'string' ? [raw.send] : raw.send
  const templates = lines.map((line) => readTemplate(line, { value: parameter }, inside, report))
  if (!lines.some((line) => line.includes('{value}'))) {
    report(inside, 'There is no {value} in what is sent: it would be the same for every value.')
  }
  const deliver = readDelivery(raw, [...place, 'write'], context)
  const settleMs = ms(raw.settle)
  const { readBack } = parameter
  const after = typeof readBack === 'object' ? ms(readBack.after) : undefined
  if (readBack && !readAlone)
    report([...place, 'readBack'], `${name} has no "read": it can't be read back.`, 'key')
  const matches = matcherOf(parameter)
  return {
    matches,
    write: async (io, value) => {
      // All of it is made before anything is sent: a text that may not be sent must not leave half a command.
      for (const line of templates.map((template) => template({ value }))) await deliver(io, line)
      if (settleMs !== undefined) await io.sleep(settleMs)
      await errors?.check(io, `${name} = ${valueInWords(value)}`)
      if (!readBack || !readAlone) return
      if (after !== undefined) await io.sleep(after)
      compare(name, value, await readAlone(io), matches)
    },
  }
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
