import {
  type Address,
  asGolemError,
  type Driver,
  GolemError,
  type LineDriver,
  type LineIo,
  type ModbusIo,
  nameOf,
  type SerialSettings,
} from '@golem/core'
import { openLink } from '@golem/transports'
import { GatewayPort, type PortOptions } from './port.ts'
import { Turnstile } from './turnstile.ts'

export interface OneOffOptions extends Pick<
  PortOptions,
  'listen' | 'port' | 'allow' | 'readOnly' | 'timeoutMs' | 'onLog' | 'onTrouble' | 'onOpened' | 'onExchange'
> {
  /** A serial port, a TCP socket, a USBTMC device, or a Modbus unit, whose clients speak Modbus TCP. */
  endpoint: Address
  /** What the instrument wants at the end of a message, and ends its answers with. */
  sendTerminator: string
  receiveTerminator: string
  replies: NonNullable<LineDriver['replies']>
  /** Settings of a serial line that the address does not name. */
  serial: SerialSettings
  /** Clients speak telnet with RFC 2217. */
  telnet: boolean
}

/** How long an instrument has to say who it is, in ms. */
const IDENTITY_MS = 3_000
/** How long a line has to be quiet to be in step again, in ms. */
const QUIET_MS = 200

/**
 * Shares one instrument, of which nothing is known but where it is, without a site and without Redis.
 *
 * @returns what ends it, and what tries whether the instrument is there (LINK_DOWN when it is not)
 * @throws CONFIG_INVALID when there is no such kind of link, or RFC 2217 is asked for where there is no serial line
 */
export function openOneOff(options: OneOffOptions): {
  probe: () => Promise<void>
  close: () => Promise<void>
} {
  const { endpoint, serial, telnet, ...rest } = options
  if (telnet && endpoint.kind !== 'serial') {
    throw new GolemError(
      'CONFIG_INVALID',
      `RFC 2217 is about the settings of a serial line, and ${nameOf(endpoint)} is none. Leave it out.`,
    )
  }
  const settings = endpoint.kind === 'serial' ? { ...serial, ...settingsOf(endpoint) } : serial
  const known: Known = { identity: undefined }
  const driver = driverFor(options, settings, known)
  const link = openLink({
    endpoint,
    guard: () => undefined,
    onConnection: (up, message) => {
      // What is plugged in next may be another instrument.
      if (!up) known.identity = undefined
      else options.onLog(message)
    },
  })
  const channel = link.attach({ driver, endpoint })
  const port = new GatewayPort({
    ...rest,
    channel,
    turnstile: new Turnstile(),
    ...(telnet ? { telnet: settings } : {}),
    ...(endpoint.kind === 'modbus' ? { unit: endpoint.unit } : {}),
  })
  return {
    probe: () => channel.run('poll', async () => undefined),
    close: async () => {
      port.close('the gateway was ended.')
      await link.close()
    },
  }
}

/** What is enough of a driver to pass on what others say. */
function driverFor(options: OneOffOptions, settings: SerialSettings, known: Known): Driver {
  const { endpoint, replies, timeoutMs, sendTerminator, receiveTerminator } = options
  const common = { parameters: {}, actions: {}, readAll: async () => ({}) }
  if (endpoint.kind === 'modbus') {
    return {
      ...common,
      transport: 'modbus',
      identify: readSomething,
      link: { replyTimeoutMs: timeoutMs, gapMs: 0, ...settings },
    }
  }
  return {
    ...common,
    transport: 'line',
    identify: (io) => (replies === 'query' ? identify(io, known) : Promise.resolve()),
    replies,
    link: {
      sendTerminator,
      receiveTerminator,
      replyTimeoutMs: timeoutMs,
      quietMs: QUIET_MS,
      ...settings,
    },
  }
}

interface Known {
  /** What it answers to `*IDN?`; null: nothing, undefined: not asked yet. */
  identity: string | null | undefined
}

/**
 * Asks who it is, once connected and after each time-out: only an answer that is known beforehand shows that questions
 * and answers are in step again, and that nobody gets the late answer to somebody else's question.
 */
async function identify(io: LineIo, known: Known): Promise<void> {
  const { identity } = known
  if (identity === null) return
  try {
    // Other lines are late answers, which are passed over.
    const accept = (line: string): boolean => identity === undefined || line === identity
    known.identity = await io.ask('*IDN?', { timeoutMs: IDENTITY_MS, accept })
  } catch (error) {
    if (identity !== undefined || asGolemError(error).code !== 'REPLY_TIMEOUT') throw error
    known.identity = null
  }
}

/**
 * Reads anything from a unit: whatever it answers shows whether the line hears itself, which the acknowledgement of a
 * write does not.
 */
async function readSomething(io: ModbusIo): Promise<void> {
  try {
    await io.readHoldingRegisters(0, 1)
  } catch (error) {
    if (asGolemError(error).code !== 'INSTRUMENT_REFUSED') throw error
  }
}

function settingsOf({
  kind: _kind,
  path: _path,
  ...settings
}: Extract<Address, { kind: 'serial' }>): SerialSettings {
  return settings
}
