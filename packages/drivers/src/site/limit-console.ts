import { inspect } from 'node:util'

/** A driver may say so much in a second, in lines; more than that is dropped, and that is said. */
const LINES_PER_SECOND = 20

/**
 * What the driver prints goes to stderr, with its name: stdout belongs to golem's log and to answers in JSON.
 *
 * @param name - of the file
 */
export function limitConsole(name: string): void {
  let second = 0
  let said = 0
  const say = (...args: unknown[]): void => {
    const now = Math.floor(performance.now() / 1000)
    if (now !== second) {
      if (said > LINES_PER_SECOND)
        process.stderr.write(`${name}: ${said - LINES_PER_SECOND} lines left out\n`)
      second = now
      said = 0
    }
    said += 1
    if (said > LINES_PER_SECOND) return
    const text = args.map((each) => (typeof each === 'string' ? each : inspect(each))).join(' ')
    process.stderr.write(`${name}: ${text}\n`)
  }
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) console[method] = say
}
