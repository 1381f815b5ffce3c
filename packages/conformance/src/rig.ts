import type { Address, Model, Value } from '@golem/core'
import type { FaultyWire } from '@golem/simulator'

/** A simulated instrument behind a wire on which things can go wrong, for one driver. */
export interface Rig {
  /** Where the driver finds it. */
  endpoint: Address
  wire: FaultyWire
  /** What the driver is made with. */
  options: Readonly<Record<string, unknown>>
  /** Readings that change by themselves, too slowly to be noticed in a few looks. */
  drifting?: readonly string[]
  /** Parameters whose reading is not all there is to know: what the instrument is really set to. */
  truth?: () => Readonly<Record<string, Value>>
  /** How the instrument says no to a write; null: it can't; absent: as it likes, when it gets a value it can't take. */
  refusal?: Refusal | null
  /** Loses its settings, as at a power failure. Absent: it has none to lose. */
  reboot?: () => Promise<void>
  close(): Promise<void>
}

export interface Refusal {
  /** The answer to this request is replaced. */
  match: (request: Buffer) => boolean
  answer: Buffer
  /** A part of it that has to reach the one who asked. */
  words: string
}

/** How to make a rig for a model. Each rig is an instrument of its own. */
export interface RigMaker {
  model: Model
  /** @param options - of the model, in place of the rig's own */
  make: (options?: Readonly<Record<string, unknown>>) => Promise<Rig>
}
