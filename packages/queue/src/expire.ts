import type { Connection } from './connection.ts'
import { endingOf } from './records.ts'
import { runScript } from './scripts.ts'

const EXPIRED = endingOf({
  outcome: 'refused',
  effect: 'none',
  code: 'COMMAND_EXPIRED',
  message: 'It waited past its valid-until; nothing was sent.',
})

/** Refuses the commands of these instruments that have waited past their valid-until. @returns how many */
export async function expireCommands(
  redis: Connection,
  root: string,
  instruments: readonly string[],
): Promise<number> {
  if (instruments.length === 0) return 0
  return (await runScript(redis, 'golemExpire', root, EXPIRED, ...instruments)) as number
}
