import { defaultMatches, type Driver, type Readings, type Value } from '@golem/core'
import { Keeper } from './keeper.ts'
import type { ActionShape, Answered, DriverShape, FunctionPath, ParameterShape } from './messages.ts'
import { checkedAnswer, checkedReading, checkedReadings } from './readings.ts'
import type { DriverSource } from './source.ts'
import { ioMethods } from './thread-io.ts'

/** The time a function of a driver has, in ms, unless it says otherwise (actions: `timeLimitMs`). */
const LIMIT_MS = 30_000

/**
 * A driver whose functions are calls into a thread of its own, which is started when it is first needed.
 *
 * @param shape - what the driver is, as `create` with these options made it
 */
export function siteDriver(
  source: DriverSource,
  options: Readonly<Record<string, unknown>>,
  shape: DriverShape,
): Driver {
  const { name } = source
  const methods = ioMethods(shape.transport)
  let emit: ((readings: Readings) => void) | undefined
  const keeper = new Keeper(source, options, (answered: Answered) => {
    if ('error' in answered) return keeper.report(answered.error.message)
    if (answered.value === undefined) return
    try {
      emit?.(checkedReadings(name, 'what came by itself', answered.value))
    } catch (error) {
      keeper.report(String(error))
    }
  })
  const call = (
    path: FunctionPath,
    io: object,
    args: readonly unknown[],
    { doing = path.join('.'), limitMs = LIMIT_MS, urgent = false } = {},
  ): Promise<unknown> => keeper.call(path, args, { doing, limitMs, urgent, callIo: { io, methods } })
  const forward =
    (path: FunctionPath) =>
    (...args: unknown[]): undefined => {
      keeper.stray(path, args)
    }

  const parameter = (id: string, { has, ...spec }: ParameterShape): object => ({
    ...spec,
    ...(has.read && {
      read: async (io: object) => {
        const doing = `read of ${id}`
        return checkedReading(name, doing, await call(['parameters', id, 'read'], io, [], { doing }))
      },
    }),
    ...(has.write && {
      write: async (io: object, value: Value) => {
        const urgent = defaultMatches(value, (spec['safe'] ?? NaN) as Value)
        await call(['parameters', id, 'write'], io, [value], { doing: `write of ${id}`, urgent })
      },
    }),
    ...(has.timed && {
      timed: {
        ...(spec['timed'] as object),
        write: async (io: object, value: Value, ms: number) => {
          await call(['parameters', id, 'timed', 'write'], io, [value, ms], { doing: `timed write of ${id}` })
        },
      },
    }),
    ...(has.matches && {
      matches: (wanted: Value, got: Value): boolean => {
        const answer = keeper.ask(['parameters', id, 'matches'], [wanted, got], `matches of ${id}`)
        if (typeof answer?.value === 'boolean') return answer.value
        return defaultMatches(wanted, got, spec['step'] as number | undefined)
      },
    }),
  })
  const action = (id: string, { timeLimitMs = LIMIT_MS, ...spec }: ActionShape): object => ({
    ...spec,
    run: async (io: object, args: Readonly<Record<string, Value>>) => {
      const doing = `the action ${id}`
      const answer = await call(['actions', id, 'run'], io, [args], { doing, limitMs: timeLimitMs })
      return checkedAnswer(name, doing, answer)
    },
  })
  const { events, ...rest } = shape.rest
  const made = {
    ...rest,
    transport: shape.transport,
    link: shape.link,
    parameters: Object.fromEntries(
      Object.entries(shape.parameters).map(([id, spec]) => [id, parameter(id, spec)]),
    ),
    actions: Object.fromEntries(Object.entries(shape.actions).map(([id, spec]) => [id, action(id, spec)])),
    identify: async (io: object) => {
      await call(['identify'], io, [])
    },
    ...(shape.has.initialise && {
      initialise: async (io: object) => {
        await call(['initialise'], io, [])
      },
    }),
    ...(shape.has.makeSafe && {
      makeSafe: async (io: object) => {
        await call(['makeSafe'], io, [], { urgent: true })
      },
    }),
    ...(shape.has.shutDown && {
      shutDown: async (io: object) => {
        await call(['shutDown'], io, [], { urgent: true })
      },
    }),
    readAll: async (io: object, due: ReadonlySet<string>, anew?: ReadonlySet<string>) =>
      checkedReadings(name, 'readAll', await call(['readAll'], io, anew ? [due, anew] : [due])),
    // What the driver makes of these comes later, so nobody can be told now whether it has understood.
    ...(shape.has.unsolicited && { unsolicited: forward(['unsolicited']) }),
    ...(shape.transport === 'mqtt' && { onMessage: forward(['onMessage']) }),
    ...(typeof events === 'object' && {
      events: { ...events, onEvent: forward(['events', 'onEvent']), onEnd: forward(['events', 'onEnd']) },
    }),
    onLateReadings: (take: (readings: Readings) => void) => {
      emit = take
    },
    close: () => keeper.close(),
  }
  return made as unknown as Driver
}
