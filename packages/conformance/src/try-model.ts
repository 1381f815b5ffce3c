import {
  type Address,
  type AnyIo,
  type AnyParameterSpec,
  asGolemError,
  isFault,
  type Model,
  nameOf,
  type Readings,
  type Value,
  valueInWords,
} from '@golem/core'
import { type Channel, openLink } from '@golem/transports'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rig } from './rig.ts'
import { rigFor } from './rigs/index.ts'
import { agrees, testValues } from './test-values.ts'

/** What trying one parameter showed. */
export interface TriedParameter {
  name: string
  label: string
  unit?: string
  /** What was read, in words; null: it can't be read. */
  read: string | null
  /** What was written, in words; null: nothing was. */
  written: string | null
  /** What was read after that. */
  readBack: string | null
  /** Everything that was tried worked. */
  good: boolean
  /** Why not, or why something was not tried. */
  why?: string
}

export interface Trial {
  model: string
  /** Where it was tried; `simulation` or an address. */
  where: string
  /** Why nothing could be tried: it did not answer, or is another instrument. */
  failed?: string
  parameters: TriedParameter[]
}

export interface TryOptions {
  /** A real instrument; absent: the model's own simulation. */
  endpoint?: Address
  /** Of the model. */
  options?: Readonly<Record<string, unknown>>
  /** Write parameters too. In a simulation always; to a real instrument only the value it has just now. */
  write: boolean
}

/** How long an instrument that talks by itself may take until it has said everything, in ms. */
const TALKS_WITHIN_MS = 10_000
const READ_AGAIN_MS = 200

type Write = (io: AnyIo, value: Value) => Promise<void>

/**
 * Runs a model against its simulation or a real instrument: identifies it, reads everything, writes what may be written
 * and reads that back.
 *
 * @throws CONFIG_INVALID when it has no simulation and no address is given
 */
export async function tryModel(model: Model, { endpoint, options, write }: TryOptions): Promise<Trial> {
  if (endpoint) return tryAt(model, { endpoint, options: options ?? {} }, 'instrument', write)
  const rig = await rigFor(model).make(options)
  try {
    return await tryAt(model, rig, 'simulation', true)
  } finally {
    await rig.close()
  }
}

async function tryAt(
  model: Model,
  { endpoint, options, usbDrivers }: Pick<Rig, 'endpoint' | 'options' | 'usbDrivers'>,
  kind: 'simulation' | 'instrument',
  write: boolean,
): Promise<Trial> {
  const simulated = kind === 'simulation'
  const driver = model.create(options)
  const heard: Record<string, Readings[string]> = {}
  const onReadings = (readings: Readings): void => void Object.assign(heard, readings)
  driver.onLateReadings?.(onReadings)
  const link = openLink({
    endpoint,
    guard: () => undefined,
    ...(usbDrivers === undefined ? {} : { usbDrivers }),
  })
  const trial: Trial = { model: model.id, where: simulated ? 'simulation' : nameOf(endpoint), parameters: [] }
  try {
    const channel = link.attach({ driver, endpoint, onReadings })
    const read = async (): Promise<Readings> => {
      const due = new Set(Object.keys(driver.parameters))
      const found = await channel.run('poll', (io) => driver.readAll(io, due))
      return { ...heard, ...found }
    }
    const first = await readPatiently(read, driver.parameters)
    for (const [name, spec] of Object.entries<AnyParameterSpec>(driver.parameters)) {
      trial.parameters.push(await tryParameter(name, spec, first[name], { channel, read, write, simulated }))
    }
  } catch (error) {
    trial.failed = asGolemError(error).message
  } finally {
    await link.close()
    driver.close?.()
  }
  return trial
}

/** An instrument that talks by itself says one thing after the other. */
async function readPatiently(
  read: () => Promise<Readings>,
  parameters: Readonly<Record<string, AnyParameterSpec>>,
): Promise<Readings> {
  const wanted = Object.keys(parameters).filter((name) => parameters[name]?.readable !== false)
  const giveUpAt = performance.now() + TALKS_WITHIN_MS
  for (;;) {
    const found = await read()
    if (wanted.every((name) => Object.hasOwn(found, name)) || performance.now() > giveUpAt) return found
    await sleep(READ_AGAIN_MS)
  }
}

interface Means {
  channel: Channel
  read: () => Promise<Readings>
  write: boolean
  simulated: boolean
}

async function tryParameter(
  name: string,
  spec: AnyParameterSpec,
  found: Readings[string] | undefined,
  means: Means,
): Promise<TriedParameter> {
  const tried: TriedParameter = {
    name,
    label: spec.label,
    ...(spec.unit === undefined ? {} : { unit: spec.unit }),
    read: null,
    written: null,
    readBack: null,
    good: true,
  }
  if (spec.readable !== false) {
    if (found === undefined) Object.assign(tried, { good: false, why: 'It was not read.' })
    else if (isFault(found)) Object.assign(tried, { read: 'no value', why: found.fault })
    else tried.read = valueInWords(found)
  }
  if (!spec.write) return tried
  if (!means.write) return { ...tried, why: tried.why ?? 'Not written: --write was not given.' }
  const value = valueToWrite(spec, found, means.simulated)
  if (value === undefined) return { ...tried, why: tried.why ?? 'Not written: what it has now is not known.' }
  return { ...tried, ...(await writeAndRead(name, spec, value, means)) }
}

/** A simulation takes any value; a real instrument gets back what it has. */
function valueToWrite(
  spec: AnyParameterSpec,
  found: Readings[string] | undefined,
  simulated: boolean,
): Value | undefined {
  const now = found === undefined || isFault(found) ? undefined : found
  if (!simulated) return now
  return testValues(spec).find((value) => now === undefined || !agrees(spec, value, now)) ?? now
}

async function writeAndRead(
  name: string,
  spec: AnyParameterSpec,
  value: Value,
  { channel, read }: Means,
): Promise<Pick<TriedParameter, 'written' | 'readBack' | 'good'> & { why?: string }> {
  const write = spec.write as Write | undefined
  const written = valueInWords(value)
  try {
    await channel.run('command', async (io: AnyIo) => write?.(io, value))
    if (spec.readable === false) return { written, readBack: null, good: true }
    const got = (await read())[name]
    if (got === undefined || isFault(got)) {
      return { written, readBack: 'no value', good: false, why: got?.fault ?? 'It was not read again.' }
    }
    const good = agrees(spec, value, got)
    return {
      written,
      readBack: valueInWords(got),
      good,
      ...(good ? {} : { why: 'It reads back otherwise.' }),
    }
  } catch (error) {
    return { written, readBack: null, good: false, why: asGolemError(error).message }
  }
}
