/** What Grbl 1.1 says. Source: github.com/gnea/grbl, doc/markdown/interface.md and doc/csv. */

export type Triple = readonly [number, number, number]

/** `<Idle|MPos:0.000,0.000,0.000|FS:0,0|...>`; fields after the second may come and go. */
export interface Status {
  /** Without its sub-state: `Hold`, not `Hold:0`. */
  state: string
  machine?: Triple
  work?: Triple
  /** What lies between the two. */
  offset?: Triple
  feed?: number
  spindle?: number
  /** feed, rapids, spindle, in % */
  overrides?: Triple
}

export const STATES = ['Idle', 'Run', 'Hold', 'Jog', 'Alarm', 'Door', 'Check', 'Home', 'Sleep'] as const

/** Reads a status report, also one that comes behind the half of another; undefined: it is none, or spoilt. */
export function parseStatus(line: string): Status | undefined {
  const body = /<([^<>]+)>$/.exec(line)?.[1]
  if (body === undefined) return undefined
  const [first = '', ...fields] = body.split('|')
  const state = first.split(':', 1)[0] ?? ''
  if (!STATES.some((known) => known === state)) return undefined
  const status: Status = { state }
  for (const field of fields) {
    const [name = '', text = ''] = field.split(':')
    const numbers = text.split(',').map(Number)
    if (text === '' || numbers.some((number) => !Number.isFinite(number))) {
      // Names of pins and the like are no numbers; a position that is none makes the report worthless.
      if (['MPos', 'WPos', 'WCO', 'F', 'FS', 'Ov'].includes(name)) return undefined
      continue
    }
    const [a = 0, b = 0, c = 0] = numbers
    if (name === 'MPos') status.machine = [a, b, c]
    else if (name === 'WPos') status.work = [a, b, c]
    else if (name === 'WCO') status.offset = [a, b, c]
    else if (name === 'Ov') status.overrides = [a, b, c]
    else if (name === 'FS') [status.feed, status.spindle] = [a, b]
    else if (name === 'F') status.feed = a
  }
  return status.machine || status.work ? status : undefined
}

export const isWelcome = (line: string): boolean => /^Grbl(HAL)? \d/i.test(line)
export const isResponse = (line: string): boolean => line === 'ok' || /^error:\d+$/.test(line)

/** The number of an alarm that it tells of by itself. */
export function alarmNumber(line: string): number | undefined {
  const number = /^ALARM:(\d{1,3})$/.exec(line)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** After these, where the stage stands is not known any more. */
export const LOSES_POSITION: ReadonlySet<number> = new Set([1, 3, 6, 7, 8, 9, 10])

const ALARMS: Readonly<Record<number, string>> = {
  1: 'a limit switch was hit',
  2: 'the target lies outside the travel',
  3: 'it was reset while it moved',
  4: 'the probe was not in its initial state',
  5: 'the probe did not touch anything',
  6: 'it was reset while it went home',
  7: 'the safety door was opened while it went home',
  8: 'going home failed: the limit switch stayed closed',
  9: 'going home failed: no limit switch was found',
  10: 'going home failed: the second limit switch of an axis was not found',
}

const ERRORS: Readonly<Record<number, string>> = {
  1: 'a letter was expected',
  2: 'a number is bad',
  3: 'it does not know this $ command',
  4: 'a negative value where none may be',
  5: 'it has no limit switches to go home by ($22=0)',
  7: 'its memory of settings could not be read',
  8: 'that is possible only while it is idle',
  9: 'it is locked by an alarm or a jog: unlock it or go home first',
  10: 'soft limits need homing',
  11: 'the line is too long',
  12: 'a step rate is too high',
  13: 'its safety door is open',
  15: 'the jog would leave the travel',
  16: 'that is no jog',
  17: 'laser mode needs a PWM output',
  20: 'it does not support this command',
  21: 'two commands of one kind in a line',
  22: 'no feed rate is set',
}

export function alarmInWords(number: number): string {
  return `ALARM:${number}: ${ALARMS[number] ?? 'see its manual'}`
}

export function errorInWords(line: string): string {
  const number = Number(line.slice('error:'.length))
  const grammar = number >= 23 && number <= 38 ? 'the line is not correct G-code' : 'see its manual'
  return `${line}: ${ERRORS[number] ?? grammar}`
}
