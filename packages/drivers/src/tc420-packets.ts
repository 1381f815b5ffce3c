import { GolemError } from '@golem/core'

/** Every packet and every answer has so many bytes. */
export const PACKET_BYTES = 64
export const CHANNELS = 5
/** Banks of programs, 0 to 63. */
export const BANKS = 64

const DATA_AT = 5
const CHECKSUM_AT = 61

/** One step of a program: from then on these values. */
export interface Step {
  hour: number
  minute: number
  /** Five values, 0 to 100 %; a channel that jumps does not fade to its value. */
  channels: readonly { percent: number; jump: boolean }[]
}

/** 55 AA, command, length, data, checksum, CR LF. */
function packet(command: number, data: readonly number[] = []): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES)
  bytes.writeUInt16BE(0x55aa, 0)
  bytes[2] = command
  bytes.writeUInt16BE(data.length, 3)
  bytes.set(data, DATA_AT)
  bytes[CHECKSUM_AT] = bytes.subarray(0, CHECKSUM_AT).reduce((sum, byte) => sum + byte, 0) % 256
  bytes.writeUInt16BE(0x0d0a, 62)
  return bytes
}

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')]

/** Sets the clock, which has local time. */
export function clockPacket(time: Date): Buffer {
  const year = time.getFullYear()
  return packet(0x11, [
    year >> 8,
    year & 0xff,
    time.getMonth() + 1,
    time.getDate(),
    time.getHours(),
    time.getMinutes(),
    time.getSeconds(),
  ])
}

/** Begins a program. @param name - 1 to 8 characters of ASCII */
export function programPacket(bank: number, steps: number, name: string): Buffer {
  return packet(0x12, [bank, steps, ...ascii(name)])
}

export function stepPacket({ hour, minute, channels }: Step): Buffer {
  const jumps = channels.reduce((bits, { jump }, index) => bits | (jump ? 1 << index : 0), 0)
  return packet(0x13, [hour, minute, ...channels.map(({ percent }) => percent), jumps])
}

/** Ends the steps of a program. Has no answer. */
export const endOfStepsPacket = (): Buffer => packet(0x01)

/** Ends loading programs, and play mode. */
export const endOfSessionPacket = (): Buffer => packet(0x02)

export const deleteAllPacket = (): Buffer => packet(0x03)

/** Enters play mode, in which the channels are as `channelsPacket` says. @param name - 1 to 8 characters of ASCII */
export function playPacket(name: string): Buffer {
  return packet(0x15, [...ascii(name), 0x00, 0x7f])
}

/** Sets the channels at once, in play mode. @param percent - five values */
export function channelsPacket(percent: readonly number[]): Buffer {
  return packet(0x16, [0xf5, ...percent, 0x00])
}

/**
 * Reads the answer to a packet.
 *
 * @param what - what it was for, as the subject of a sentence
 * @throws INSTRUMENT_REFUSED when it repeats the request; REPLY_MALFORMED for anything else that is no success
 */
export function checkAnswer(answer: Uint8Array, request: Uint8Array, what: string): void {
  const bytes = Buffer.from(answer)
  if (bytes.length === PACKET_BYTES && bytes.readUInt16BE(3) === 1 && bytes[DATA_AT] === 0) return
  const said = bytes.subarray(0, 16).toString('hex')
  // Command, length and data as they were sent; whether the answer has two bytes before them is not documented.
  const core = Buffer.from(request).subarray(2, DATA_AT + Buffer.from(request).readUInt16BE(3))
  if ([0, 2].some((at) => bytes.subarray(at, at + core.length).equals(core))) {
    throw new GolemError(
      'INSTRUMENT_REFUSED',
      `${what}: the controller refused, it repeated the request (${said}).`,
    )
  }
  throw new GolemError(
    'REPLY_MALFORMED',
    `${what}: the controller answered ${said}..., which is neither success nor refusal.`,
  )
}

const STEP_FORM =
  'HH:MM and five values from 0 to 100, e.g. "06:30 100 50j 0 0 10" (j: jump instead of fading)'

/**
 * Reads the steps of a program as people write them: `06:30 100 50j 0 0 10; 20:00 0 0 0 0 0`.
 *
 * @throws OUT_OF_RANGE naming the step
 */
export function parseSteps(text: string): Step[] {
  const steps = text
    .split(/[;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseStep)
  if (steps.length < 2 || steps.length > 255) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `A program has 2 to 255 steps, not ${steps.length}, with ; between them.`,
    )
  }
  return steps
}

function parseStep(text: string): Step {
  const [at = '', ...values] = text.split(/[\s,]+/)
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(at) ?? []
  const channels = values.flatMap((value) => {
    const [, percent, jump] = /^(\d{1,3})(j?)$/.exec(value) ?? []
    return percent === undefined || Number(percent) > 100
      ? []
      : [{ percent: Number(percent), jump: jump === 'j' }]
  })
  const wrong =
    hour === undefined ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    values.length !== CHANNELS ||
    channels.length !== CHANNELS
  if (wrong) throw new GolemError('OUT_OF_RANGE', `"${text}" is no step: write ${STEP_FORM}.`)
  return { hour: Number(hour), minute: Number(minute), channels }
}
