import type { Address, UnclaimedDevice } from '@golem/core'
import type { Logger } from 'pino'

/** How often it is looked what hangs on this machine, in ms. */
const LOOK_EVERY_MS = 15_000

/** Looks now and then which devices of this machine no instrument of the site stands for. Opens none of them. */
export class UnclaimedDevices {
  readonly #addresses: readonly Address[]
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #failed = false
  found: readonly UnclaimedDevice[] = []

  /** @param addresses - of the instruments that may hang on this machine */
  constructor(addresses: readonly Address[], log: Logger) {
    this.#addresses = addresses
    this.#log = log
    void this.#look()
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      const { findLocalDevices, unclaimed } = await import('@golem/discovery')
      const left = await unclaimed(await findLocalDevices(), this.#addresses)
      this.found = left.flatMap(({ kind, address, label, note }): UnclaimedDevice[] =>
        kind === 'serial' || kind === 'usbtmc' || kind === 'hid'
          ? [{ kind, address, label, ...(note === undefined ? {} : { note }) }]
          : [],
      )
      this.#failed = false
    } catch (error) {
      if (!this.#failed) this.#log.warn({ err: error }, 'the devices of this machine can not be listed')
      this.#failed = true
    }
  }
}
