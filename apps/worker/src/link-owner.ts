import { type InstrumentConfig, describeInstrument, describeParameter } from '@golem/config'
import {
  type Address,
  type Driver,
  GolemError,
  type Model,
  type PowerReturnChoice,
  type Readings,
  type Value,
  asGolemError,
  messageOf,
} from '@golem/core'
import type { Consumer } from '@golem/queue'
import { Turnstile } from '@golem/gateway'
import { type Channel, type Link, openLink } from '@golem/transports'
import { AfterReservation } from './after-reservation.ts'
import { brokenDriver } from './broken-driver.ts'
import type { WorkerContext } from './context.ts'
import { type ExecuteContext, executeCommand } from './execute.ts'
import { InstrumentGateway, lastExchange } from './gateway.ts'
import { Instrument } from './instrument.ts'
import { InterlockKeeper } from './interlock-keeper.ts'
import type { Journal } from './journal.ts'
import { MaxOn } from './max-on.ts'
import { OutputStore } from './output-store.ts'
import { LinkOutputs, type OutputNews } from './outputs.ts'
import { Orphan } from './orphan.ts'
import { PollLoop } from './poll-loop.ts'
import { PowerReturn } from './power-return.ts'
import { Rearm } from './rearm.ts'
import { recoverCommands, restoreOutcomes } from './recover.ts'
import { SafeState } from './safe-state.ts'
import { UnownedOutputs } from './unowned-outputs.ts'

/** How long the last state of a link that is given up is waited for while Redis is away, in ms. */
const LAST_WORDS_MS = 1_000

/** How often outputs with rules are looked at, in ms. */
const OUTPUTS_EVERY_MS = 200
/** How often what is known of them goes to the disk though nothing has changed, in ms. */
const SAVE_OUTPUTS_MS = 60_000

/** The instruments behind one physical connection, as site.yaml has them. */
export interface LinkConfig {
  link: string
  host: string | null
  endpoint: Address
  instruments: readonly InstrumentConfig[]
}

interface Driven {
  config: InstrumentConfig
  model: Model
  driver: Driver
  channel: Channel
}

/** A link in the hands of this worker: connection, polls, commands, stop. */
export class LinkOwner {
  readonly link: string
  readonly #context: WorkerContext
  readonly #config: LinkConfig
  readonly #models: ReadonlyMap<string, Model>
  readonly #connection: Link
  readonly #journal: Journal
  readonly #execution: ExecuteContext
  readonly #trusted: boolean
  readonly #instruments = new Map<string, Instrument>()
  readonly #safeStates = new Map<string, SafeState>()
  readonly #afterReservations = new Map<string, AfterReservation>()
  readonly #powerReturns = new Map<string, PowerReturn>()
  readonly #orphans = new Map<string, Orphan>()
  readonly #keepers: { instrument: Instrument; keeper: InterlockKeeper }[] = []
  readonly #maxOns: MaxOn[] = []
  readonly #rearms: Rearm[] = []
  readonly #outputs: LinkOutputs
  #outputsTimer: NodeJS.Timeout | undefined
  readonly #onStop = new Map<string, 'hold' | 'safe'>()
  readonly #loop: PollLoop
  readonly #consumers = new Map<string, Consumer>()
  readonly #gateways: InstrumentGateway[] = []
  readonly #turnstile = new Turnstile()
  #left = false
  #lost = false

