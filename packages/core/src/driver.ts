import type { AddressKind, SerialSettings } from './address.ts'
import type { ArgumentDescription, ParameterDescription, Value } from './description.ts'

/** The reply of an HTTP instrument. */
export interface HttpReply {
  status: number
  /** The body as text (at most 1 MiB; more is REPLY_MALFORMED). */
  text: string
}

/** What a driver of an HTTP instrument sees. Paths are relative to the instrument's address. */
export interface HttpIo {
  /** @throws LINK_DOWN before anything was sent; LINK_LOST, REPLY_TIMEOUT, REPLY_MALFORMED after */
  get(path: string): Promise<HttpReply>
  /** As `get`, with a body (default none). */
  post(path: string, body?: string): Promise<HttpReply>
  /** Waits, unless the exchange is interrupted. */
  sleep(ms: number): Promise<void>
}

/**
 * What a driver of a line-oriented instrument (serial, TCP, USBTMC) sees. Lines are without terminator; each character
 * of a line is one byte (latin1).
 */
export interface LineIo {
  /** Sends one line, terminator added. @throws LINK_DOWN, LINK_LOST */
  send(line: string): Promise<void>
  /**
   * Sends one line and returns the first line after it that `accept` takes (default: any). Lines it does
   * not take are handed to the driver's `unsolicited`.
   *
   * @throws REPLY_TIMEOUT, LINK_DOWN, LINK_LOST; REPLY_MALFORMED for a line over 4096 characters (or the
   *   driver's `link.maxLineLength`)
   */
  ask(line: string, options?: AskOptions): Promise<string>
  /** The next line that `accept` takes, without sending anything. */
  expect(options?: AskOptions): Promise<string>
  /**
   * Sends bytes as they are and returns the answer as it came, terminators and all: for binary answers, and for
   * exchanges of others that pass through golem.
   *
   * @throws as `ask`; REPLY_MALFORMED when more than `maxBytes` came and it is still not complete
   */
  askBytes(bytes: Uint8Array, options: AskBytesOptions): Promise<Uint8Array>
  /**
   * Sends bytes as they are and waits for no answer: real-time characters of a motion controller. They go out at
   * once, also while an answer is waited for, and leave the line in step.
   */
  sendBytes(bytes: Uint8Array): Promise<void>
  sleep(ms: number): Promise<void>
}

export interface AskBytesOptions {
  /**
   * Is the answer complete? Called with all that has come each time more has come.
   *
   * @returns how many bytes the answer has, when it is complete; what comes after that is a line nobody asked for
   * @throws REPLY_MALFORMED when this can't become an answer
   */
  complete: (received: Uint8Array) => number | undefined
  /** The longest pause before the first byte and between two, in ms; default: the driver's `link.replyTimeoutMs` */
  timeoutMs?: number
  /** The answer is also complete when nothing more has come for so long, in ms (after the first byte). */
  quietMs?: number
  /** default 4096 */
  maxBytes?: number
}

/** What a driver of a Modbus unit sees. Addresses count from 0; the unit is the address's. */
export interface ModbusIo {
  /** @throws INSTRUMENT_REFUSED for an exception; LINK_DOWN, LINK_LOST, REPLY_TIMEOUT, REPLY_MALFORMED */
  readCoils(address: number, count: number): Promise<boolean[]>
  readDiscreteInputs(address: number, count: number): Promise<boolean[]>
  /** 16-bit words, 0 to 65535; at most 125. */
  readHoldingRegisters(address: number, count: number): Promise<number[]>
  readInputRegisters(address: number, count: number): Promise<number[]>
  writeCoil(address: number, value: boolean): Promise<void>
  writeCoils(address: number, values: readonly boolean[]): Promise<void>
  writeRegister(address: number, value: number): Promise<void>
  writeRegisters(address: number, values: readonly number[]): Promise<void>
  sleep(ms: number): Promise<void>
}

/**
 * What a driver of a device behind an MQTT broker sees. Topics are relative to the instrument's address: its topic is
 * put before them, or, where a topic has `{topic}` in it, in the place of that (`cmnd/{topic}/POWER`).
 */
export interface MqttIo {
  /**
   * Settles when the broker has taken it (QoS 0: when it is sent). Never kept for later, never sent again.
   *
   * @param options - default QoS 1, not retained
   * @throws LINK_DOWN, also when the device has said good-bye; LINK_LOST, REPLY_TIMEOUT
   */
  publish(topic: string, payload: string, options?: { qos?: 0 | 1 | 2; retain?: boolean }): Promise<void>
  /** The newest message of a subscribed topic; undefined when there has been none since the subscription. */
  latest(topic: string): MqttMessage | undefined
  /**
   * The next message of a subscribed topic that `accept` takes (default: any), not counting what the broker has kept. One
   * that came since this conversation last published counts too. @throws REPLY_TIMEOUT, LINK_LOST
   */
  expect(
    topic: string,
    options?: { timeoutMs?: number; accept?: (payload: string) => boolean },
  ): Promise<string>
  sleep(ms: number): Promise<void>
}

