import type { GatewayConfig, InstrumentConfig } from '@golem/config'
import { GolemError, type LineDriver, type ModbusDriver } from '@golem/core'
import { GatewayPort, type LineSettings, type Turnstile, tapUnsolicited } from '@golem/gateway'
import { GatewayLedger } from './gateway-ledger.ts'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'
import { mayCommand } from './may-command.ts'

/** How soon after a change by a client the instrument is read, in ms: clients tend to make several in a row. */
const POLL_AFTER_MS = 200
/** What runs on the link is waited for so long when the link is given up, in ms. */
const LAST_EXCHANGE_MS = 5_000

/** The gateway port of one instrument, open while its owner has the link. */
export class InstrumentGateway {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #config: InstrumentConfig & { gateway: GatewayConfig }
  readonly #turnstile: Turnstile
  readonly #ledger: GatewayLedger
  #port: GatewayPort | undefined
  #pollTimer: NodeJS.Timeout | undefined

  /** @param turnstile - of the link */
  constructor(
    context: WorkerContext,
    instrument: Instrument,
    config: InstrumentConfig & { gateway: GatewayConfig },
    turnstile: Turnstile,
  ) {
    this.#context = context
    this.#instrument = instrument
    this.#config = config
    this.#turnstile = turnstile
    this.#ledger = new GatewayLedger(context, instrument.id)
    if (instrument.driver.transport === 'line') {
      tapUnsolicited(instrument.driver, (line) => this.#port?.show(line))
    }
  }

  open(): void {
    const { log, client } = this.#context
    const { gateway, endpoint } = this.#config
    const driver = this.#instrument.driver as LineDriver | ModbusDriver
    this.#port = new GatewayPort({
      channel: this.#instrument.channel,
      listen: gateway.listen,
      port: gateway.port,
      allow: gateway.allow,
      readOnly: gateway.readOnly,
      telnet: gateway.telnet === 'rfc2217' ? this.#lineSettings(driver) : undefined,
      ...(endpoint.kind === 'modbus' ? { unit: endpoint.unit } : {}),
      timeoutMs: gateway.timeoutMs ?? driver.link.replyTimeoutMs,
      turnstile: this.#turnstile,
      mayCommand: (by, changes) => {
        mayCommand(this.#context, this.#instrument.id, by, { changes })
        // While Redis is away no stop is heard of, and no record says who did it.
        if (changes && !client.isReachable) {
          throw new GolemError('QUEUE_DOWN', 'Redis is away: nothing is changed, and nothing was sent.')
        }
      },
      onExchange: (exchange) => {
        const endedAt = client.clock.now()
        this.#ledger.exchange(exchange, endedAt - (Date.now() - exchange.startedAt), endedAt)
        if (exchange.changes && exchange.sent) this.#pollSoon()
      },
      onConnection: (address, admitted) => this.#ledger.connection(address, admitted),
      onLog: (message) => log.info({ instrument: this.#instrument.id }, message),
      onTrouble: (message) => {
        log.warn({ instrument: this.#instrument.id }, `gateway: ${message}`)
        this.#ledger.event(`WARNING: the gateway port ${message}`)
      },
      onOpened: (port) => log.info({ instrument: this.#instrument.id, port }, 'the gateway port is open'),
    })
  }

  /** Closes the port; clients are disconnected. @param why - as a sentence */
  close(why: string): void {
    this.#port?.close(why)
    clearTimeout(this.#pollTimer)
    this.#ledger.close()
  }

  #lineSettings(driver: LineDriver | ModbusDriver): LineSettings {
    const { endpoint } = this.#config
    return endpoint.kind === 'serial' ? { ...driver.link, ...endpoint } : driver.link
  }

  #pollSoon(): void {
    this.#pollTimer ??= setTimeout(() => {
      this.#pollTimer = undefined
      this.#instrument.pollSoon()
    }, POLL_AFTER_MS)
  }
}

/** Settles when what clients have on the link has ended, or has not for five seconds. */
export async function lastExchange(turnstile: Turnstile): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_EXCHANGE_MS)
  })
  await Promise.race([turnstile.empty, late])
  clearTimeout(timer)
}
