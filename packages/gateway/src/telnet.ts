/** Telnet's own bytes (RFC 854). */
const IAC = 255
const DONT = 254
const DO = 253
const WONT = 252
const WILL = 251
const SB = 250
const SE = 240

/** The longest subnegotiation that is listened to, in bytes. */
const MAX_SUBNEGOTIATION = 1024
const CR = 0x0d

export const BINARY = 0
export const SUPPRESS_GO_AHEAD = 3
export const COM_PORT = 44

export interface TelnetOptions {
  /** Options either side may turn on; both are offered at the start. */
  options: readonly number[]
  write: (bytes: Buffer) => void
  /** The other side has turned an option on. */
  onTheirs?: (option: number) => void
  onSubnegotiation?: (option: number, data: Buffer) => void
}

type Standing = 'no' | 'asked' | 'yes'

/** One end of a telnet connection: what is data, what is about the connection itself. */
export class Telnet {
  readonly #options: TelnetOptions
  readonly #ours = new Map<number, Standing>()
  readonly #theirs = new Map<number, Standing>()
  #state: 'data' | 'iac' | 'verb' | 'sub' | 'sub-iac' = 'data'
  #verb = 0
  #sub: number[] = []
  #afterCr = false

  constructor(options: TelnetOptions) {
    this.#options = options
  }

  /** Offers the options. */
  start(): void {
    for (const option of this.#options.options) {
      this.#ours.set(option, 'asked')
      this.#theirs.set(option, 'asked')
      this.#say(WILL, option)
      this.#say(DO, option)
    }
  }

  /** Takes what has come. @returns the data in it */
  take(chunk: Buffer): Buffer {
    const data: number[] = []
    for (const byte of chunk) {
      const got = this.#step(byte)
      if (got !== undefined) data.push(got)
    }
    return Buffer.from(data)
  }

  /** Data as it has to be sent. */
  data(bytes: Uint8Array): Buffer {
    return doubled(bytes)
  }

  /** Sends a subnegotiation. */
  subnegotiate(option: number, data: readonly number[]): void {
    this.#options.write(
      Buffer.concat([Buffer.from([IAC, SB, option]), doubled(Uint8Array.from(data)), Buffer.from([IAC, SE])]),
    )
  }

  #step(byte: number): number | undefined {
    switch (this.#state) {
      case 'data': {
        const padding = this.#afterCr && byte === 0 && this.#theirs.get(BINARY) !== 'yes'
        this.#afterCr = byte === CR
        if (byte !== IAC) return padding ? undefined : byte
        this.#state = 'iac'
        return undefined
      }
      case 'iac':
        this.#state = 'data'
        if (byte === IAC) return IAC
        if (byte === SB) {
          this.#sub = []
          this.#state = 'sub'
        } else if (byte >= WILL) {
          this.#verb = byte
          this.#state = 'verb'
        }
        return undefined
      case 'verb':
        this.#state = 'data'
        this.#onVerb(this.#verb, byte)
        return undefined
      case 'sub':
        if (byte === IAC) this.#state = 'sub-iac'
        else if (this.#sub.length < MAX_SUBNEGOTIATION) this.#sub.push(byte)
        return undefined
      case 'sub-iac': {
        this.#state = byte === IAC ? 'sub' : 'data'
        if (byte === IAC) this.#sub.push(IAC)
        const [option, ...data] = this.#sub
        if (byte === SE && option !== undefined) {
          this.#options.onSubnegotiation?.(option, Buffer.from(data))
        }
        return undefined
      }
    }
  }

  /** Answers only what changes something (RFC 854): two ends that answer every answer never come to an end. */
  #onVerb(verb: number, option: number): void {
    const known = this.#options.options.includes(option)
    const about = verb === WILL || verb === WONT ? this.#theirs : this.#ours
    const [yes, no] = about === this.#theirs ? ([DO, DONT] as const) : ([WILL, WONT] as const)
    const before = about.get(option) ?? 'no'
    const on = verb === WILL || verb === DO
    if (on && !known) return this.#say(no, option)
    about.set(option, on ? 'yes' : 'no')
    if (on && before === 'no') this.#say(yes, option)
    if (!on && before === 'yes') this.#say(no, option)
    if (on && before !== 'yes' && about === this.#theirs) this.#options.onTheirs?.(option)
  }

  #say(verb: number, option: number): void {
    this.#options.write(Buffer.from([IAC, verb, option]))
  }
}

function doubled(bytes: Uint8Array): Buffer {
  if (!bytes.includes(IAC)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const out: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf(IAC); at >= 0; at = bytes.indexOf(IAC, at + 1)) {
    out.push(Buffer.from(bytes.subarray(from, at + 1)), Buffer.from([IAC]))
    from = at + 1
  }
  out.push(Buffer.from(bytes.subarray(from)))
  return Buffer.concat(out)
}
