import {
  type ActionSpec,
  type ArgumentDescription,
  GolemError,
  type LineDriver,
  type LineIo,
  type Model,
  type ParameterSpec,
  type Readings,
} from '@golem/core'
import { alarmNumber, isWelcome, parseStatus, STATES } from './grbl-lines.ts'
import { ARRIVED_MM, AXES, type Axis, GrblStage, indexOf } from './grbl-stage.ts'

interface GrblOptions {
  travel?: Partial<Record<Axis, readonly [number, number]>>
  axes?: readonly Axis[]
  maxFeed?: number
  feed?: number
  homingSeconds?: number
  maxSpindle?: number
}

/** Bytes that act at once, wherever the controller is in a line. */
const HOLD = 0x21
const RESUME = 0x7e
const RESET = 0x18
const JOG_CANCEL = 0x85

/** Grbl 1.1 and what speaks like it (grblHAL, FluidNC): stages of up to three axes, G-code lines, real-time bytes. */
export const grbl: Model = {
  id: 'grbl',
  label: 'Grbl stage',
  kind: 'stage',
  source: 'github.com/gnea/grbl doc/markdown/interface.md, commands.md and doc/csv (v1.1h)',
  transport: 'line',
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      axes: {
        type: 'array',
        items: { type: 'string', enum: ['x', 'y', 'z'] },
        uniqueItems: true,
        minItems: 1,
        default: ['x', 'y', 'z'],
        description: 'The axes that are there',
      },
      travel: {
        type: 'object',
        additionalProperties: false,
        description:
          'From where to where each axis may go, in machine coordinates, mm: { x: [0, 200] }; default -1000 to 1000',
        properties: Object.fromEntries(
          AXES.map((axis) => [axis, { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 }]),
        ),
      },
      feed: { type: 'number', exclusiveMinimum: 0, default: 500, description: 'Usual speed, mm/min' },
      maxFeed: { type: 'number', exclusiveMinimum: 0, default: 5000, description: 'Highest speed, mm/min' },
      homingSeconds: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 600,
        default: 120,
        description: 'The longest time that going home takes',
      },
      maxSpindle: {
        type: 'number',
        exclusiveMinimum: 0,
        description: 'Highest speed of the spindle, 1/min; absent: there is none',
      },
    },
  },
  create: (options) => createGrbl(options as GrblOptions),
}

function createGrbl(options: GrblOptions): LineDriver {
  const { travel = {}, axes = AXES, maxFeed = 5000, homingSeconds = 120, maxSpindle } = options
  const usualFeed = Math.min(options.feed ?? 500, maxFeed)
  const stage = new GrblStage(axes)

  return {
    transport: 'line',
    link: {
      sendTerminator: '\n',
      receiveTerminator: '\r\n',
      replyTimeoutMs: 2000,
      quietMs: 100,
      baudRate: 115_200,
    },
    replies: 'always',
    parameters: {
      ...axisParameters(stage, axes, travel, usualFeed),
      positionKnown: {
        label: 'Position known',
        type: 'boolean',
        group: 'Position',
        note: 'Not after it was connected, reset or stopped: then it has to go home, or somebody accepts its position.',
      },
      state: { label: 'State', type: 'choice', choices: STATES, group: 'Controller' },
      alarm: { label: 'Alarm', type: 'text', group: 'Controller' },
      message: { label: 'Message', type: 'text', group: 'Controller' },
      feed: { label: 'Speed', type: 'number', unit: 'mm/min', decimals: 0, group: 'Movement' },
      feedOverride: {
        ...percentage('Speed override'),
        group: 'Movement',
        write: (io, value) => stage.override(io, 'feed', Number(value)),
      },
      ...(maxSpindle === undefined ? {} : spindleParameters(stage, maxSpindle)),
    },
    actions: {
      ...movements(stage, axes, travel, { usualFeed, maxFeed }),
      ...controllerActions(stage, homingSeconds),
    },
    identify: (io) => stage.identify(io),
    initialise: (io) => stage.initialise(io),
    readAll: async (io) => stage.take(await stage.report(io)),
    // Both at once: the hold begins to slow it down, and the reset ends all else, also going home and the spindle.
    makeSafe: (io) => stage.reset(io, [HOLD, RESET], 'it was stopped by an emergency stop'),
    unsolicited: (line): Readings | undefined => {
      const status = parseStatus(line)
      if (status) return stage.take(status)
      const number = alarmNumber(line)
      if (number !== undefined) return stage.takeAlarm(number)
      if (isWelcome(line)) {
        stage.loseIt('the controller was reset')
        return stage.positions()
      }
      const message = /^\[MSG:(.*)\]$/.exec(line)?.[1]
      return message === undefined ? undefined : stage.takeMessage(message)
    },
  }
}

type Travel = NonNullable<GrblOptions['travel']>
/** mm; stages count from one end of their travel or from the other */
const USUAL_TRAVEL = [-1000, 1000] as const

function limitsOf(travel: Travel, axis: Axis): { min: number; max: number } {
  const range = travel[axis] ?? USUAL_TRAVEL
  return { min: Math.min(...range), max: Math.max(...range) }
}

function axisParameters(
  stage: GrblStage,
  axes: readonly Axis[],
  travel: Travel,
  feed: number,
): Record<string, ParameterSpec<LineIo>> {
  const shared = { type: 'number', unit: 'mm', decimals: 3, group: 'Position' } as const
  return Object.fromEntries(
    axes.flatMap((axis): [string, ParameterSpec<LineIo>][] => {
      const name = axis.toUpperCase()
      const position: ParameterSpec<LineIo> = {
        ...shared,
        ...limitsOf(travel, axis),
        label: name,
        step: 0.01,
        note: 'In machine coordinates. Writing it moves the stage there and waits until it has arrived. The emergency stop halts it where it is.',
        matches: (wanted, got) => Math.abs(Number(wanted) - Number(got)) <= ARRIVED_MM,
        write: (io, value) => stage.move(io, { [axis]: Number(value) }, feed),
      }
      return [
        [axis, position],
        [`work${name}`, { ...shared, label: `${name} (work)` }],
      ]
    }),
  )
}

