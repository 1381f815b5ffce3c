import { GolemError, type LineDriver, type LineIo, type Readings, type Value } from '@golem/core'
import { type LineScript, scriptedLine } from '@golem/transports/testing'

/** Runs `work` with a transcript; lines that nobody waits for go to the driver, as on a real line. */
export async function withScript<T>(
  driver: LineDriver,
  script: LineScript,
  work: (io: LineIo) => Promise<T>,
): Promise<{ result: T; strays: Readings[] }> {
  const strays: Readings[] = []
  const io = scriptedLine(script, (line) => {
    const found = driver.unsolicited?.(line)
    if (found) strays.push(found)
  })
  const result = await work(io)
  io.done()
  return { result, strays }
}

/** Matches an error of golem's table. */
export const code =
  (wanted: string, message = /./) =>
  (error: unknown): boolean =>
    error instanceof GolemError && error.code === wanted && message.test(error.message)

export const write = (driver: LineDriver, name: string, value: Value, script: LineScript) =>
  withScript(driver, script, async (io) => driver.parameters[name]?.write?.(io, value))

export const readAll = async (driver: LineDriver, script: LineScript, due = Object.keys(driver.parameters)) =>
  (await withScript(driver, script, (io) => driver.readAll(io, new Set(due)))).result

export const act = async (
  driver: LineDriver,
  name: string,
  args: Record<string, Value>,
  script: LineScript,
) => (await withScript(driver, script, async (io) => driver.actions[name]?.run(io, args))).result
