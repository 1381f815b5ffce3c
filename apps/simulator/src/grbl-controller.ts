import type { Clock } from '@golem/core'
import { GrblMotion, PLANNER_BLOCKS, type Position } from './grbl-motion.ts'
import { ERRORS, parseWords, withoutComments, type Words } from './grbl-words.ts'

export interface GrblSettings {
  /** Travel of the axes from 0, mm (default 200, 200, 50). */
  travel?: Position
  /** Has limit switches to find its home (default true). */
  homing?: boolean
  /** How long finding home takes, s (default 0.4). */
  homingSeconds?: number
  /** mm/s² (default 200) */
  acceleration?: number
}

type State = 'Idle' | 'Run' | 'Hold' | 'Jog' | 'Alarm' | 'Home' | 'Check' | 'Sleep'
type Answer = (text: string) => void

const TICK_MS = 5
const RAPID_MM_PER_MIN = 3000
const MAX_LINE = 80
const OFFSET_EVERY = 10
const AXES = ['X', 'Y', 'Z'] as const
const UNDERSTOOD = new Set([0, 1, 4, 20, 21, 53, 54, 80, 90, 91, 94])

/** Grbl 1.1 as it looks from its serial line, with a stage of three axes. */
export class GrblController {
  readonly #settings: Required<GrblSettings>
  readonly #clock: Clock
  /** Sends what nobody asked for. */
  readonly #push: (text: string) => void
  #motion: GrblMotion
  #state: State = 'Idle'
  #powered = false
  #ticker: NodeJS.Timeout | undefined
  #tickedAt = 0
  /** Lines that wait for their ok: for room in the planner, a dwell, home. */
  #blocked: { ready: () => boolean; answer: () => void } | null = null
  #lines: { line: string; answer: Answer }[] = []
  #feed = 0
  #relative = false
  #inches = false
  #rapid = true
  #offset: Position = [0, 0, 0]
  #spindle = 0
  #spindleWord = 0
  /** Bytes that have come since the last look: of each kind one counts, as in the real one. */
  readonly #flags = new Set<number>()
  #overrides = { feed: 100, rapid: 100, spindle: 100 }
  #reports = 0
  #tellOverrides = true
  #stopped: { at: Position; speed: number } | null = null

