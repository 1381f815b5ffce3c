import type { CalibrationMark } from './calibration.ts'
import type { OutputRules } from './output.ts'

/** A value as it is read from, or written to, an instrument. A list of numbers is an `array`, e.g. a waveform. */
export type Value = number | boolean | string | readonly number[]

export type ParameterType = 'number' | 'integer' | 'boolean' | 'choice' | 'text' | 'array'

/** What a value may be: the part that parameters and arguments of actions have in common. */
export interface ValueDescription {
  type: ParameterType
  /** Unit as it is shown, e.g. `°C`, `%`, `ppm`. */
  unit?: string
  /** Lowest and highest value that may be written, in `unit`; site limits are already applied. */
  min?: number
  max?: number
  /** Step of a control on the page; not enforced. */
  step?: number
  /** The values of a `choice`. */
  choices?: readonly string[]
  /** The longest `text`, in characters (default 256). */
  maxLength?: number
  /** The most numbers of an `array` (default 4096). `min` and `max` hold for each of them. */
  maxItems?: number
}

/** A parameter as the worker publishes it. Web, CLI and page know nothing else of it. */
export interface ParameterDescription extends ValueDescription {
  label: string
  /** Heading under which the page shows it, e.g. `Relays`; absent: that of the instrument. */
  group?: string
  /** Heading within the instrument, e.g. `Channel 1`. */
  section?: string
  /** Can be read: it has a reading. */
  readable: boolean
  writable: boolean
  /** Decimals to show. */
  decimals?: number
  /** What one should know about it, as a sentence. */
  note?: string
  /** Value it is brought to by the emergency stop; absent: it is left as it is. */
  safe?: Value
  /** What the site demands of it beyond its limits. */
  rules?: OutputRules
  /** It is made of raw parameters of the instrument by this calibration. */
  calibration?: CalibrationMark
}

export interface ArgumentDescription extends ValueDescription {
  label: string
  /** Used when the argument is left out; without it the argument is required. */
  default?: Value
}

export interface ActionDescription {
  label: string
  arguments: Readonly<Record<string, ArgumentDescription>>
  group?: string
  /** Heading within the instrument. */
  section?: string
  /** The page asks before it sends this. */
  confirm?: boolean
  /** It takes this role; absent: whoever may command may run it. */
  role?: 'admin'
  note?: string
}

/** What an instrument of this site can do, with this site's labels and limits. */
export interface InstrumentDescription {
  id: string
  label: string
  group: string
  /** Kind of instrument, e.g. `relay board`, `lamp`, `gas analyser`. */
  kind: string
  model: string
  /** Host it hangs on, or null when any worker may own it. */
  host: string | null
  /** Address without credentials. */
  address: string
  pollEveryMs: number
  /** What happens to its outputs when its worker is stopped in an orderly way. */
  onStop: 'hold' | 'safe'
  /** What becomes of outputs that are no longer as they were after it was without power; absent: they stay so. */
  onPowerReturn?: 'hold' | 'safe' | 'restore' | 'ask'
  /** Its outputs go safe when its worker has heard nothing of Redis for so long, in ms; absent: they hold. */
  orphanSafeAfterMs?: number
  parameters: Readonly<Record<string, ParameterDescription>>
  actions: Readonly<Record<string, ActionDescription>>
}
