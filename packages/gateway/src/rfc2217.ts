import type { SerialSettings } from '@golem/core'
import { BINARY, COM_PORT, SUPPRESS_GO_AHEAD, Telnet } from './telnet.ts'

/** How the serial line is set; what is absent is 9600 8N1 without flow control. */
export type LineSettings = SerialSettings

/** Commands of a client (RFC 2217, section 3); the answer has the number plus 100. */
const SIGNATURE = 0
const SET_BAUDRATE = 1
const SET_DATASIZE = 2
const SET_PARITY = 3
const SET_STOPSIZE = 4
const SET_CONTROL = 5
const NOTIFY_MODEMSTATE = 7
const FLOWCONTROL_SUSPEND = 8
const FLOWCONTROL_RESUME = 9
const SET_LINESTATE_MASK = 10
const SET_MODEMSTATE_MASK = 11
const PURGE_DATA = 12
const ANSWER = 100

/** CD, DSR and CTS on, no changes: golem can't tell what the wires have. */
const MODEM_STATE = 0xb0
const PARITIES = ['none', 'odd', 'even', 'mark', 'space'] as const
const PURGES = ['received', 'waiting', 'both'] as const

export interface Rfc2217Options {
  settings: LineSettings
  write: (bytes: Buffer) => void
  /** The client throws away what is on its way to it (received), what has not been sent yet (waiting), or both. */
  onPurge: (what: (typeof PURGES)[number]) => void
}

/**
 * The access server's end of telnet with the com port option (RFC 2217). The line has the settings golem gives it: a
 * client that asks for others is told those it has, for two masters can't have two speeds on one line.
 */
export class Rfc2217 {
  readonly #options: Rfc2217Options
  readonly #telnet: Telnet
  #greeted = false

  constructor(options: Rfc2217Options) {
    this.#options = options
    this.#telnet = new Telnet({
      options: [BINARY, SUPPRESS_GO_AHEAD, COM_PORT],
      write: options.write,
      onTheirs: (option) => {
        if (option === COM_PORT) this.#greet()
      },
      onSubnegotiation: (option, data) => {
        if (option !== COM_PORT) return
        // pyserial takes an offer that comes early as agreed, and says nothing to it.
        this.#greet()
        this.#onCommand(data)
      },
    })
  }

  start(): void {
    this.#telnet.start()
  }

  /** Takes what has come. @returns the data in it */
  take(chunk: Buffer): Buffer {
    return this.#telnet.take(chunk)
  }

  /** Data as it has to be sent. */
  data(bytes: Uint8Array): Buffer {
    return this.#telnet.data(bytes)
  }

  /** Says once how the wires are, without being asked (RFC 2217, section 3). */
  #greet(): void {
    if (this.#greeted) return
    this.#greeted = true
    this.#answer(NOTIFY_MODEMSTATE, [MODEM_STATE])
  }

  #onCommand(bytes: Buffer): void {
    const [command = SIGNATURE, value = 0] = bytes
    const { baudRate = 9600, dataBits = 8, parity = 'none', stopBits = 1 } = this.#options.settings
    switch (command) {
      case SIGNATURE:
        // With a text it is the client's own signature, which wants no answer.
        if (bytes.length === 1) this.#answer(SIGNATURE, [...Buffer.from('golem')])
        return
      case SET_BAUDRATE: {
        const speed = Buffer.alloc(4)
        speed.writeUInt32BE(baudRate)
        return this.#answer(command, [...speed])
      }
      case SET_DATASIZE:
        return this.#answer(command, [dataBits])
      case SET_PARITY:
        return this.#answer(command, [PARITIES.indexOf(parity) + 1])
      case SET_STOPSIZE:
        return this.#answer(command, [stopBits === 1.5 ? 3 : stopBits])
      case SET_CONTROL:
        return this.#answer(command, [this.#control(value)])
      case SET_LINESTATE_MASK:
        // No change of the line is ever reported.
        return this.#answer(command, [0])
      case SET_MODEMSTATE_MASK:
        this.#answer(command, [value])
        return this.#answer(NOTIFY_MODEMSTATE, [MODEM_STATE & (value | 0x0f)])
      case PURGE_DATA: {
        const what = PURGES[value - 1]
        if (what) this.#options.onPurge(what)
        return this.#answer(command, [value])
      }
      case FLOWCONTROL_SUSPEND:
      case FLOWCONTROL_RESUME:
        // TCP itself holds up what the client does not take.
        return
    }
  }

  /** What a wire or the flow control is, whatever was asked for. */
  #control(value: number): number {
    const { flowControl = 'none', dtr = true, rts = true } = this.#options.settings
    const flow = { none: 1, xonxoff: 2, rtscts: 3 }[flowControl]
    if (value <= 3 || value === 17 || value === 19) return flow
    if (value <= 6) return 6
    if (value <= 9) return dtr ? 8 : 9
    if (value <= 12) return rts ? 11 : 12
    return flow + 13
  }

  #answer(command: number, value: readonly number[]): void {
    this.#telnet.subnegotiate(COM_PORT, [command + ANSWER, ...value])
  }
}
