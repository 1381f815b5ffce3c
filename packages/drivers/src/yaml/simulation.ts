import type { Path } from '@golem/config'
import type { RawLineModel } from './line-schema.ts'
import type { RawModel, Report } from './model-file.ts'
import { checksumOf } from './nmea.ts'
import { readPattern } from './patterns.ts'
import { ms, splitFields } from './question.ts'
import { pathOf, readScpi } from './scpi-header.ts'
import { ScpiStatus } from './scpi-status.ts'
import type { RawRule, RawSimulation, RawWave } from './simulation-schema.ts'
import { readVariables, SimulatedState } from './simulation-state.ts'
import { piecesOf } from './template.ts'
import { waveAnswer } from './wave.ts'

/** An instrument that is played by the `simulation:` of its model file. It knows nothing of sockets and time. */
export interface Answerer {
  /**
   * Takes bytes as they come, in whatever pieces.
   *
   * @returns the answers, each with its line end, in their order
   */
  receive(bytes: Uint8Array): Buffer[]
  /** Takes one line without its end. @returns the answer with its line end; null: it answers nothing */
  answer(line: string): Buffer | null
  /** What it remembers, by name: a copy. */
  readonly state: Readonly<Record<string, string | number>>
  /** Sets a variable from outside, e.g. what it measures. */
  set(name: string, value: string | number): void
  /** Power off and on: what was set is gone. */
  reset(): void
  /** What it sends when somebody connects, or null. */
  readonly greeting: Buffer | null
  /** An instrument that talks by itself: how often, and the next thing it says; null: it does not. */
  readonly talks: { readonly everyMs: number; next(): Buffer } | null
}

interface Rule {
  raw: RawRule
  whole: RegExp
  header: RegExp | undefined
}

/** Lines of a simulated instrument longer than this are thrown away: what sends them is out of its mind. */
const LONGEST_INPUT = 1024 * 1024

/**
 * Makes the simulated instrument of a model file.
 *
 * @param raw - a model file without faults
 * @returns null when it has no `simulation`, or speaks Modbus or MQTT
 */
export function createAnswerer(raw: RawModel): Answerer | null {
  // Registers are played by createModbusAnswerer, devices behind a broker by createMqttAnswerer.
  if (raw.transport === 'modbus' || raw.transport === 'mqtt') return null
  const make = readSimulation(raw, () => undefined)
  return make?.() ?? null
}

/** Compiles `simulation:`. @returns undefined when there is none */
export function readSimulation(model: RawModel, report: Report): (() => Answerer) | undefined {
  const { simulation, link = {} } = model as RawLineModel
  if (!simulation) return undefined
  const variables = readVariables(simulation.state ?? {}, report)
  const rules = (simulation.rules ?? []).map((raw, index) =>
    readRule(raw, ['simulation', 'rules', index], variables, report),
  )
  for (const [index, text] of (simulation.lines ?? []).entries()) {
    checkNames(text, ['simulation', 'lines', index], [...variables.keys(), 'checksum'], report)
  }
  for (const [index, text] of (simulation.frames ?? []).entries()) {
    if (/^(?:[0-9a-f]{2}\s*)+$/i.test(text)) continue
    report(['simulation', 'frames', index], 'A frame is written as hexadecimal bytes, e.g. FF 86 01 90.')
  }
  const talks = [...(simulation.lines ?? []), ...(simulation.frames ?? [])].length > 0
  if (talks !== (simulation.every !== undefined)) {
    report(['simulation'], 'Of "every" and "lines" (or "frames") each needs the other.')
  }
  if (simulation.scpi === true && simulation.identity === undefined) {
    report(['simulation'], '"identity" is missing: what it answers to *IDN?.')
  }
  const terminators = { taken: link.send ?? '\n', sent: link.receive ?? '\n' }
  return () => new SimulatedInstrument(simulation, rules, new SimulatedState(variables), terminators)
}

class SimulatedInstrument implements Answerer {
  readonly #raw: RawSimulation
  readonly #rules: readonly Rule[]
  readonly #state: SimulatedState
  readonly #terminators: { taken: string; sent: string }
  readonly #status: ScpiStatus
  #piece = ''
  #next = 0