function spindleParameters(stage: GrblStage, max: number): Record<string, ParameterSpec<LineIo>> {
  return {
    spindle: {
      label: 'Spindle',
      type: 'number',
      unit: '1/min',
      min: 0,
      max,
      decimals: 0,
      group: 'Spindle',
      note: 'The emergency stop switches it off.',
      write: (io, value) => stage.command(io, value === 0 ? 'M5' : `M3S${Number(value)}`),
    },
    spindleOverride: {
      ...percentage('Spindle override'),
      group: 'Spindle',
      write: (io, value) => stage.override(io, 'spindle', Number(value)),
    },
  }
}

function percentage(label: string): ParameterSpec<LineIo> {
  return { label, type: 'integer', unit: '%', min: 10, max: 200, step: 10 }
}

function movements(
  stage: GrblStage,
  axes: readonly Axis[],
  travel: Travel,
  { usualFeed, maxFeed }: { usualFeed: number; maxFeed: number },
): Record<string, ActionSpec<LineIo>> {
  const group = 'Movement'
  const feed: ArgumentDescription = {
    label: 'Speed',
    type: 'number',
    unit: 'mm/min',
    min: 1,
    max: maxFeed,
    default: usualFeed,
  }
  const realTime = (label: string, byte: number, note: string): ActionSpec<LineIo> => ({
    label,
    group,
    note,
    run: (io) => io.sendBytes(Uint8Array.of(byte)),
  })
  return {
    move: {
      label: 'Move to',
      group,
      arguments: {
        ...Object.fromEntries(
          axes.map((axis): [string, ArgumentDescription] => [
            axis,
            { label: axis.toUpperCase(), type: 'number', unit: 'mm', ...limitsOf(travel, axis) },
          ]),
        ),
        feed,
        wait: { label: 'Wait until it has arrived', type: 'boolean', default: true },
      },
      run: (io, args) => {
        const target = Object.fromEntries(axes.map((axis) => [axis, Number(args[axis])]))
        return stage.move(io, target, Number(args['feed']), args['wait'] === true)
      },
    },
    jog: {
      label: 'Jog',
      group,
      note: 'Moves one axis by so much from where it stands; does not wait for the end.',
      arguments: {
        axis: { label: 'Axis', type: 'choice', choices: axes },
        distance: { label: 'Distance', type: 'number', unit: 'mm' },
        feed,
      },
      run: async (io, args) => {
        const axis = axes.find((each) => each === args['axis']) ?? 'x'
        const distance = Number(args['distance'])
        if (stage.lost === null) await checkTravel(io, stage, travel, axis, distance)
        await stage.command(
          io,
          `$J=G21G91${axis.toUpperCase()}${distance.toFixed(3)}F${Number(args['feed'])}`,
        )
      },
    },
    cancelJog: realTime('Cancel the jog', JOG_CANCEL, 'Slows down and forgets what was planned.'),
    hold: realTime('Hold', HOLD, 'Slows down to a standstill; the position stays known.'),
    resume: realTime('Resume', RESUME, 'Goes on after a hold.'),
  }
}

/** @throws INSTRUMENT_REFUSED when a jog would leave the travel, or where it begins can't be told */
async function checkTravel(
  io: LineIo,
  stage: GrblStage,
  travel: Travel,
  axis: Axis,
  distance: number,
): Promise<void> {
  const { min, max } = limitsOf(travel, axis)
  const status = await stage.report(io)
  if (status.state !== 'Idle') {
    throw new GolemError('INSTRUMENT_REFUSED', `Not moved: the stage is in state ${status.state}.`)
  }
  const to = stage.positionOf(status)[indexOf(axis)] + distance
  if (to >= min - ARRIVED_MM && to <= max + ARRIVED_MM) return
  throw new GolemError(
    'INSTRUMENT_REFUSED',
    `Not moved: ${axis.toUpperCase()} would come to ${to.toFixed(3)} mm, outside its travel of ${min} to ${max} mm.`,
  )
}

function controllerActions(stage: GrblStage, homingSeconds: number): Record<string, ActionSpec<LineIo>> {
  return {
    home: {
      label: 'Go home',
      group: 'Movement',
      confirm: true,
      note: 'Looks for the limit switches; after that the position is known.',
      run: async (io) => {
        await stage.command(io, '$H', homingSeconds * 1000)
        stage.found()
      },
    },
    acceptPosition: {
      label: 'Accept the position',
      group: 'Movement',
      confirm: true,
      note: 'Somebody has looked: the stage stands where it says.',
      run: async (io) => {
        const { state } = await stage.report(io)
        if (state !== 'Idle') {
          throw new GolemError('INSTRUMENT_REFUSED', `Not accepted: the stage is in state ${state}.`)
        }
        stage.found()
      },
    },
    unlock: {
      label: 'Unlock',
      group: 'Controller',
      confirm: true,
      note: 'Ends an alarm without going home.',
      run: (io) => stage.command(io, '$X'),
    },
    reset: {
      label: 'Reset the controller',
      group: 'Controller',
      confirm: true,
      note: 'Ends everything at once; the position is not known after that.',
      run: (io) => stage.reset(io, [RESET], 'it was reset'),
    },
  }
}
