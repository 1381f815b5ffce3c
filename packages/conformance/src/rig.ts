import type { Address, Model, Value } from '@golem/core'
import type { FaultyWire } from '@golem/simulator'
import type { FaultCase } from './fault-cases.ts'

/** A simulated instrument behind a wire on which things can go wrong, for one driver. */
export interface Rig {
  /** Where the driver finds it. */
  endpoint: Address
  /** Where another driver finds it, at the same time: a serial port is one program's only. */
  another?: Address
  wire: FaultyWire
  /** What the driver is made with. */
  options: Readonly<Record<string, unknown>>
  /** Readings that change by themselves, too slowly to be noticed in a few looks. */
  drifting?: readonly string[]
  /** Readings that are told only when they change: the last one holds for as long as polls are good. */
  toldOnChange?: readonly string[]
  /** Parameters whose reading is not all there is to know: what the instrument is really set to. */
  truth?: () => Readonly<Record<string, Value>>
  /** How the instrument says no to a write; null: it can't; absent: as it likes, when it gets a value it can't take. */
  refusal?: Refusal | null
  /** What a person does when the driver refuses a write before anything is sent, and then writes again. */
  remedy?: { action: string; arguments?: Readonly<Record<string, Value>> }
  /** Parameters that the driver may honestly call unknown after something went wrong, until the remedy. */
  mayBeUnknown?: readonly string[]
  /** Stands in for the kernel's USB drivers, see `LinkOptions.usbDrivers`. */
  usbDrivers?: string
  /** Loses its settings, as at a power failure. Absent: it has none to lose. */
  reboot?: () => Promise<void>
  close(): Promise<void>
}

export interface Refusal {
  /** The answer to this request is replaced. */
  match: (request: Buffer) => boolean
  /** What comes in its place; where that depends on the answer, what becomes of it. */
  answer: Buffer | ((answer: Buffer) => Buffer)
  /** A part of it that has to reach the one who asked. */
  words: string
}

/** How to make a rig for a model. Each rig is an instrument of its own. */
export interface RigMaker {
  model: Model
  /** Faults that have no meaning on its transport, by the name of their case, with the reason. */
  without?: Readonly<Record<string, string>>
  /** Faults during which nothing can reach the instrument on its transport, by the name of their case. */
  deaf?: readonly string[]
  /** Faults that only its transport has. */
  more?: readonly FaultCase[]
  /** @param options - of the model, in place of the rig's own */
  make: (options?: Readonly<Record<string, unknown>>) => Promise<Rig>
}
