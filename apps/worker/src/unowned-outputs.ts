import { type Model, type Value, asGolemError, valueInWords } from '@golem/core'
import { openLink } from '@golem/transports'
import type { WorkerContext } from './context.ts'
import type { LinkConfig, LinkOwner } from './link-owner.ts'
import { OutputStore, monotonic } from './output-store.ts'
import { LinkOutputs, hasRules } from './outputs.ts'

/** How often it is looked whether something is due, and how long after a try the next one is made, in ms. */
const LOOK_EVERY_MS = 500
const AGAIN_AFTER_MS = 2_000

/**
 * What is left to do on a link whose lease ran out because Redis is away: nobody can take it, and nobody else will bring
 * an output to its safe value when `maxOn` is over. That is the one thing sent without a lease: the safe value of an
 * output that has been on for too long, and only while Redis does not answer here. Were another worker to hear Redis
 * and own the link by now, it would send the same: what was on since before this worker lost it is as overdue there.
 * (golem check wants a `host` for lines over TCP, the one kind of link on which two senders could get in each other's
 * way.)
 */
export class UnownedOutputs {
  readonly #context: WorkerContext
  readonly #config: LinkConfig
  readonly #models: ReadonlyMap<string, Model>
  readonly #outputs: LinkOutputs
  readonly #timer: NodeJS.Timeout
  #triedAt = -Infinity
  #sending: Promise<void> | undefined

  constructor(
    context: WorkerContext,
    config: LinkConfig,
    models: ReadonlyMap<string, Model>,
    outputs: LinkOutputs,
  ) {
    this.#context = context
    this.#config = config
    this.#models = models
    this.#outputs = outputs
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  /** Sends nothing more; settles when what it has begun is over. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sending
  }

  #look(): void {
    const now = monotonic()
    if (this.#sending || now - this.#triedAt < AGAIN_AFTER_MS || this.#context.client.isReachable) return
    if (!this.#config.instruments.some(({ id }) => this.#outputs.of(id).overdue(now).length > 0)) return
    this.#triedAt = now
    this.#sending = this.#switchOff().finally(() => {
      this.#sending = undefined
    })
  }

  /** Never throws. */
  async #switchOff(): Promise<void> {
    const { endpoint, instruments } = this.#config
    const link = openLink({ endpoint, guard: () => undefined })
    for (const config of instruments) {
      const outputs = this.#outputs.of(config.id)
      const overdue = outputs.overdue(monotonic())
      const model = this.#models.get(config.model)
      if (overdue.length === 0 || !model) continue
      const said: string[] = []
      try {
        const driver = model.create(config.options)
        const { endpoint: own, auth } = config
        const channel = link.attach({ driver, endpoint: own, auth })
        await channel.run('stop', async (io) => {
          for (const [name, , safe] of overdue) {
            const write: ((io: never, value: Value) => Promise<void>) | undefined =
              driver.parameters[name]?.write
            await write?.(io, safe)
            outputs.wrote({ parameter: name, value: safe })
            said.push(`${name} = ${valueInWords(safe)}`)
          }
        })
        driver.close?.()
      } catch (error) {
        said.push(`NOT all (${asGolemError(error).message})`)
      }
      this.#tell(config.id, `maxOn, while Redis is away: ${said.join(', ')}`)
    }
    await link.close()
    this.#save()
  }

  #save(): void {
    try {
      this.#outputs.save()
    } catch (error) {
      this.#context.log.error({ err: error }, 'what is known of its outputs is not on the disk')
    }
  }

  #tell(instrument: string, message: string): void {
    this.#context.log.warn({ instrument }, message)
    this.#context.client
      .event('safe', instrument, message, '', { level: 'warning', data: { cause: 'maxOn' } })
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }
}

/** The links that nobody can own just now, as far as this process has to see to their outputs. */
export class UnownedLinks {
  readonly #context: WorkerContext
  readonly #links: readonly LinkConfig[]
  readonly #models: ReadonlyMap<string, Model>
  readonly #unowned = new Map<string, UnownedOutputs>()
  #ended = false
  #tookUp = false

  /** @param links - of the site */
  constructor(context: WorkerContext, links: readonly LinkConfig[], models: ReadonlyMap<string, Model>) {
    this.#context = context
    this.#links = links
    this.#models = models
  }

  /** A link's lease has run out here. */
  keep(link: string, owner: LinkOwner): void {
    const outputs = this.#ended || this.#unowned.has(link) ? undefined : owner.afterwards()
    if (outputs) this.#unowned.set(link, outputs)
  }

  /**
   * This process has been started and Redis does not answer: what its predecessor left on is on the disk. So only for
   * links that hang on this machine: of others somebody elsewhere may know better.
   *
   * @param host - this machine's
   */
  takeUp(host: string): void {
    if (this.#tookUp) return
    this.#tookUp = true
    for (const config of this.#links) {
      if (config.host !== host || !config.instruments.some(hasRules)) continue
      try {
        this.#takeUp(config)
      } catch (error) {
        this.#context.log.error({ err: error, link: config.link }, 'its outputs are not looked after')
      }
    }
  }

  /** Somebody owns it now. Settles when nothing more is sent. */
  async end(link: string): Promise<void> {
    const outputs = this.#unowned.get(link)
    this.#unowned.delete(link)
    await outputs?.close()
  }

  /** Redis answers: of links that are not this worker's their owner takes care. @param isMine - of a link */
  async endOthers(isMine: (link: string) => boolean): Promise<void> {
    for (const link of this.#unowned.keys()) if (!isMine(link)) await this.end(link)
  }

  async close(): Promise<void> {
    this.#ended = true
    await this.endOthers(() => false)
  }

  #takeUp(config: LinkConfig): void {
    if (this.#ended || this.#unowned.has(config.link)) return
    const { journalDir, client } = this.#context
    const driven = config.instruments.flatMap((instrument) => {
      const model = this.#models.get(instrument.model)
      return model ? [{ config: instrument, driver: model.create(instrument.options) }] : []
    })
    const outputs = new LinkOutputs(new OutputStore(journalDir, config.link), client.clock, driven)
    for (const { driver } of driven) driver.close?.()
    if (driven.length < config.instruments.length) return
    this.#unowned.set(config.link, new UnownedOutputs(this.#context, config, this.#models, outputs))
  }
}