  constructor(
    raw: RawSimulation,
    rules: readonly Rule[],
    state: SimulatedState,
    terminators: { taken: string; sent: string },
  ) {
    this.#raw = raw
    this.#rules = rules
    this.#state = state
    this.#terminators = terminators
    this.#status = new ScpiStatus(raw)
  }

  get state(): Readonly<Record<string, string | number>> {
    return this.#state.all()
  }

  get greeting(): Buffer | null {
    return this.#raw.greeting === undefined ? null : this.#line(this.#raw.greeting)
  }

  get talks(): Answerer['talks'] {
    const everyMs = ms(this.#raw.every)
    return everyMs === undefined ? null : { everyMs, next: () => this.#say() }
  }

  set(name: string, value: string | number): void {
    this.#state.set(name, value)
  }

  reset(): void {
    this.#state.reset()
    this.#status.reset()
    this.#piece = ''
    this.#next = 0
  }

  receive(bytes: Uint8Array): Buffer[] {
    const answers: Buffer[] = []
    let text = ''
    for (const character of Buffer.from(bytes).toString('latin1')) {
      const rule = this.#rules.find(({ raw }) => raw.bytes === character && this.#holds(raw))
      const reply = rule && this.#carryOut(rule, {})
      if (reply) answers.push(Buffer.concat([reply, this.#end()]))
      if (!rule) text += character
    }
    const { taken } = this.#terminators
    const lines = taken === '' ? [this.#piece + text] : (this.#piece + text).split(taken)
    this.#piece = taken === '' ? '' : (lines.pop() ?? '')
    if (this.#piece.length > LONGEST_INPUT) this.#piece = ''
    for (const line of lines) {
      const answer = this.answer(line)
      if (answer) answers.push(answer)
    }
    return answers
  }

  answer(line: string): Buffer | null {
    const bare = line.trim()
    if (bare === '') return null
    const replies = this.#raw.scpi === true ? this.#message(bare) : [this.#command(bare)]
    const given = replies.filter((reply) => reply !== null)
    if (given.length === 0) return null
    const joined = given.flatMap((reply, index) => (index === 0 ? [reply] : [Buffer.from(';'), reply]))
    return Buffer.concat([...joined, this.#end()])
  }

  /** A SCPI message: commands joined by ;, each continuing the path of the one before unless it begins with a colon. */
  #message(message: string): (Buffer | null)[] {
    let path = ''
    return splitFields(message, ';').map((part) => {
      const command = part.trim()
      if (command === '') return null
      const continued = path !== '' && !/^[:*]/.test(command) ? path + command : command
      const meant = this.#knows(continued) ? continued : command
      if (!meant.startsWith('*')) path = pathOf(meant)
      return this.#command(meant)
    })
  }

  #knows(command: string): boolean {
    return (
      this.#rules.some(({ header, whole }) => (header ?? whole).test(command)) || this.#status.knows(command)
    )
  }

  #command(command: string): Buffer | null {
    for (const rule of this.#rules) {
      if (rule.raw.bytes !== undefined || !this.#holds(rule.raw)) continue
      const match = rule.whole.exec(command)
      if (match) return this.#carryOut(rule, { ...match.groups })
    }
    if (this.#raw.scpi !== true)
      return this.#raw.unknown === undefined ? null : Buffer.from(this.#raw.unknown, 'latin1')
    if (/^\*rst$/i.test(command)) {
      this.#state.reset()
      return null
    }
    const reply = this.#status.answer(command)
    if (reply !== undefined) return reply === null ? null : Buffer.from(reply, 'latin1')
    this.#status.push(this.#rules.some(({ header }) => header?.test(command)) ? -109 : -113)
    return null
  }

  #holds({ when = {} }: RawRule): boolean {
    return Object.entries(when).every(([name, value]) => String(this.#state.get(name)) === String(value))
  }

  #carryOut({ raw }: Rule, captured: Record<string, string | undefined>): Buffer | null {
    const changes = new Map<string, string | number>()
    const given = Object.entries(captured).filter(([name]) => this.#state.has(name))
    const wanted = Object.entries(raw.set ?? {}).map(([name, value]) => [
      name,
      this.#filled(String(value), captured),
    ])
    for (const [name = '', text = ''] of [...given, ...wanted]) {
      const taken = this.#state.taken(name, text)
      if ('error' in taken) {
        this.#status.push(taken.error)
        return raw.refusal === undefined ? null : Buffer.from(raw.refusal, 'latin1')
      }
      changes.set(name, taken.value)
    }
    for (const [name, value] of changes) this.#state.set(name, value)
    if (raw.error !== undefined) this.#status.push(raw.error)
    if (raw.wave) return waveAnswer(raw.wave, this.#points(raw.wave))
    return raw.reply === undefined ? null : Buffer.from(this.#filled(raw.reply, captured), 'latin1')
  }

  #points({ points }: RawWave): number {
    return typeof points === 'number' ? points : Math.max(0, Math.round(Number(this.#state.get(points) ?? 0)))
  }

  #filled(text: string, captured: Readonly<Record<string, string | undefined>>): string {
    return piecesOf(text, [], () => undefined)
      .map(({ text: plain, name }) => {
        if (name === undefined) return plain
        return this.#state.has(name) ? this.#state.shown(name) : (captured[name] ?? '')
      })
      .join('')
  }

  #say(): Buffer {
    const frames = (this.#raw.frames ?? []).map((hex) => Buffer.from(hex.replace(/\s/g, ''), 'hex'))
    const lines = this.#raw.lines ?? []
    const index = this.#next % Math.max(1, lines.length + frames.length)
    this.#next = index + 1
    const text = lines[index]
    if (text === undefined) return frames[index - lines.length] ?? Buffer.alloc(0)
    const filled = this.#filled(text.replaceAll('{checksum}', '{{checksum}}'), {})
    return this.#line(
      filled.replace('{checksum}', checksumOf(filled.replace(/^\$/, '').replace(/\*.*$/s, ''))),
    )
  }

  #line(text: string): Buffer {
    return Buffer.concat([Buffer.from(text, 'latin1'), this.#end()])
  }

  #end(): Buffer {
    return Buffer.from(this.#terminators.sent, 'latin1')
  }
}

function readRule(raw: RawRule, place: Path, variables: ReadonlyMap<string, unknown>, report: Report): Rule {
  const kinds = (['scpi', 'pattern', 'bytes'] as const).filter((key) => raw[key] !== undefined)
  if (kinds.length !== 1) report(place, 'A rule has one of "scpi", "pattern" and "bytes": what it is for.')
  const nothing = /$^/
  let rule: Rule = { raw, whole: nothing, header: undefined }
  const groups: string[] = []
  if (raw.scpi !== undefined) {
    const command = readScpi(raw.scpi)
    if (command) {
      rule = { raw, ...command }
      groups.push(...piecesOf(raw.scpi, [...place, 'scpi'], report).flatMap(({ name }) => name ?? []))
    } else {
      report(
        [...place, 'scpi'],
        'This is no SCPI command. Wanted: e.g. [:SOURce1]:VOLTage[:LEVel] {volts}, or OUTPut? {channel}.',
      )
    }
  } else if (raw.pattern !== undefined) {
    const pattern = readPattern(raw.pattern, [...place, 'pattern'], report)
    if (pattern) rule = { raw, whole: pattern.regex, header: undefined }
    groups.push(...(pattern?.groups ?? []))
  } else if (raw.bytes !== undefined && raw.bytes.length !== 1) {
    report([...place, 'bytes'], 'This is one character that acts at once.')
  }
  for (const key of ['when', 'set'] as const) {
    for (const [name, value] of Object.entries(raw[key] ?? {})) {
      if (!variables.has(name))
        report([...place, key, name], `There is no variable "${name}" in "state".`, 'key')
      if (key === 'set')
        checkNames(String(value), [...place, key, name], [...variables.keys(), ...groups], report)
    }
  }
  if (raw.reply !== undefined) {
    checkNames(raw.reply, [...place, 'reply'], [...variables.keys(), ...groups], report)
  }
  if (typeof raw.wave?.points === 'string' && !variables.has(raw.wave.points)) {
    report([...place, 'wave', 'points'], `There is no variable "${raw.wave.points}" in "state".`)
  }
  return rule
}

function checkNames(text: string, place: Path, known: readonly string[], report: Report): void {
  for (const { name } of piecesOf(text, place, report)) {
    if (name !== undefined && !known.includes(name)) {
      report(place, `There is no {${name}}: neither a variable in "state" nor part of the command.`)
    }
  }
}
