import {
  GolemError,
  type HidDriver,
  type HidIo,
  type Model,
  type ParameterSpec,
  type Value,
} from '@golem/core'
import {
  BANKS,
  CHANNELS,
  channelsPacket,
  checkAnswer,
  clockPacket,
  deleteAllPacket,
  endOfSessionPacket,
  endOfStepsPacket,
  PACKET_BYTES,
  parseSteps,
  playPacket,
  programPacket,
  stepPacket,
} from './tc420-packets.ts'

/** The name golem plays under; it has no visible effect. */
const PLAY_NAME = 'golem'
const NUMBERS = Array.from({ length: CHANNELS }, (_, index) => index)

const NOTE =
  'The controller cannot be read. Shown is what golem last sent and the controller acknowledged, again with each ' +
  'poll. The first value that is written takes all five channels over from the stored programs; those not written ' +
  'yet are 0 then. "End session" gives them back.'

/** TC420 controller for five LED channels, on USB. */
export const tc420: Model = {
  id: 'tc420',
  label: 'TC420 lamp controller',
  kind: 'lamp',
  source:
    'github.com/wallneradam/tc420, commit b20468e (the protocol; no documentation of the maker is known)',
  transport: 'hid',
  optionsSchema: { type: 'object', properties: {}, additionalProperties: false },
  create: (): HidDriver => createTc420(),
}

/**
 * What golem holds: the controller forgets channel values when nobody repeats them (how soon is not documented), so
 * each poll sends them again. The values sent are those acknowledged last, never those of a command whose outcome is
 * unknown: so a poll does not carry such a command out after all, and what its answer confirms is true. Zeros are
 * the exception: a lamp that was to go dark is not switched on again.
 */
interface Held {
  /** Acknowledged values, %; null: the controller runs its programs. */
  channels: number[] | null
  /** The controller is in play mode, as far as is known. */
  playing: boolean
}

function createTc420(): HidDriver {
  const held: Held = { channels: null, playing: false }
  return {
    transport: 'hid',
    link: { reportBytes: PACKET_BYTES, replyTimeoutMs: 2000 },
    parameters: {
      ...Object.fromEntries(NUMBERS.map((index) => [`channel${index + 1}`, channel(held, index)])),
      held: {
        label: 'Held by golem',
        type: 'boolean',
        group: 'Programs',
        note: 'Yes: the channels are as golem says. No: the stored programs run.',
      },
    },
    actions: {
      setClock: {
        label: 'Set the clock',
        group: 'Programs',
        note: 'To the local time of the machine it is plugged into.',
        run: (io) => tell(io, clockPacket(new Date()), 'Setting the clock'),
      },
      uploadProgram: {
        label: 'Store a program',
        group: 'Programs',
        confirm: true,
        note: 'Replaces what the bank has. Banks that are left out before it become empty programs.',
        arguments: {
          bank: { label: 'Bank', type: 'integer', min: 0, max: BANKS - 1 },
          name: { label: 'Name', type: 'text', maxLength: 8 },
          steps: { label: 'Steps', type: 'text', maxLength: 8192 },
        },
        run: (io, { bank, name, steps }) => upload(io, held, Number(bank), String(name), String(steps)),
      },
      deletePrograms: {
        label: 'Delete all programs',
        group: 'Programs',
        confirm: true,
        run: async (io) => {
          await tell(io, deleteAllPacket(), 'Deleting all programs')
          await endSession(io, held)
        },
      },
      endSession: {
        label: 'End session',
        group: 'Programs',
        note: 'Gives the channels back to the stored programs.',
        run: async (io) => {
          await endSession(io, held)
          held.channels = null
        },
      },
    },
    // Nothing tells one apart from others but its USB ids; this packet is harmless and brings it to a known state.
    identify: (io) => endSession(io, held),
    readAll: async (io) => {
      if (held.channels === null) return { held: false }
      await send(io, held, held.channels)
      return {
        held: true,
        ...Object.fromEntries(held.channels.map((percent, index) => [`channel${index + 1}`, percent])),
      }
    },
    makeSafe: async (io) => {
      const dark = NUMBERS.map(() => 0)
      held.channels = dark
      // A stop comes without identification: play mode may have ended since.
      held.playing = false
      await send(io, held, dark)
    },
  }
}

function channel(held: Held, index: number): ParameterSpec<HidIo> {
  return {
    label: `Channel ${index + 1}`,
    type: 'integer',
    unit: '%',
    min: 0,
    max: 100,
    step: 1,
    safe: 0,
    group: 'Lamps',
    note: NOTE,
    write: (io, value) => setChannel(io, held, index, value),
  }
}

async function setChannel(io: HidIo, held: Held, index: number, value: Value): Promise<void> {
  const percent = Number(value)
  if (!Number.isInteger(percent) || percent < 0 || percent > 100) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `Channel ${index + 1} takes whole numbers from 0 to 100 %, not ${percent}.`,
    )
  }
  const before = held.channels ?? NUMBERS.map(() => 0)
  const after = before.map((old, each) => (each === index ? percent : old))
  if (percent === 0 && held.channels) held.channels = after
  await send(io, held, after)
  held.channels = after
}

/** Sets all channels, in play mode; enters it first when that is needed. */
async function send(io: HidIo, held: Held, channels: readonly number[]): Promise<void> {
  const { playing } = held
  // Until it is acknowledged nobody knows.
  held.playing = false
  if (!playing) await tell(io, playPacket(PLAY_NAME), 'Entering play mode')
  await tell(io, channelsPacket(channels), `Setting the channels to ${channels.join(', ')} %`)
  held.playing = true
}

async function endSession(io: HidIo, held: Held): Promise<void> {
  held.playing = false
  await tell(io, endOfSessionPacket(), 'Ending the session')
}

/**
 * Stores a program: its beginning, its steps, their end, the end of the session.
 *
 * @throws OUT_OF_RANGE before anything is sent; READBACK_MISMATCH when it was refused after the beginning
 */
async function upload(io: HidIo, held: Held, bank: number, name: string, text: string): Promise<void> {
  if (!/^[\x20-\x7e]{1,8}$/.test(name)) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `The name of a program has 1 to 8 characters of ASCII, not "${name}".`,
    )
  }
  const steps = parseSteps(text)
  await tell(io, programPacket(bank, steps.length, name), `Beginning program "${name}" in bank ${bank}`)
  held.playing = false
  try {
    for (const [index, step] of steps.entries()) {
      await tell(io, stepPacket(step), `Step ${index + 1} of ${steps.length}`)
    }
    await io.send(endOfStepsPacket())
    await endSession(io, held)
  } catch (error) {
    if (!(error instanceof GolemError) || error.code !== 'INSTRUMENT_REFUSED') throw error
    throw new GolemError(
      'READBACK_MISMATCH',
      `Program "${name}" in bank ${bank} was begun and not completed: store it again. ${error.message}`,
      { cause: error },
    )
  }
}

async function tell(io: HidIo, packet: Buffer, what: string): Promise<void> {
  checkAnswer(await io.ask(packet), packet, what)
}