  constructor(settings: GrblSettings, clock: Clock, push: (text: string) => void) {
    this.#settings = {
      travel: [200, 200, 50],
      homing: true,
      homingSeconds: 0.4,
      acceleration: 200,
      ...settings,
    }
    this.#clock = clock
    this.#push = push
    this.#motion = new GrblMotion(this.#settings.acceleration)
  }

  /** Boots: where it stands is 0 from now on, wherever that is. */
  powerOn(): void {
    this.powerOff()
    this.#powered = true
    this.#motion = new GrblMotion(this.#settings.acceleration)
    this.#state = 'Idle'
    this.#tickedAt = this.#clock.now()
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#welcome()
  }

  powerOff(): void {
    clearInterval(this.#ticker)
    this.#powered = false
    this.#lines = []
    this.#blocked = null
  }

  /** A line without its end; it is answered in its turn. */
  line(line: string, answer: Answer): void {
    if (!this.#powered) return
    this.#lines.push({ line, answer })
    this.#work()
  }

  /** A real-time byte. @returns whether it is one */
  realTime(byte: number, answer: Answer): void {
    if (!this.#powered) return
    if (byte === 0x3f) {
      // As the real one, which does not look while it finds its home.
      if (this.#state !== 'Home') answer(this.#status())
    } else if (byte === 0x18) this.#reset()
    else if (byte === 0x21) this.#hold()
    else if (byte === 0x7e) this.#resume()
    else if (byte === 0x85 && this.#state === 'Jog') this.#motion.hold()
    else if (byte >= 0x90) this.#flags.add(byte)
  }

  /** A limit switch, say. @param number - as in Grbl's table */
  alarm(number: number): void {
    this.#motion.kill()
    this.#state = 'Alarm'
    this.#push(`ALARM:${number}\r\n[MSG:Reset to continue]\r\n`)
  }

  state(): Record<string, unknown> {
    return {
      state: this.#state,
      position: this.#motion.position.map(rounded),
      moving: this.#motion.moving,
      feed: this.#motion.feed,
      spindle: this.#spindle,
      overrides: { ...this.#overrides },
      /** Where it was, and how fast (mm/s), when the last hold or reset came. */
      stopped: this.#stopped,
    }
  }

  #welcome(): void {
    this.#push("\r\nGrbl 1.1h ['$' for help]\r\n")
    if (this.#state === 'Alarm') this.#push("[MSG:'$H'|'$X' to unlock]\r\n")
  }

  #tick(): void {
    const now = this.#clock.now()
    // In small steps, also when this process was late.
    for (; this.#tickedAt + TICK_MS <= now; this.#tickedAt += TICK_MS) this.#motion.advance(TICK_MS / 1000)
    for (const byte of this.#flags) this.#override(byte)
    this.#flags.clear()
    if (this.#motion.held && this.#state === 'Jog') {
      this.#motion.clear()
      this.#state = 'Idle'
    }
    const resting = !this.#motion.moving && this.#motion.waiting === 0
    if (resting && (this.#state === 'Run' || this.#state === 'Jog')) this.#state = 'Idle'
    this.#work()
  }

  #work(): void {
    for (;;) {
      if (this.#blocked) {
        if (!this.#blocked.ready()) return
        const { answer } = this.#blocked
        this.#blocked = null
        answer()
      }
      const next = this.#lines.shift()
      if (!next) return
      const error = this.#execute(withoutComments(next.line), next.answer)
      if (error === undefined) continue
      next.answer(error === 0 ? 'ok\r\n' : `error:${error}\r\n`)
    }
  }

  /** @returns 0: ok; an error number; undefined: it is answered later */
  #execute(line: string, answer: Answer): number | undefined {
    if (line.length > MAX_LINE) return ERRORS.lineTooLong
    if (line === '') return 0
    if (line.startsWith('$')) return this.#dollar(line.toUpperCase(), answer)
    if (this.#state === 'Alarm' || this.#state === 'Jog') return ERRORS.locked
    const words = parseWords(line)
    if (typeof words === 'number') return words
    return this.#block(words, answer)
  }

  #dollar(line: string, answer: Answer): number | undefined {
    if (line.startsWith('$J=')) return this.#jog(line.slice(3))
    const restful = this.#state === 'Idle' || this.#state === 'Alarm'
    switch (line) {
      case '$':
        answer('[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\n')
        return 0
      case '$$':
        if (!restful) return ERRORS.notIdle
        answer(this.#settingLines())
        return 0
      case '$I':
        if (!restful) return ERRORS.notIdle
        answer('[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n')
        return 0
      case '$G':
        answer(`[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F${this.#feed} S${this.#spindleWord}]\r\n`)
        return 0
      case '$X':
        if (this.#state === 'Alarm') {
          this.#state = 'Idle'
          answer('[MSG:Caution: Unlocked]\r\n')
        }
        return 0
      case '$H':
        if (!this.#settings.homing) return ERRORS.homingDisabled
        if (!restful) return ERRORS.notIdle
        this.#home(answer)
        return undefined
      default:
        return ERRORS.unknownDollar
    }
  }

  #home(answer: Answer): void {
    this.#state = 'Home'
    const until = this.#clock.now() + this.#settings.homingSeconds * 1000
    this.#blocked = {
      ready: () => this.#clock.now() >= until,
      answer: () => {
        this.#motion.place([0, 0, 0])
        this.#state = 'Idle'
        answer('ok\r\n')
      },
    }
  }

  #jog(text: string): number {
    if (this.#state !== 'Idle' && this.#state !== 'Jog') return ERRORS.notIdle
    const words = parseWords(text)
    if (typeof words === 'number') return words
    const feed = words['F']?.[0]
    if (feed === undefined) return ERRORS.noFeed
    const relative = words['G']?.includes(91) ?? this.#relative
    if (!AXES.some((axis) => words[axis])) return ERRORS.badJog
    const target = this.#target(words, relative, words['G']?.includes(53) ?? false)
    if (target.some((at, axis) => at < -1e-6 || at > (this.#settings.travel[axis] ?? 0) + 1e-6)) {
      return ERRORS.jogOutOfTravel
    }
    this.#state = 'Jog'
    this.#motion.add(target, feed * (this.#inches ? 25.4 : 1))
    return 0
  }

  #block(words: Words, answer: Answer): number | undefined {
    const codes = words['G'] ?? []
    if (codes.some((code) => !UNDERSTOOD.has(code))) return ERRORS.unsupported
    const machine = words['M'] ?? []
    if (machine.some((code) => ![0, 2, 3, 4, 5, 8, 9, 30].includes(code))) return ERRORS.unsupported
    if (codes.includes(20) || codes.includes(21)) this.#inches = codes.includes(20)
    if (codes.includes(90) || codes.includes(91)) this.#relative = codes.includes(91)
    if (codes.includes(0) || codes.includes(1)) this.#rapid = codes.includes(0)
    if (words['F']) this.#feed = (words['F'][0] ?? 0) * (this.#inches ? 25.4 : 1)
    if (words['S']) this.#spindleWord = words['S'][0] ?? 0
    if (machine.includes(3) || machine.includes(4)) this.#spindle = this.#spindleWord
    if (machine.includes(5)) this.#spindle = 0
    if (codes.includes(4)) {
      this.#dwell((words['P']?.[0] ?? 0) * 1000, answer)
      return undefined
    }
    if (!AXES.some((axis) => words[axis])) return 0
    if (!this.#rapid && this.#feed === 0) return ERRORS.noFeed
    this.#motion.add(
      this.#target(words, this.#relative, codes.includes(53)),
      this.#rapid ? RAPID_MM_PER_MIN : this.#feed,
    )
    if (this.#state === 'Idle') this.#state = 'Run'
    if (this.#motion.waiting < PLANNER_BLOCKS) return 0
    this.#blocked = {
      ready: () => this.#motion.waiting < PLANNER_BLOCKS,
      answer: () => answer('ok\r\n'),
    }
    return undefined
  }

  #dwell(ms: number, answer: Answer): void {
    let until = Infinity
    this.#blocked = {
      ready: () => {
        if (this.#motion.waiting > 0) return false
        until = Math.min(until, this.#clock.now() + ms)
        return this.#clock.now() >= until
      },
      answer: () => answer('ok\r\n'),
    }
  }

  #target(words: Words, relative: boolean, machine: boolean): Position {
    const from = this.#motion.end
    const scale = this.#inches ? 25.4 : 1
    const at = (axis: 0 | 1 | 2): number => {
      const word = words[AXES[axis]]?.[0]
      if (word === undefined) return from[axis]
      if (relative && !machine) return from[axis] + word * scale
      return word * scale + (machine ? 0 : this.#offset[axis])
    }
    return [at(0), at(1), at(2)]
  }

  #hold(): void {
    this.#noteStop()
    if (this.#state === 'Jog') this.#motion.hold()
    else if (this.#state === 'Run') {
      this.#motion.hold()
      this.#state = 'Hold'
    }
  }

  #resume(): void {
    if (this.#state !== 'Hold') return
    this.#motion.resume()
    this.#state = 'Run'
  }

  #reset(): void {
    this.#noteStop()
    const homing = this.#state === 'Home'
    const lost = homing || this.#motion.feed > 0
    this.#motion.kill()
    this.#lines = []
    this.#blocked = null
    this.#spindle = 0
    this.#overrides = { feed: 100, rapid: 100, spindle: 100 }
    this.#motion.override = 1
    this.#feed = 0
    this.#relative = false
    this.#inches = false
    if (lost) this.#push(`ALARM:${homing ? 6 : 3}\r\n`)
    this.#state = lost || this.#state === 'Alarm' ? 'Alarm' : 'Idle'
    this.#welcome()
  }

  #noteStop(): void {
    this.#stopped = { at: this.#motion.position, speed: this.#motion.feed / 60 }
  }

  #override(byte: number): void {
    const changed = (name: 'feed' | 'spindle', first: number, lowest: number): void => {
      const steps = [undefined, 10, -10, 1, -1]
      const step = steps[byte - first]
      const value = step === undefined ? 100 : this.#overrides[name] + step
      this.#overrides[name] = Math.min(200, Math.max(lowest, value))
      this.#tellOverrides = true
    }
    if (byte >= 0x90 && byte <= 0x94) changed('feed', 0x90, 10)
    else if (byte >= 0x99 && byte <= 0x9d) changed('spindle', 0x99, 10)
    this.#motion.override = this.#overrides.feed / 100
  }

  #status(): string {
    this.#reports += 1
    const { feed, rapid, spindle } = this.#overrides
    const state = this.#state === 'Hold' ? `Hold:${this.#motion.held ? 0 : 1}` : this.#state
    const fields = [
      state,
      `MPos:${this.#motion.position.map((at) => at.toFixed(3)).join(',')}`,
      `FS:${this.#motion.feed.toFixed(0)},${Math.round((this.#spindle * spindle) / 100)}`,
    ]
    // One of the two at most, as the real one does it.
    if (this.#reports % OFFSET_EVERY === 1) {
      fields.push(`WCO:${this.#offset.map((at) => at.toFixed(3)).join(',')}`)
    } else if (this.#tellOverrides || this.#reports % OFFSET_EVERY === 2) {
      this.#tellOverrides = false
      fields.push(`Ov:${feed},${rapid},${spindle}`)
    }
    return `<${fields.join('|')}>\r\n`
  }

  #settingLines(): string {
    const { travel, homing, acceleration } = this.#settings
    const lines: [number, number | string][] = [
      [10, 1],
      [13, 0],
      [20, 0],
      [22, homing ? 1 : 0],
      ...AXES.map((_, axis): [number, string] => [110 + axis, RAPID_MM_PER_MIN.toFixed(3)]),
      ...AXES.map((_, axis): [number, string] => [120 + axis, acceleration.toFixed(3)]),
      ...AXES.map((_, axis): [number, string] => [130 + axis, (travel[axis] ?? 0).toFixed(3)]),
    ]
    return lines.map(([number, value]) => `$${number}=${value}\r\n`).join('')
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