export interface MqttMessage {
  payload: string
  /** When it came, by the monotonic clock (`performance.now()`). */
  at: number
  /** It is what the broker has kept, sent at an unknown time before. */
  retained: boolean
}

/** What a driver of a device that takes reports (USB HID) sees. Reports have the length the driver says. */
export interface HidIo {
  /** Sends one report and waits for no answer. @throws LINK_DOWN, LINK_LOST */
  send(report: Uint8Array): Promise<void>
  /** Sends one report and returns the next one that comes. @throws REPLY_TIMEOUT, LINK_DOWN, LINK_LOST */
  ask(report: Uint8Array, options?: { timeoutMs?: number }): Promise<Uint8Array>
  sleep(ms: number): Promise<void>
}

export interface AskOptions {
  /** default: the driver's `link.replyTimeoutMs` */
  timeoutMs?: number
  accept?: (line: string) => boolean
}

/** A reading that the instrument itself declares to be no value, e.g. −255 for a missing sensor. */
export interface Fault {
  fault: string
}

/** What one exchange found: values by parameter name; names that are absent keep their last reading. */
export type Readings = Readonly<Record<string, Value | Fault>>

/** Marks a parameter's reading as bad. @param fault - why, as a sentence */
export function fault(fault: string): Fault {
  return { fault }
}

export function isFault(value: Value | Fault): value is Fault {
  return typeof value === 'object' && 'fault' in value
}

/** One parameter as a driver defines it. Label, group, limits and safe value can be changed by the site. */
export interface ParameterSpec<Io> extends Omit<ParameterDescription, 'readable' | 'writable' | 'section'> {
  /** false: it has no reading (default true). */
  readable?: boolean
  /** Reads this parameter alone; needed only where `readAll` does not fill it. */
  read?: (io: Io) => Promise<Value | Fault>
  /**
   * Writes it. Returning means: the instrument acknowledged.
   *
   * @throws INSTRUMENT_REFUSED when it said no; REPLY_MALFORMED when the answer can't be understood;
   *   READBACK_MISMATCH when it reads back otherwise
   */
  write?: (io: Io, value: Value) => Promise<void>
  /** Writes it for a time only, for `rearm` in site.yaml. */
  timed?: TimedWrite<Io>
  /** Does a value read back agree with the one written? Default: equal, numbers within half of `step` or 1e-9. */
  matches?: (wanted: Value, got: Value) => boolean
}

/** A write after which the instrument itself goes back to the safe value, whoever has died. */
export interface TimedWrite<Io> {
  /**
   * Writes it for so long; while it is on, its time begins anew. Throws as `write` does.
   *
   * @param ms - whole milliseconds, `minMs` to `maxMs`
   */
  write: (io: Io, value: Value, ms: number) => Promise<void>
  minMs: number
  maxMs: number
}

/** One action as a driver defines it. */
export interface ActionSpec<Io> {
  label: string
  arguments?: Readonly<Record<string, ArgumentDescription>>
  group?: string
  confirm?: boolean
  note?: string
  /** A site's own driver: the longest it may take, in ms (default 30 000). */
  timeLimitMs?: number
  /** Runs it; returning means: the instrument acknowledged. May return what it answered. */
  run: (io: Io, args: Readonly<Record<string, Value>>) => Promise<Value | void>
}

interface DriverBase<Io> {
  parameters: Readonly<Record<string, ParameterSpec<Io>>>
  actions: Readonly<Record<string, ActionSpec<Io>>>
  /** Is this the instrument it should be? Called after connecting and after each time-out. @throws WRONG_INSTRUMENT */
  identify: (io: Io) => Promise<void>
  /** Brings a freshly connected instrument to what the driver and the site's options want. */
  initialise?: (io: Io) => Promise<void>
  /**
   * One exchange (or as few as there can be) that fills all parameters.
   *
   * @param due - the parameters that are to be read now; a driver that has to ask for each one by itself
   *   asks for these only, one that gets all at once may return all
   * @param anew - those of them that the instrument has to be asked for, although it tells them by itself: what became
   *   of a command of unknown outcome has to be seen
   */
  readAll: (io: Io, due: ReadonlySet<string>, anew?: ReadonlySet<string>) => Promise<Readings>
  /**
   * The first thing the emergency stop does, before it writes the safe values: what ends a movement at once. Sent
   * without identification, whatever was going on before.
   */
  makeSafe?: (io: Io) => Promise<void>
  /**
   * The last thing that is sent when its worker is stopped in an orderly way and the site says `onStop: safe`, after
   * the safe values: e.g. back to local control. With `hold` nothing is sent.
   */
  shutDown?: (io: Io) => Promise<void>
  /**
   * Of a driver that runs elsewhere: is told where readings go that it makes of a line, message or event after the
   * function that takes it has returned.
   */
  onLateReadings?: (emit: (readings: Readings) => void) => void
  /** Of a driver that runs elsewhere: its link is given up, nothing of it is called any more. */
  close?: () => void
  /** Name of a parameter that counts seconds since boot: when it falls, the instrument has rebooted. */
  uptime?: string
  /**
   * How long an instrument that talks by itself may be silent, in ms: for so long its readings are good. Default: three
   * polls.
   */
  silenceMs?: number
}

