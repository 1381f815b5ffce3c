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

/** What a driver of a line-oriented instrument (serial, TCP) sees. Lines are without terminator. */
export interface LineIo {
  /** Sends one line, terminator added. @throws LINK_DOWN, LINK_LOST */
  send(line: string): Promise<void>
  /**
   * Sends one line and returns the first line after it that `accept` takes (default: any). Lines it does
   * not take are handed to the driver's `unsolicited`.
   *
   * @throws REPLY_TIMEOUT, LINK_DOWN, LINK_LOST; REPLY_MALFORMED for a line over 4096 characters
   */
  ask(line: string, options?: AskOptions): Promise<string>
  /** The next line that `accept` takes, without sending anything. */
  expect(options?: AskOptions): Promise<string>
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
  return typeof value === 'object'
}

/** One parameter as a driver defines it. Label, group, limits and safe value can be changed by the site. */
export interface ParameterSpec<Io> extends Omit<ParameterDescription, 'readable' | 'writable'> {
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
  /** Does a value read back agree with the one written? Default: equal, numbers within half of `step` or 1e-9. */
  matches?: (wanted: Value, got: Value) => boolean
}

/** One action as a driver defines it. */
export interface ActionSpec<Io> {
  label: string
  arguments?: Readonly<Record<string, ArgumentDescription>>
  group?: string
  confirm?: boolean
  note?: string
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
   */
  readAll: (io: Io, due: ReadonlySet<string>) => Promise<Readings>
  /** Name of a parameter that counts seconds since boot: when it falls, the instrument has rebooted. */
  uptime?: string
}

/** A driver made for one instrument. It sees `io` only and may keep state in its closure. */
export interface HttpDriver extends DriverBase<HttpIo> {
  transport: 'http'
  link: { connectTimeoutMs: number; replyTimeoutMs: number }
}

export interface LineDriver extends DriverBase<LineIo> {
  transport: 'line'
  link: {
    /** Added to what is sent, and what ends a received line. */
    sendTerminator: string
    receiveTerminator: string
    replyTimeoutMs: number
    /** How long the line has to be quiet to be in step again after a time-out, in ms. */
    quietMs: number
    /** Serial settings when the address does not say otherwise. */
    baudRate?: number
  }
  /** Takes a line that nobody asked for; what it returns becomes readings. undefined: not understood. */
  unsolicited?: (line: string) => Readings | undefined
}

export type Driver = HttpDriver | LineDriver

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
  return wanted === got
}
