import type { Fault } from '@golem/config'
import { asGolemError, type Driver, GolemError, type Model } from '@golem/core'
import { DriverThread } from './driver-thread.ts'
import { CREATE_MS } from './keeper.ts'
import type { DriverShape, ModelShape } from './messages.ts'
import { siteDriver } from './proxy.ts'
import { checkedDriver, checkedModel } from './shape.ts'
import type { DriverSource } from './source.ts'

/** A thread in which drivers are only looked at is ended when nobody has asked for so long, in ms. */
const IDLE_MS = 10_000

type Made = { shape: DriverShape } | { error: GolemError }

/** The model of one driver file. */
export class SiteModel {
  readonly model: Model
  readonly #source: DriverSource
  readonly #shape: ModelShape
  readonly #onFault: (fault: Fault) => void
  readonly #createMs: number
  readonly #made = new Map<string, Made>()
  readonly #drivers: Driver[] = []
  #thread: DriverThread | undefined
  #idle: NodeJS.Timeout | undefined
  /** `create` hung or took the thread down: it is not tried again, for all of golem waits for it. */
  #hopeless: GolemError | undefined

  private constructor(
    source: DriverSource,
    shape: ModelShape,
    thread: DriverThread,
    onFault: (fault: Fault) => void,
    createMs: number,
  ) {
    this.#source = source
    this.#shape = shape
    this.#thread = thread
    this.#onFault = onFault
    this.#createMs = createMs
    this.model = { ...shape, file: source.file, create: (options) => this.#create(options) }
    this.#endWhenIdle()
  }

  /**
   * Loads a driver file.
   *
   * @param createMs - how long its `create` may take
   * @throws GolemError with what is wrong with it
   */
  static async load(
    source: DriverSource,
    onFault: (fault: Fault) => void,
    createMs = CREATE_MS,
  ): Promise<SiteModel> {
    const thread = new DriverThread(source)
    try {
      const shape = checkedModel(source.name, await thread.loaded)
      if (shape.id !== source.id) {
        throw new GolemError(
          'CONFIG_INVALID',
          `${source.name}: its model has the id "${shape.id}". Call it "${source.id}", as the file, so that its instruments are known also when it can't be loaded.`,
        )
      }
      return new SiteModel(source, shape, thread, onFault, createMs)
    } catch (error) {
      thread.end()
      throw error
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    for (const { close } of this.#drivers) close?.()
    this.#thread?.end()
    await this.#thread?.ended()
  }

  /** @throws CONFIG_INVALID when the driver says so of its options; INTERNAL when it fails, which is told as a fault too */
  #create(options: Readonly<Record<string, unknown>>): Driver {
    const key = JSON.stringify(options)
    let made = this.#made.get(key)
    if (!made) {
      made = this.#look(options)
      this.#made.set(key, made)
    }
    if ('error' in made) throw made.error
    const driver = siteDriver(this.#source, structuredClone(options), structuredClone(made.shape))
    this.#drivers.push(driver)
    return driver
  }

  #look(options: Readonly<Record<string, unknown>>): Made {
    if (this.#hopeless) return { error: this.#hopeless }
    clearTimeout(this.#idle)
    if (!this.#thread?.isAlive) this.#thread = new DriverThread(this.#source)
    const thread = this.#thread
    let shape: unknown
    try {
      shape = thread.ask({ kind: 'create', options }, 'create', this.#createMs)
    } catch (error) {
      const known = asGolemError(error)
      if (known.code === 'CONFIG_INVALID') return { error: known }
      if (!thread.isAlive) this.#hopeless = known
      return this.#faulty(known)
    } finally {
      this.#endWhenIdle()
    }
    try {
      return { shape: checkedDriver(this.#source.name, this.#shape, shape) }
    } catch (error) {
      return this.#faulty(asGolemError(error))
    }
  }

  /** What is wrong is the file's fault, not the site's. */
  #faulty({ message }: GolemError): Made {
    this.#onFault(faultOf(this.#source.file, this.#source.name, message))
    return { error: new GolemError('INTERNAL', message) }
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => {
      this.#thread?.end()
      this.#thread = undefined
    }, IDLE_MS)
    this.#idle.unref()
  }
}

/** The model that stands for a file that can't be loaded: its instruments say why. */
export function brokenModel(id: string, file: string, why: string): Model {
  return {
    id,
    label: id,
    kind: 'driver that can not be loaded',
    source: file,
    file,
    transport: 'line',
    optionsSchema: { type: 'object' },
    create: () => {
      throw new GolemError('INTERNAL', why)
    },
  }
}

/** A message of a driver as a fault of its file, with the line when it names one. */
export function faultOf(file: string, name: string, message: string): Fault {
  const line = /\(line (\d+)\)\.$/.exec(message)?.[1]
  return {
    file,
    line: line === undefined ? 1 : Number(line),
    column: 1,
    path: '',
    message: message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message,
  }
}