/** A driver made for one instrument. It sees `io` only and may keep state in its closure. */
export interface HttpDriver extends DriverBase<HttpIo> {
  transport: 'http'
  link: { connectTimeoutMs: number; replyTimeoutMs: number }
  /** Server-sent events that it gives (`text/event-stream`); one connection is kept open for them. */
  events?: {
    path: string
    /** After so much silence the connection is taken to be dead, in ms. */
    silenceMs: number
    /** What an event says; undefined: nothing. @throws REPLY_MALFORMED */
    onEvent: (event: { type: string; data: string }) => Readings | undefined
    /** The connection has ended: what it told is no longer kept up to date. */
    onEnd: () => void
  }
}

export interface LineDriver extends DriverBase<LineIo> {
  transport: 'line'
  link: {
    /** Added to what is sent, and what ends a received line. */
    sendTerminator: string
    receiveTerminator: string
    /** Instead of lines: frames of a fixed length that begin with these bytes (latin1), handed over as one "line" each. */
    receiveFrame?: { header: string; length: number }
    replyTimeoutMs: number
    /** How long the line has to be quiet to be in step again after a time-out, in ms. */
    quietMs: number
    /** The longest line that is received, in characters (default 4096). */
    maxLineLength?: number
    /** The least time between the end of one exchange and the next, in ms (default 0). */
    gapMs?: number
  } & SerialSettings
  /** Takes a line that nobody asked for; what it returns becomes readings. undefined: not understood. */
  unsolicited?: (line: string) => Readings | undefined
  /**
   * How exchanges of others pass through (gateway): query: a line with a ? outside quotes is answered by one line or
   * block, others by nothing; always: each line is answered by one line; quiet: the answer is what comes until the
   * line is quiet for `quietMs`. Default query.
   */
  replies?: 'query' | 'always' | 'quiet'
}

export interface ModbusDriver extends DriverBase<ModbusIo> {
  transport: 'modbus'
  link: {
    replyTimeoutMs: number
    /** The least time between an answer and the next request, in ms (slow units want 5 to 50). */
    gapMs: number
  } & SerialSettings
}

export interface MqttDriver extends DriverBase<MqttIo> {
  transport: 'mqtt'
  link: { replyTimeoutMs: number }
  /** Topics it wants, as MqttIo has them; + and # as in MQTT. */
  subscriptions: readonly string[]
  /**
   * What a message says; undefined: nothing.
   *
   * @param topic - as in `subscriptions`, its wildcards filled in
   * @param retained - the broker has kept it since an unknown time. Where there is `availability`, such a one is
   *   handed over only while the device is known to be there.
   */
  onMessage: (topic: string, payload: string, retained: boolean) => Readings | undefined
  /**
   * The topic that tells whether the device is there (its last will). While it says `offline`, polls and commands fail
   * with LINK_DOWN. Its messages are these words, or JSON objects with one of them as `state` (zigbee2mqtt).
   */
  availability?: { topic: string; online: string; offline: string }
}

export interface HidDriver extends DriverBase<HidIo> {
  transport: 'hid'
  link: { reportBytes: number; replyTimeoutMs: number }
}

export type Driver = HttpDriver | LineDriver | ModbusDriver | MqttDriver | HidDriver

/** What any driver's io is. */
export type AnyIo = HttpIo | LineIo | ModbusIo | MqttIo | HidIo

/** A parameter or action of any driver, for those who only look at it. */
export type AnyParameterSpec = ParameterSpec<never>
export type AnyActionSpec = ActionSpec<never>

/** The kinds of address that each transport takes. */
export const ADDRESS_KINDS: Readonly<Record<Driver['transport'], readonly AddressKind[]>> = {
  http: ['http'],
  line: ['serial', 'tcp', 'usbtmc'],
  modbus: ['modbus'],
  mqtt: ['mqtt'],
  hid: ['hid'],
}

/** A JSON Schema, as Ajv takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A kind of instrument that golem can speak to. */
export interface Model {
  id: string
  label: string
  /** e.g. `relay board`, `lamp`, `gas analyser` */
  kind: string
  /** Where its protocol is written down. */
  source: string
  /** Where the model comes from: golem itself, or a file of the site. */
  file?: string
  transport: Driver['transport']
  /** The `options` an instrument of this model may have in site.yaml. */
  optionsSchema: JsonSchema
  /** Makes a driver for one instrument. `options` have passed the schema. */
  create: (options: Readonly<Record<string, unknown>>) => Driver
}

/** Does a value read back agree with the one written? */
export function defaultMatches(wanted: Value, got: Value, step?: number): boolean {
  if (typeof wanted === 'number' && typeof got === 'number') {
    return Math.abs(wanted - got) <= Math.max((step ?? 0) / 2, 1e-9)
  }
  if (typeof wanted === 'object' && typeof got === 'object') {
    return (
      wanted.length === got.length &&
      wanted.every((item, index) => defaultMatches(item, got[index] ?? NaN, step))
    )
  }
  return wanted === got
}
