import type { Path } from '@golem/config'
import { fullTopic } from '@golem/core'
import type { RawModel, Report } from './model-file.ts'
import type { RawMqttRule, RawMqttSimulation, RawSaying } from './mqtt-simulation-schema.ts'
import { checkTopic } from './mqtt-source.ts'
import { readPattern } from './patterns.ts'
import { ms } from './question.ts'
import { readVariables, SimulatedState } from './simulation-state.ts'
import { piecesOf } from './template.ts'

/** A message as it goes to the broker. */
export interface MqttSaying {
  topic: string
  payload: string
  retain: boolean
  qos: 0 | 1
}

/** A device that is played by the `simulation:` of its model file. It knows nothing of brokers and time. */
export interface MqttAnswerer {
  /** The topics it listens to. */
  readonly topics: readonly string[]
  /** Its last will, as of now; null: it has none. */
  readonly will: MqttSaying | null
  /** What it publishes when it has connected. */
  greeting(): MqttSaying[]
  /** Takes a message. @returns what it publishes then, in this order */
  receive(topic: string, payload: string): MqttSaying[]
  /** How often it publishes by itself, and what it does then; null: it does not. */
  readonly talks: { readonly everyMs: number; next(): MqttSaying[] } | null
  /** What it remembers, by name: a copy. */
  readonly state: Readonly<Record<string, string | number>>
  /** Sets a variable from outside, e.g. what it measures. */
  set(name: string, value: string | number): void
  /** Power off and on: what was set is gone. */
  reset(): void
}

interface Rule {
  raw: RawMqttRule
  regex: RegExp | undefined
}

/**
 * Makes the simulated device of a model file.
 *
 * @param raw - a model file without faults
 * @param base - the topic of its address
 * @returns null when it has no `simulation`, or is no device behind a broker
 */
export function createMqttAnswerer(raw: RawModel, base: string): MqttAnswerer | null {
  if (raw.transport !== 'mqtt') return null
  return readMqttSimulation(raw as { simulation?: RawMqttSimulation }, () => undefined)?.(base) ?? null
}

/** Compiles `simulation:`. @returns undefined when there is none */
export function readMqttSimulation(
  { simulation }: { simulation?: RawMqttSimulation },
  report: Report,
): ((base: string) => MqttAnswerer) | undefined {
  if (!simulation) return undefined
  const variables = readVariables(simulation.state ?? {}, report)
  const names = [...variables.keys()]
  const check = (saying: RawSaying, place: Path, known: readonly string[]): void => {
    checkTopic(saying.topic, [...place, 'topic'], report)
    checkNames(saying.payload ?? '', [...place, 'payload'], known, report)
    for (const [index, name] of (saying.changed ?? []).entries()) {
      if (!variables.has(name)) {
        report([...place, 'changed', index], `There is no variable "${name}" in "state".`)
      }
    }
  }
  if (simulation.will) check(simulation.will, ['simulation', 'will'], names)
  for (const key of ['connect', 'publish'] as const) {
    for (const [index, saying] of (simulation[key] ?? []).entries()) {
      check(saying, ['simulation', key, index], names)
    }
  }
  if ((simulation.publish === undefined) !== (simulation.every === undefined)) {
    report(['simulation'], 'Of "every" and "publish" each needs the other.')
  }
  const rules = (simulation.rules ?? []).map((raw, index) => {
    const place = ['simulation', 'rules', index]
    checkTopic(raw.topic, [...place, 'topic'], report)
    const pattern =
      raw.pattern === undefined ? undefined : readPattern(raw.pattern, [...place, 'pattern'], report)
    const known = [...names, ...(pattern?.groups ?? [])]
    for (const key of ['when', 'set'] as const) {
      for (const [name, value] of Object.entries(raw[key] ?? {})) {
        if (!variables.has(name)) {
          report([...place, key, name], `There is no variable "${name}" in "state".`, 'key')
        }
        if (key === 'set') checkNames(String(value), [...place, key, name], known, report)
      }
    }
    for (const [at, saying] of (raw.publish ?? []).entries()) check(saying, [...place, 'publish', at], known)
    return { raw, regex: pattern?.regex }
  })
  return (base) => new SimulatedDevice(simulation, rules, new SimulatedState(variables), base)
}

