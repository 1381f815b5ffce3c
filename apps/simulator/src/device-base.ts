import { GolemError } from '@golem/core'
import { type Fault, type FaultKind, FaultSlot } from './faults.ts'
import { type RequestEntry, RequestLog } from './request-log.ts'

/** What a kind of device takes as faults. */
export interface Fitting {
  /** For messages: `a stage`, `a serial line`. */
  what: string
  fits: (kind: FaultKind) => boolean
  /** How long a reboot takes when nobody says, in s. */
  rebootSeconds: number
}

/** What simulated devices have in common: requests are counted, a fault can be set, the cable pulled, the power cut. */
export abstract class DeviceBase {
  readonly name: string
  protected readonly log = new RequestLog()
  protected readonly faults = new FaultSlot()
  /** Grows with each power-off: answers from before it are never sent. */
  protected life = 0
  readonly #fitting: Fitting
  #plugged = true
  #closed = false
  #rebooting: NodeJS.Timeout | undefined

  protected constructor(name: string, fitting: Fitting) {
    this.name = name
    this.#fitting = fitting
  }

  /** Makes or removes the port, as it now should be. */
  protected abstract settle(): Promise<void>
  /** The power goes: whatever is under way is gone with it. */
  protected abstract powerOff(): void
  /** It is back after a reboot. */
  protected abstract powerOn(): void

  protected get isPlugged(): boolean {
    return this.#plugged
  }

  protected get isRebooting(): boolean {
    return this.#rebooting !== undefined
  }

  /** Should its port be there? */
  protected get isReachable(): boolean {
    return this.#plugged && !this.#closed && this.faults.current?.kind !== 'refuse'
  }

  counters(): Record<string, number> {
    return this.log.counters()
  }

  requests(): RequestEntry[] {
    return this.log.entries()
  }

  resetCounters(): void {
    this.log.reset()
  }

  async setFault(fault: Fault | null): Promise<void> {
    const { what, fits, rebootSeconds } = this.#fitting
    if (fault && !fits(fault.kind)) {
      throw new GolemError('INVALID_REQUEST', `The fault "${fault.kind}" does not fit ${what}.`, {
        field: '/kind',
      })
    }
    if (fault?.kind === 'reboot') {
      this.faults.set(null)
      this.#reboot(fault.seconds ?? rebootSeconds)
    } else {
      this.faults.set(fault)
    }
    await this.settle()
  }

  fault(): Fault | null {
    return this.isRebooting ? { kind: 'reboot' } : this.faults.current
  }

  /** The cable: the device keeps its own power, and goes on. */
  async unplug(): Promise<void> {
    this.#plugged = false
    await this.settle()
  }

  async replug(): Promise<void> {
    this.#plugged = true
    await this.settle()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.life += 1
    clearTimeout(this.#rebooting)
    this.powerOff()
    await this.settle()
  }

  #reboot(seconds: number): void {
    clearTimeout(this.#rebooting)
    this.life += 1
    this.powerOff()
    this.#rebooting = setTimeout(() => {
      this.#rebooting = undefined
      this.powerOn()
    }, seconds * 1000)
  }
}