  /**
   * Begins to own a link whose lease has just been taken.
   *
   * @param redisStartedBefore - see RedisLife
   */
  constructor(
    context: WorkerContext,
    config: LinkConfig,
    models: ReadonlyMap<string, Model>,
    journal: Journal,
    redisStartedBefore: number,
  ) {
    const { leases, clock } = context.client
    this.link = config.link
    this.#context = context
    this.#config = config
    this.#models = models
    this.#journal = journal
    const fence = leases.fence(config.link)
    this.#trusted = journal.trusted(fence)
    journal.own(fence, context.id, clock.now())
    this.#execution = {
      context,
      link: config.link,
      journal,
      suspectBefore: this.#trusted ? 0 : redisStartedBefore,
    }
    this.#connection = openLink({
      endpoint: config.endpoint,
      guard: () => leases.guard(config.link),
      onConnection: (up, message) => context.log.info({ link: config.link, up }, message),
    })
    const attached = config.instruments.map((instrument) => this.#drive(instrument, models))
    this.#outputs = new LinkOutputs(new OutputStore(context.journalDir, config.link), clock, attached)
    for (const one of attached) this.#attach(one)
    this.#loop = new PollLoop([...this.#instruments.values()], (instrument) => this.#afterPoll(instrument))
  }

  /** When the poll loop last came round, by the monotonic clock. */
  get aliveAt(): number {
    return this.#loop.aliveAt
  }

  get instruments(): string[] {
    return [...this.#instruments.keys()]
  }

  /** Settles what the last owner left, then takes commands and polls. */
  async start(): Promise<void> {
    for (const [id, powerReturn] of this.#powerReturns)
      powerReturn.adopt(await this.#context.client.snapshot(id))
    await this.#takeOverOutputs()
    await this.#context.interlocks.take(this.link, this.#keepers)
    for (const orphan of this.#orphans.values()) await orphan.takeOver()
    this.republish()
    await recoverCommands(this.#execution, this.#instruments, this.#trusted)
    if (this.#left) return
    for (const instrument of this.#instruments.values()) {
      const stop = this.#context.stops.of(instrument.id)
      if (stop) void this.#safeStates.get(instrument.id)?.enter(`emergency stop by ${stop.by}`)
      const afterReservation = this.#afterReservations.get(instrument.id)
      void afterReservation?.obey()
      const handle = (id: string): Promise<void> =>
        executeCommand(this.#execution, instrument, id, afterReservation)
      this.#consumers.set(instrument.id, this.#context.client.consume(instrument.id, handle))
    }
    for (const gateway of this.#gateways) gateway.open()
    this.#loop.start()
    if (!this.#outputs.isEmpty) {
      this.#outputsTimer = setInterval(() => this.#lookAtOutputs(), OUTPUTS_EVERY_MS)
    }
  }

  /** Carries out a command that another worker took off the queue and left. */
  take(instrument: string, id: string): void {
    if (this.#left) return
    this.#consumers
      .get(instrument)
      ?.take(id)
      .catch((error: unknown) => this.#context.log.error({ err: error, command: id }, 'not carried out'))
  }

  /** Writes descriptions and snapshots (again: Redis may have lost them). */
  republish(): void {
    for (const instrument of this.#instruments.values()) {
      this.#context.publisher.describe(instrument.description)
      instrument.publish()
    }
  }

  /** Other versions of calibrations count from now on. */
  recalibrate(): void {
    if (this.#left) return
    const { calibrations, publisher } = this.#context
    for (const config of this.#config.instruments) {
      const instrument = this.#instruments.get(config.id)
      const model = this.#models.get(config.model)
      if (!instrument || !model || config.calibrations === undefined) continue
      instrument.recalibrate(describeInstrument(config, model, instrument.driver, calibrations.newest))
      publisher.describe(instrument.description)
      instrument.publish()
    }
  }

  /** Redis is back: writes again what it may have lost. */
  async restore(): Promise<void> {
    this.republish()
    await restoreOutcomes(this.#execution, this.#instruments)
  }

  /** Emergency stop. @param instrument - null: all on this link */
  async enterStop(instrument: string | null, why: string): Promise<void> {
    const concerned =
      instrument === null ? [...this.#safeStates.values()] : [this.#safeStates.get(instrument)]
    await Promise.all(concerned.map(async (safeState) => safeState?.enter(why)))
  }

  /** @returns whether every output took its safe value; undefined: the instrument is not on this link */
  async safeOnRequest(instrument: string, why: string): Promise<boolean | undefined> {
    const safeState = this.#safeStates.get(instrument)
    if (!safeState) return undefined
    await safeState.enter(why)
    return safeState.reached
  }

  /** A person has said which values win after an instrument was without power. */
  settlePowerReturn(instrument: string, keep: PowerReturnChoice, by: string): void {
    if (!this.#left) this.#powerReturns.get(instrument)?.settle(keep, by)
  }

  /** The outputs of an instrument are to be safe after the end of a reservation, if they are not yet. */
  async makeSafe(instrument: string): Promise<void> {
    if (!this.#left) await this.#afterReservations.get(instrument)?.obey()
  }

  /** Gives the link up in an orderly way: finishes the command that runs, applies the stop policy when asked. */
  async stop(options: { applyPolicy: boolean; message: string }): Promise<void> {
    if (this.#left) return
    this.#left = true
    await this.#closeLoops()
    if (this.#lost) return this.#journal.close()
    for (const [id, safeState] of this.#safeStates) {
      if (!options.applyPolicy || this.#onStop.get(id) !== 'safe') continue
      await safeState.enter('its worker is stopped')
      await this.#shutDown(id)
    }
    this.#context.interlocks.leave(this.instruments)
    await this.#connection.close()
    this.#closeDrivers()
    for (const instrument of this.#instruments.values()) {
      const outputs = this.#onStop.get(instrument.id) === 'safe' ? 'went to their safe state' : 'hold'
      instrument.leave(
        options.applyPolicy ? 'stopped' : 'connecting',
        options.applyPolicy ? `${options.message} Its outputs ${outputs}.` : options.message,
      )
    }
    await this.#context.publisher.flushWithin(LAST_WORDS_MS)
    this.#journal.close()
  }

  /** The lease is gone: nothing more may be sent, and somebody else may be sending already. */
  async abandon(why: string): Promise<void> {
    this.#lost = true
    this.#context.log.warn({ link: this.link }, `link lost: ${why}`)
    for (const gateway of this.#gateways) gateway.close('its worker no longer owns the link.')
    this.#context.interlocks.leave(this.instruments)
    await this.#connection.close('LEASE_LOST')
    this.#closeDrivers()
    // Whoever is giving it up in an orderly way comes to the end by that.
    if (this.#left) return
    this.#left = true
    await this.#closeLoops()
    this.#journal.close()
  }

  /** After `abandon`: what keeps `maxOn` while nobody can own the link; undefined: it has no outputs with rules. */
  afterwards(): UnownedOutputs | undefined {
    if (this.#outputs.isEmpty) return undefined
    return new UnownedOutputs(this.#context, this.#config, this.#models, this.#outputs)
  }

  /** What the driver sends at last. It goes as the safe state does: at once, and whether or not it was identified. */
  async #shutDown(id: string): Promise<void> {
    const instrument = this.#instruments.get(id)
    const shutDown: ((io: never) => Promise<void>) | undefined = instrument?.driver.shutDown
    if (!instrument || !shutDown) return
    try {
      await instrument.channel.run('stop', shutDown)
    } catch (error) {
      this.#context.log.warn({ instrument: id }, `not shut down: ${asGolemError(error).message}`)
    }
  }

  /** What the last owner has published of its outputs: it may have been on another machine. */
  async #takeOverOutputs(): Promise<void> {
    if (this.#outputs.isEmpty) return
    for (const { id, outputs } of this.#instruments.values()) {
      outputs.adopt((await this.#context.client.snapshot(id))?.outputs ?? {})
    }
    this.#outputs.save()
  }

  #lookAtOutputs(): void {
    for (const maxOn of this.#maxOns) void maxOn.look()
    for (const rearm of this.#rearms) rearm.look()
    for (const { id, outputs } of this.#instruments.values()) {
      for (const news of outputs.tick()) this.#tell(id, news)
    }
    try {
      this.#outputs.saveIfDue(SAVE_OUTPUTS_MS)
    } catch (error) {
      this.#context.log.error(
        { err: error, link: this.link },
        'what is known of its outputs is not on the disk',
      )
    }
  }

  #tell(instrument: string, { kind, message }: OutputNews): void {
    const { client, log } = this.#context
    log.warn({ instrument }, message)
    client
      .event(kind, instrument, message)
      .catch((error: unknown) => log.error({ err: error }, 'event not written'))
  }

  async #closeLoops(): Promise<void> {
    for (const orphan of this.#orphans.values()) orphan.close()
    clearInterval(this.#outputsTimer)
    for (const gateway of this.#gateways) gateway.close('its worker gives up the link.')
    const consumers = [...this.#consumers.values()]
    await Promise.all([
      ...consumers.map((consumer) => consumer.close()),
      this.#loop.stop(),
      lastExchange(this.#turnstile),
    ])
  }

  #drive(config: InstrumentConfig, models: ReadonlyMap<string, Model>): Driven {
    const model = models.get(config.model)
    if (!model) throw new GolemError('CONFIG_INVALID', `${config.id}: there is no model "${config.model}".`)
    return { config, model, ...this.#driverOf(config, model) }
  }

  #attach({ config, model, driver, channel }: Driven): void {
    const instrument = new Instrument({
      context: this.#context,
      config,
      driver,
      channel,
      description: describeInstrument(config, model, driver, this.#context.calibrations.newest),
      outputs: this.#outputs.of(config.id),
      wake: () => this.#loop.wake(),
    })
    this.#instruments.set(config.id, instrument)
    const held = (): ReadonlyMap<string, Value> => this.#context.interlocks.held(config.id)
    this.#keepers.push({ instrument, keeper: new InterlockKeeper(this.#context, instrument, held) })
    this.#maxOns.push(new MaxOn(this.#context, instrument))
    this.#rearms.push(new Rearm(this.#context, instrument))
    const safeState = new SafeState(this.#context, instrument, safeOutputs(config, driver))
    this.#safeStates.set(config.id, safeState)
    this.#orphans.set(config.id, new Orphan(this.#context, config, safeState))
    this.#powerReturns.set(config.id, new PowerReturn(this.#context, instrument, config, safeState))
    this.#afterReservations.set(config.id, new AfterReservation(this.#context, config.id, safeState))
    this.#onStop.set(config.id, config.onStop)
    const { gateway } = config
    if (gateway !== null) {
      this.#gateways.push(
        new InstrumentGateway(this.#context, instrument, { ...config, gateway }, this.#turnstile),
      )
    }
  }

  /** The driver on its channel; where a driver of the site is at fault, one that says so to whoever asks. */
  #driverOf(config: InstrumentConfig, model: Model): { driver: Driver; channel: Channel } {
    let driver: Driver
    try {
      driver = model.create(config.options)
    } catch (error) {
      if (model.file === undefined) throw error
      return brokenDriver(config.endpoint, messageOf(error))
    }
    const onReadings = (readings: Readings): void => this.#instruments.get(config.id)?.received(readings)
    driver.onLateReadings?.(onReadings)
    const { endpoint, auth } = config
    return { driver, channel: this.#connection.attach({ driver, endpoint, auth, onReadings }) }
  }

  #closeDrivers(): void {
    for (const { driver } of this.#instruments.values()) driver.close?.()
  }

  #afterPoll(instrument: Instrument): void {
    if (this.#left) return
    this.#context.interlocks.keep(instrument.id)
    this.#orphans.get(instrument.id)?.afterPoll()
    this.#powerReturns.get(instrument.id)?.afterPoll()
    void this.#afterReservations.get(instrument.id)?.obey()
    const stop = this.#context.stops.of(instrument.id)
    if (!stop) return
    this.#safeStates
      .get(instrument.id)
      ?.keep(`emergency stop by ${stop.by}`)
      .catch((error: unknown) => this.#context.log.error({ err: asGolemError(error) }, 'safe state not kept'))
  }
}

/** Outputs with a safe value: hidden ones too, for what is not shown can be switched on all the same. */
function safeOutputs(config: InstrumentConfig, driver: Driver): (readonly [string, Value])[] {
  return Object.entries(driver.parameters).flatMap(([name, spec]) => {
    const { writable, safe } = describeParameter(spec, config.parameters[name] ?? {})
    return writable && safe !== undefined ? [[name, safe] as const] : []
  })
}