class SimulatedDevice implements MqttAnswerer {
  readonly #raw: RawMqttSimulation
  readonly #rules: readonly Rule[]
  readonly #state: SimulatedState
  readonly #base: string

  constructor(raw: RawMqttSimulation, rules: readonly Rule[], state: SimulatedState, base: string) {
    this.#raw = raw
    this.#rules = rules
    this.#state = state
    this.#base = base
  }

  get topics(): readonly string[] {
    return [...new Set(this.#rules.map(({ raw }) => fullTopic(this.#base, raw.topic)))]
  }

  get will(): MqttSaying | null {
    return this.#raw.will ? this.#saying(this.#raw.will, {}) : null
  }

  get talks(): MqttAnswerer['talks'] {
    const everyMs = ms(this.#raw.every)
    return everyMs === undefined ? null : { everyMs, next: () => this.#all(this.#raw.publish) }
  }

  get state(): Readonly<Record<string, string | number>> {
    return this.#state.all()
  }

  set(name: string, value: string | number): void {
    this.#state.set(name, value)
  }

  reset(): void {
    this.#state.reset()
  }

  greeting(): MqttSaying[] {
    return this.#all(this.#raw.connect)
  }

  receive(topic: string, payload: string): MqttSaying[] {
    for (const { raw, regex } of this.#rules) {
      if (fullTopic(this.#base, raw.topic) !== topic || !this.#holds(raw)) continue
      const match = regex?.exec(payload)
      if (!regex || match) return this.#carryOut(raw, { ...match?.groups })
    }
    return []
  }

  #holds({ when = {} }: RawMqttRule): boolean {
    return Object.entries(when).every(([name, value]) => String(this.#state.get(name)) === String(value))
  }

  /** A value that a variable does not take changes nothing, and nothing is said of it. */
  #carryOut(raw: RawMqttRule, captured: Readonly<Record<string, string | undefined>>): MqttSaying[] {
    const before = this.#state.all()
    const given = Object.entries(captured).filter(([name]) => this.#state.has(name))
    const wanted = Object.entries(raw.set ?? {}).map(
      ([name, value]) => [name, this.#filled(String(value), captured)] as const,
    )
    const changes = new Map<string, string | number>()
    for (const [name, text = ''] of [...given, ...wanted]) {
      const taken = this.#state.taken(name, text)
      if ('error' in taken) return []
      changes.set(name, taken.value)
    }
    for (const [name, value] of changes) this.#state.set(name, value)
    return (raw.publish ?? []).flatMap((saying) => {
      const { changed } = saying
      const said = changed === undefined || changed.some((name) => this.#state.get(name) !== before[name])
      return said ? [this.#saying(saying, captured)] : []
    })
  }

  #all(sayings: readonly RawSaying[] = []): MqttSaying[] {
    return sayings.map((saying) => this.#saying(saying, {}))
  }

  #saying(raw: RawSaying, captured: Readonly<Record<string, string | undefined>>): MqttSaying {
    const { topic, payload = '', retain = false, qos = 0 } = raw
    return { topic: fullTopic(this.#base, topic), payload: this.#filled(payload, captured), retain, qos }
  }

  #filled(text: string, captured: Readonly<Record<string, string | undefined>>): string {
    return piecesOf(text, [], () => undefined)
      .map(({ text: plain, name }) => {
        if (name === undefined) return plain
        return this.#state.has(name) ? this.#state.shown(name) : (captured[name] ?? '')
      })
      .join('')
  }
}

function checkNames(text: string, place: Path, known: readonly string[], report: Report): void {
  for (const { name } of piecesOf(text, place, report)) {
    if (name !== undefined && !known.includes(name)) {
      report(place, `There is no {${name}}: neither a variable in "state" nor part of the message.`)
    }
  }
}
