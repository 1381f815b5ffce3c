import { type Driver, isFault, type Readings, type Value, valueInWords } from '@golem/core'
import { type Bench, goodOnes, type Outcome, type PollOutcome } from './bench.ts'
import { agrees, testValues } from './test-values.ts'

/** How long an instrument may take until it gives all its readings for the first time, in ms. */
const READY_MS = 60_000
/** How long an instrument has to look the same to be at rest, in ms. */
const REST_MS = 1000
/** And at so many looks: on a busy machine one look may take all that time. */
const REST_LOOKS = 4
/** Pause between tries, in ms. */
const PAUSE_MS = 30
/** The longest that opening a connection may take, in ms, as the transports have it. */
const OPEN_MS = 3000
/** Writing into a port that is blocked, and a slow machine, in ms. */
const SLACK_MS = 6000

/** The readings of an instrument at one value of the parameter that is written; `null`: they change by themselves. */
export type State = Readonly<Record<string, Value | null>>

/** What a driver does with its instrument when all is well: what it does under faults is held against this. */
export interface Manner {
  /** The parameter that is written; null: none can be. */
  target: string | null
  /** The values it is given. */
  values: readonly Value[]
  /** By value: how often each request goes out that only writing it brings. */
  writes: readonly ReadonlyMap<string, number>[]
  /** By value: what is read then. Without a target one state. */
  states: readonly State[]
  /** Readings that are values when all is well. */
  good: readonly string[]
  /** How many requests a write makes. */
  writeRequests: number
}

/**
 * Polls until there has been a reading of each of these parameters, and a value of any.
 *
 * @param needed - what is needed of each: a value, or a reading (which may say that there is no value)
 * @param tries - so many polls may fail
 */
export async function settle(
  bench: Bench,
  names: readonly string[],
  tries = Infinity,
  needed: 'value' | 'reading' = 'value',
): Promise<Recovery> {
  const startedAt = performance.now()
  const readings: Record<string, Readings[string]> = {}
  let failures = 0
  let last: PollOutcome
  const missing = (): string[] => {
    const maybe = (bench.rig.mayBeUnknown ?? []).filter((name) => Object.hasOwn(readings, name))
    const have = new Set(needed === 'value' ? [...goodOnes(readings), ...maybe] : Object.keys(readings))
    return names.filter((name) => !have.has(name))
  }
  for (;;) {
    last = await bench.poll()
    Object.assign(readings, last.readings)
    if (last.error) failures += 1
    else if (missing().length === 0 && goodOnes(readings).length > 0) break
    if (last.hung || failures >= tries || performance.now() - startedAt > READY_MS) break
    await pause(PAUSE_MS)
  }
  const why =
    last.error !== null
      ? `${last.error.code}: ${last.error.message}`
      : missing().length > 0
        ? `no ${needed} of ${missing().join(', ')}`
        : goodOnes(readings).length === 0
          ? 'nothing was read'
          : null
  return { why, failures, readings }
}

export interface Recovery {
  /** null: all is well. */
  why: string | null
  /** Polls that failed. */
  failures: number
  readings: Readings
}

/**
 * Learns how a driver behaves when all is well.
 *
 * @throws Error when it does not even work then
 */
export async function learn(bench: Bench, count = 2): Promise<Manner> {
  const beganAt = performance.now()
  const expected = await restful(bench)
  bench.patienceMs = patience(bench.driver, bench.arrived(beganAt).length + 10)
  const target = targetOf(bench)
  // Some are known only after they were set.
  const good = [...new Set([...goodOnes(expected), ...(target === null || count === 0 ? [] : [target])])]
  if (target === null || count === 0) {
    return {
      target: null,
      values: [],
      writes: [],
      states: [await stateOf(bench, good)],
      good,
      writeRequests: 0,
    }
  }
  const values = testValues(bench.spec(target)).slice(0, count)
  const states: State[] = []
  const counts: Map<string, number>[] = []
  let writeRequests = 0
  const spans: [number, number][] = []
  // What only the first of all writes brings is none of what a write usually is.
  const [, usual = null] = values
  if (usual !== null) {
    const first = await bench.write(target, usual)
    spans.push([first.sentAt ?? first.endedAt, first.endedAt])
  }
  for (const value of values) {
    const outcome = await bench.write(target, value)
    if (outcome.error) throw new Error(`${target} = ${valueInWords(value)}: ${outcome.error.message}`)
    const arrived = bench.arrived(outcome.sentAt ?? outcome.endedAt, outcome.endedAt)
    writeRequests = Math.max(writeRequests, arrived.length)
    spans.push([outcome.sentAt ?? outcome.endedAt, outcome.endedAt])
    counts.push(tally(arrived.map(({ key }) => key)))
    states.push(await stateOf(bench, good))
  }
  const ordinary = new Set(
    bench
      .arrived(beganAt)
      .filter(({ at }) => !spans.some(([from, to]) => at >= from && at < to))
      .map(({ key }) => key),
  )
  const writes = counts.map((all) => new Map([...all].filter(([key]) => !ordinary.has(key))))
  bench.patienceMs = patience(bench.driver, ordinary.size + writeRequests + 2)
  return { target, values, writes, states, good, writeRequests }
}

