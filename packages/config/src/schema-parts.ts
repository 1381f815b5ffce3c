import { DURATION_PATTERN } from './duration.ts'

/** Form of the ids of sites and instruments. */
export const ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$'
/** Form of the names of parameters and actions. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_-]{0,62}$'
/** Form of the names of machines. */
export const HOST_PATTERN = '^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$'

/** A text that is not empty. */
export const text = (description: string): object => ({
  type: 'string',
  minLength: 1,
  maxLength: 200,
  description,
})
/** Yes or no. */
export const flag = (description: string): object => ({ type: 'boolean', description })
/** A time with its unit. */
export const duration = (description: string): object => ({
  type: 'string',
  pattern: DURATION_PATTERN,
  description: `${description}; a time with its unit, e.g. 500 ms, 1 s, 2 min or 1 h`,
})
/** A table with these keys and no others. */
export const table = (description: string, properties: object, required: string[] = []): object => ({
  type: 'object',
  description,
  additionalProperties: false,
  required,
  properties,
})
/** A table by names of a model. */
export const byName = (description: string, entry: object): object => ({
  type: 'object',
  description,
  propertyNames: { pattern: NAME_PATTERN, description: 'name as the model has it' },
  additionalProperties: entry,
})
