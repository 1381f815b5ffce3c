import type { Driver } from '@golem/core'
import type { Path } from '@golem/config'
import type { ValueForm } from './values.ts'

/** Told of each fault of a model file; `at`: the place of the key rather than of the value. */
export type Report = (path: Path, message: string, at?: 'key' | 'value') => void

/** A parameter as a model file has it: what is common to all transports. Each transport has keys of its own besides. */
export interface RawParameter extends ValueForm {
  label: string
  group?: string
  note?: string
  step?: number
  decimals?: number
  /** Value the emergency stop gives it. */
  safe?: number | boolean | string
}

/** An argument of an action, as a model file has it. */
export interface RawArgument extends ValueForm {
  label: string
  step?: number
  default?: number | boolean | string
}

/** An action as a model file has it: what is common to all transports. */
export interface RawAction {
  label: string
  group?: string
  note?: string
  confirm?: boolean
  arguments?: Record<string, RawArgument>
}

/**
 * A model file that has passed the schema of its transport (`languages.ts`), so that nothing in it has a wrong type
 * and nothing required is missing. A transport's own keys are there too: its compiler knows their types.
 */
export interface RawModel {
  model: string
  label: string
  kind: string
  source: string
  transport: string
  /** The parameter that counts seconds since boot. */
  uptime?: string
  parameters?: Record<string, RawParameter>
  actions?: Record<string, RawAction>
}

/** The part of the model language that belongs to one transport. Registered in `languages.ts`. */
export interface Language {
  /** What the driver speaks: decides which addresses fit. */
  transport: Driver['transport']
  schema: LanguageSchema
  /**
   * Turns a file into drivers. Reports everything that is wrong in its own keys (the common ones have been checked,
   * see `compile.ts`), and makes everything that can be made once (patterns, templates) here, not in the drivers.
   *
   * @param raw - has passed the schema
   * @returns makes a driver for one instrument; not called when anything was reported
   */
  compile: (raw: RawModel, report: Report) => () => Driver
}

/** What a transport adds to the schema of a model file: JSON Schema properties. `schema.ts` has helpers for them. */
export interface LanguageSchema {
  /** At the top of the file. */
  top: Readonly<Record<string, object>>
  required?: readonly string[]
  /** In each parameter. */
  parameter: Readonly<Record<string, object>>
  parameterRequired?: readonly string[]
  /** In each action. */
  action: Readonly<Record<string, object>>
  actionRequired?: readonly string[]
}
