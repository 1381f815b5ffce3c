import { defaultMatches, type Fault, GolemError, isFault, type MqttIo, type Value } from '@golem/core'
import type { RawParameter } from './model-file.ts'
import { Message, type Source, valueIn } from './mqtt-source.ts'

/**
 * Waits until the device tells the value that was asked for, on any of these topics.
 *
 * @throws REPLY_TIMEOUT when it tells nothing; READBACK_MISMATCH when what it told last is something else
 */
export async function confirmation(
  io: MqttIo,
  name: string,
  parameter: RawParameter,
  wanted: Value,
  sources: readonly Source[],
  timeoutMs: number,
): Promise<void> {
  let told: Value | Fault | undefined
  const waits = sources.map((source) =>
    io.expect(source.topic, {
      timeoutMs,
      accept: (payload) => {
        const value = valueIn(new Message(payload), source, parameter)
        if (value === undefined) return false
        told = value
        return agrees(parameter, wanted, value)
      },
    }),
  )
  try {
    await Promise.any(waits)
  } catch (error) {
    const first: unknown = error instanceof AggregateError ? error.errors[0] : error
    const timedOut = first instanceof GolemError && first.code === 'REPLY_TIMEOUT'
    if (told === undefined || !timedOut) throw first
    throw notAsWanted(name, wanted, isFault(told) ? `"${told.fault}"` : String(told), timeoutMs)
  }
}

/** READBACK_MISMATCH. @param shows - what the device is at, in words */
export function notAsWanted(name: string, wanted: Value, shows: string, ms: number): GolemError {
  return new GolemError(
    'READBACK_MISMATCH',
    `The device was asked for ${name} = ${String(wanted)} and tells ${shows} after ${ms} ms.`,
  )
}

/** Is what the device tells what was wanted? */
export function agrees({ step }: RawParameter, wanted: Value, told: Value | Fault | undefined): boolean {
  return told !== undefined && !isFault(told) && defaultMatches(wanted, told, step)
}
