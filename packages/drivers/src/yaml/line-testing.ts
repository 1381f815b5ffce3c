import { GolemError, type LineDriver, type Value } from '@golem/core'
import { type LineScript, withScript } from '@golem/transports/testing'

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
