import { fstatSync } from 'node:fs'

/** Where a process writes its log, as pino has it. */
interface Destination {
  write: (line: string) => unknown
  flushSync?: () => void
}

/** Priorities of syslog by pino's levels; the journal takes them from the beginning of a line and leaves them out. */
const PRIORITIES: readonly (readonly [level: number, priority: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
]
const DEBUG = 7

/**
 * The log of a process, each line with its priority in front (`<4>`) where systemd's journal reads it, so that
 * `journalctl -p warning` works. Everywhere else, and when the output is sent elsewhere, lines stay plain JSON.
 *
 * @param destination - on standard output
 * @param variables - instead of the environment of the process
 */
export function withPriorities(
  destination: Destination,
  variables: NodeJS.ProcessEnv = process.env,
): Destination {
  if (!isJournal(variables['JOURNAL_STREAM'])) return destination
  const wrapped = {
    // pino leaves the level of each line here before it writes it.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write: (line: string): void => {
      destination.write(`<${priorityOf(wrapped.lastLevel)}>${line}`)
    },
    flushSync: (): void => destination.flushSync?.(),
  }
  return wrapped
}

function priorityOf(level: number): number {
  return PRIORITIES.find(([least]) => level >= least)?.[1] ?? DEBUG
}

/** Is standard output the stream that systemd names, as `device:inode`? Children inherit the variable with another output. */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false
  const { dev, ino } = fstatSync(1)
  return stream === `${dev}:${ino}`
}
