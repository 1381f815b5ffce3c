/** What the analyser can be set to, with the values it leaves the factory with. */
export interface Sba5Settings {
  /** S,11: seconds between lines in continuous display. */
  intervalSeconds: number
  /** S,9: % */
  pumpPower: number
  /** F: which fields a measurement line has. */
  mask: number
  /** A: minutes between zeros; 0: none; negative: no progressive ones after power-up. */
  zeroMinutes: number
  /** D */
  zeroAtPowerUp: boolean
  /** E */
  zeroLength: 'S' | 'M' | 'L'
  /** W */
  portsSwapped: boolean
  /** P */
  pump: boolean
  /** K */
  source: boolean
  /** C: decimals of CO2. */
  decimals: number
  /** B: ppm; 0: no averaging. */
  average: number
  /** L: ppm; 0: no alarm. */
  lowAlarm: number
  /** U */
  scale: number
  /** T: °C */
  thermostat: number
  /** J: a millivolt value stands before the status. */
  spareInput: boolean
  /** O, H, I: kept as they are sent. */
  outputs: Readonly<Record<string, string>>
}

export const FACTORY_SETTINGS: Sba5Settings = {
  intervalSeconds: 1,
  pumpPower: 50,
  mask: 252,
  zeroMinutes: 0,
  zeroAtPowerUp: true,
  zeroLength: 'S',
  portsSwapped: false,
  pump: true,
  source: true,
  decimals: 2,
  average: 6,
  lowAlarm: 0,
  scale: 1,
  thermostat: 55,
  spareInput: false,
  outputs: {},
}

/** Length of a zero in seconds, as a real one takes it, by its letter. */
export const ZERO_SECONDS = { S: 21, M: 40, L: 90 } as const

type Change = Partial<Sba5Settings>

const SWITCHES: Readonly<Record<string, (on: boolean) => Change>> = {
  D: (on) => ({ zeroAtPowerUp: on }),
  W: (on) => ({ portsSwapped: on }),
  P: (on) => ({ pump: on }),
  K: (on) => ({ source: on }),
  J: (on) => ({ spareInput: on }),
}

interface NumberCommand {
  min: number
  max: number
  whole: boolean
  change: (value: number) => Change
}

const NUMBERS: Readonly<Record<string, NumberCommand>> = {
  'S,11,': { min: 0.1, max: 36_000, whole: false, change: (seconds) => ({ intervalSeconds: seconds }) },
  'S,9,': { min: 0, max: 100, whole: true, change: (percent) => ({ pumpPower: percent }) },
  // How checksums are computed is not known, so there is nothing to simulate but their absence.
  'S,16,': { min: 0, max: 0, whole: true, change: () => ({}) },
  F: { min: 0, max: 255, whole: true, change: (mask) => ({ mask }) },
  A: { min: -10_000, max: 10_000, whole: true, change: (minutes) => ({ zeroMinutes: minutes }) },
  C: { min: 0, max: 2, whole: true, change: (decimals) => ({ decimals }) },
  B: { min: 0, max: 100_000, whole: false, change: (ppm) => ({ average: ppm }) },
  L: { min: 0, max: 100_000, whole: false, change: (ppm) => ({ lowAlarm: ppm }) },
  U: { min: 0.1, max: 10, whole: false, change: (factor) => ({ scale: factor }) },
  T: { min: 27, max: 60, whole: true, change: (celsius) => ({ thermostat: celsius }) },
}

/**
 * What a string command changes.
 *
 * @param text - without its CR, e.g. `F252`; a checksum `,043C` behind it is ignored
 * @returns undefined: not a command, or a value out of range
 */
export function settingChange(text: string, present: Sba5Settings): Change | undefined {
  const bare = text.replace(/,\d{3}C$/, '')
  const letter = bare.charAt(0)
  const rest = bare.slice(1)
  const onOff = Object.hasOwn(SWITCHES, letter) ? SWITCHES[letter] : undefined
  if (onOff) return rest === '0' || rest === '1' ? onOff(rest === '1') : undefined
  if (letter === 'E') {
    const length = (['S', 'M', 'L'] as const).find((each) => each === rest)
    return length && { zeroLength: length }
  }
  if (letter === 'O' || letter === 'H' || letter === 'I') {
    const form = letter === 'I' ? /^\d+(\.\d+)?$/ : /^\d+(\.\d+)?,\d+(\.\d+)?$/
    return form.test(rest) ? { outputs: { ...present.outputs, [letter]: rest } } : undefined
  }
  const prefix = letter === 'S' ? (/^S,\d+,/.exec(bare)?.[0] ?? '') : letter
  const command = Object.hasOwn(NUMBERS, prefix) ? NUMBERS[prefix] : undefined
  if (!command) return undefined
  const argument = bare.slice(prefix.length)
  if (!(command.whole ? /^-?\d+$/ : /^\d+(\.\d+)?$/).test(argument)) return undefined
  const value = Number(argument)
  return value >= command.min && value <= command.max ? command.change(value) : undefined
}

/** The answer to `?`: one line with everything. Its form is not documented; the two names are. */
export function configurationLine(settings: Sba5Settings): string {
  const bit = (on: boolean): string => (on ? '1' : '0')
  return [
    `F=${settings.mask}`,
    `C=${settings.decimals}`,
    `A=${settings.zeroMinutes}`,
    `E=${settings.zeroLength}`,
    `Zpup=${bit(settings.zeroAtPowerUp)}`,
    `Zdir=${bit(settings.portsSwapped)}`,
    `P=${bit(settings.pump)}`,
    `K=${bit(settings.source)}`,
    `B=${settings.average}`,
    `L=${settings.lowAlarm}`,
    `U=${settings.scale}`,
    `T=${settings.thermostat}`,
    `J=${bit(settings.spareInput)}`,
    `S11=${settings.intervalSeconds}`,
    `S9=${settings.pumpPower}`,
  ].join(' ')
}

const SINGLE = new Set(['M', '!', '@', 'Z', 'N', 'V', '?', 'X', ']'])
const MAX_COMMAND = 64

/** Cuts what comes in into commands: single characters act at once, the others end with CR. */
export class Sba5CommandReader {
  #pending = ''

  /** Commands completed by these bytes, without CR; one that is too long comes as it is, to be refused. */
  push(bytes: string): string[] {
    const commands: string[] = []
    for (const character of bytes) {
      if (this.#pending === '' && SINGLE.has(character)) {
        commands.push(character)
      } else if (character === '\r' || character === '\n') {
        if (this.#pending !== '') commands.push(this.#pending)
        this.#pending = ''
      } else {
        this.#pending += character
        if (this.#pending.length > MAX_COMMAND) {
          commands.push(this.#pending)
          this.#pending = ''
        }
      }
    }
    return commands
  }
}

export function isSingle(command: string): boolean {
  return SINGLE.has(command)
}
