import type { CommandRecord } from '@golem/core'

/** What a device has received, held against what was commanded. */
export interface Verdict {
  /** Effects at the device that no command accounts for, or that came twice. */
  repeated: number
  /** Commands that are called done, and never came to the device. */
  missing: number
}

type Command = Pick<CommandRecord, 'value' | 'outcome'>

/**
 * Each command may have had its effect once; one that is called done has to have had it, one that was refused must not.
 *
 * @param received - values, in the order in which the device received them
 * @param commands - of the ledger, in the order in which they were given
 * @param isUnique - no value is meant to be written twice; otherwise they have to have come in their order
 */
export function judge(
  received: readonly unknown[],
  commands: readonly Command[],
  isUnique: boolean,
): Verdict {
  const had = new Set<Command>()
  let repeated = 0
  let next = 0
  for (const value of received) {
    const index = commands.findIndex(
      (command, place) =>
        (isUnique ? !had.has(command) : place >= next) &&
        command.outcome !== 'refused' &&
        command.value === value,
    )
    const command = commands[index]
    if (command) {
      had.add(command)
      next = index + 1
    } else repeated++
  }
  const twice = isUnique ? received.length - new Set(received).size : 0
  const missing = commands.filter((command) => command.outcome === 'done' && !had.has(command)).length
  return { repeated: Math.max(repeated, twice), missing }
}
