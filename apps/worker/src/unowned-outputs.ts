import { type Model, type Value, asGolemError, valueInWords } from '@golem/core'
import { openLink } from '@golem/transports'
import type { WorkerContext } from './context.ts'
import type { LinkConfig } from './link-owner.ts'
import { monotonic } from './output-store.ts'
import type { LinkOutputs } from './outputs.ts'

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
      .event('safe', instrument, message)
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }
}
