import type { ActionShape, DriverShape, ParameterShape } from './messages.ts'

const isFunction = (value: unknown): boolean => typeof value === 'function'

/** What of a driver can be handed over to another thread; the functions stay. */
export function shapeOf(driver: unknown): DriverShape {
  if (typeof driver !== 'object' || driver === null) throw new TypeError('create returned no driver')
  const { transport, link, parameters, actions, ...others } = driver as Record<string, unknown>
  for (const name of ['identify', 'readAll']) {
    if (!isFunction(others[name])) throw new TypeError(`the driver has no function ${name}`)
  }
  return {
    transport: transport as DriverShape['transport'],
    link: values(link),
    parameters: each(parameters, (spec, name): ParameterShape => {
      const { timed } = spec
      if (isTable(timed) && !isFunction(timed['write'])) {
        throw new TypeError(`"timed" of ${name} has no function write`)
      }
      return {
        ...(values(spec) as { label: string }),
        has: {
          read: isFunction(spec['read']),
          write: isFunction(spec['write']),
          timed: timed !== undefined,
          matches: isFunction(spec['matches']),
        },
      }
    }),
    actions: each(actions, (spec, name): ActionShape => {
      if (!isFunction(spec['run'])) throw new TypeError(`the action ${name} has no function run`)
      return values(spec) as ActionShape
    }),
    has: {
      initialise: isFunction(others['initialise']),
      makeSafe: isFunction(others['makeSafe']),
      shutDown: isFunction(others['shutDown']),
      unsolicited: isFunction(others['unsolicited']),
    },
    rest: values(others),
  }
}

/** A table without its functions, on every level. */
function values(table: unknown): Record<string, unknown> {
  if (!isTable(table)) return {}
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, value]): [string, unknown][] => {
      if (isFunction(value) || value === undefined) return []
      return [[key, isTable(value) ? values(value) : value]]
    }),
  )
}

function each<T>(
  table: unknown,
  make: (spec: Record<string, unknown>, name: string) => T,
): Record<string, T> {
  if (!isTable(table)) throw new TypeError('parameters and actions of a driver are tables')
  return Object.fromEntries(
    Object.entries(table).map(([name, spec]) => {
      if (!isTable(spec)) throw new TypeError(`${name} is no table`)
      return [name, make(spec, name)]
    }),
  )
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