/** Waits until the instrument has come to rest: for a while there are values of the same parameters. */
async function restful(bench: Bench): Promise<Readings> {
  // One that talks by itself tells what is new only; on a line one thing after the other. Of others a look shows all.
  const { silenceMs = 0, transport } = bench.driver
  const restMs = Math.max(REST_MS, transport === 'line' ? silenceMs / 2 : 0)
  let newest: Readings = {}
  let before: string | null = null
  let looks = 0
  let since = performance.now()
  const giveUpAt = since + READY_MS
  for (;;) {
    const { why, readings } = await settle(bench, [])
    if (why !== null) throw new Error(why)
    newest = silenceMs === 0 ? readings : { ...newest, ...readings }
    const now = performance.now()
    const names = goodOnes(newest).toSorted().join()
    looks = names === before ? looks + 1 : 1
    if (looks === 1) since = now
    if (looks >= REST_LOOKS && bench.stalls.ranBetween(since, now) >= restMs) return newest
    if (now > giveUpAt) throw new Error('it does not come to rest')
    before = names
    await pause(REST_MS / 5)
  }
}

/** The parameter that tells most: a number before a choice before a switch. */
function targetOf(bench: Bench): string | null {
  const order = ['number', 'integer', 'choice', 'boolean', 'text', 'array']
  const [best] = Object.entries(bench.driver.parameters)
    .filter(([, spec]) => spec.write && spec.readable !== false && testValues(spec).length > 0)
    .toSorted(([, a], [, b]) => order.indexOf(a.type) - order.indexOf(b.type))
  return best?.[0] ?? null
}

/** What is read now. Readings that differ from look to look change by themselves. */
async function stateOf(bench: Bench, good: readonly string[]): Promise<State> {
  const state: Record<string, Value | null> = {}
  for (let look = 0; look < 3; look += 1) {
    const { why, readings } = await settle(bench, good)
    if (why !== null) throw new Error(why)
    for (const [name, value] of Object.entries(readings)) {
      if (isFault(value) || name === bench.driver.uptime || bench.rig.drifting?.includes(name)) continue
      const before = state[name]
      state[name] = before === undefined || sameValue(before, value) ? value : null
    }
  }
  return state
}

function sameValue(a: Value | null, b: Value): boolean {
  return a !== null && valueInWords(a) === valueInWords(b)
}

/**
 * What is wrong with readings, given the states the instrument may be in.
 *
 * @returns a sentence for the first one that is wrong, or null
 */
export function wrongReading(
  bench: Bench,
  { target, values, states, good }: Manner,
  possible: ReadonlySet<number>,
  readings: Readings,
): string | null {
  for (const [name, got] of Object.entries(readings)) {
    if (isFault(got) || !good.includes(name)) continue
    const spec = bench.spec(name)
    const wanted = [...possible].flatMap((index) => {
      const value = name === target ? values[index] : states[index]?.[name]
      return value === undefined || value === null ? [] : [value]
    })
    if (wanted.length === 0) continue
    if (!wanted.some((value) => agrees(spec, value, got))) {
      return `${name} was read as ${valueInWords(got)}, which it is not (${wanted.map((value) => valueInWords(value)).join(' or ')})`
    }
  }
  return null
}

/** How often each key is there. */
export function tally(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

/**
 * How long a conversation may take by what its driver declares, when each of its exchanges meets the worst, in ms.
 *
 * @param exchanges - those of identification, initialisation and the conversation itself
 */
function patience({ link, transport }: Driver, exchanges: number): number {
  const each = link.replyTimeoutMs + (transport === 'http' ? link.connectTimeoutMs : 0)
  const quiet = transport === 'line' ? 3 * Math.max(1000, 5 * link.quietMs) : 0
  return exchanges * each + OPEN_MS + quiet + SLACK_MS
}

/** An outcome in words. */
export function outcomeInWords({ error }: Outcome): string {
  return error ? `${error.code} (${error.message})` : 'done'
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
