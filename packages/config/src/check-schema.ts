import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { JsonSchema } from '@golem/core'
import { didYouMean } from './did-you-mean.ts'
import { clip, inWords } from './in-words.ts'
import type { Path } from './yaml-source.ts'

/** Where and what, before file and line are known. */
export interface SchemaFault {
  path: Path
  message: string
  /** What the fault is about: a key, or the value behind it. */
  at: 'key' | 'value'
}

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: false,
  strictNumbers: true,
  validateFormats: false,
})
const compiled = new WeakMap<object, ValidateFunction>()

/**
 * Checks data against a schema and takes out what does not fit, so that the rest can be checked further: in
 * tables it is deleted, in lists it becomes undefined. Afterwards nothing is left that has a wrong type.
 *
 * @param data - changed
 * @param schema - the keyword `description` says in a few words what belongs there
 * @returns every fault
 */
export function checkSchema(data: unknown, schema: JsonSchema): SchemaFault[] {
  let validate = compiled.get(schema)
  if (!validate) {
    validate = ajv.compile(schema)
    compiled.set(schema, validate)
  }
  if (validate(data)) return []
  // `if` and `propertyNames` only say that something below them failed, which has said so itself.
  const errors = (validate.errors ?? []).filter(
    ({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames',
  )
  const faults = errors.map((error) => explain(error, pathOf(data, error.instancePath)))
  for (const fault of faults) remove(data, fault.path)
  return faults
}

/** A JSON pointer as a path; steps through lists become numbers. */
function pathOf(data: unknown, pointer: string): Path {
  let inside: unknown = data
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const step = Array.isArray(inside) ? Number(key) : key
      inside = stepInto(inside, step)
      return step
    })
}

function stepInto(data: unknown, step: string | number): unknown {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, step)) return undefined
  return (data as Record<string | number, unknown>)[step]
}

function explain(error: ErrorObject, path: Path): SchemaFault {
  const parent = error.parentSchema as { properties?: object; description?: string } | undefined
  const wanted = parent?.description === undefined ? '' : ` Wanted: ${parent.description}.`
  if (error.propertyName !== undefined) {
    const message = `"${clip(error.propertyName)}" can't be a name here.${wanted}`
    return { path: [...path, error.propertyName], message, at: 'key' }
  }
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty'])
      const message = unknownKey(key, Object.keys(parent?.properties ?? {}))
      return { path: [...path, key], message, at: 'key' }
    }
    case 'required': {
      const key = String(error.params['missingProperty'])
      const properties = parent?.properties as Record<string, { description?: string }> | undefined
      const what = properties?.[key]?.description
      return {
        path: [...path, key],
        message: `"${key}" is missing${what === undefined ? '' : ` (${what})`}. Add it.`,
        at: 'value',
      }
    }
    case 'minItems':
      return { path, message: `This list is empty or too short.${wanted}`, at: 'value' }
    case 'maxItems': {
      const most = String(error.params['limit'])
      return { path, message: `This list has more than ${most} entries.${wanted}`, at: 'value' }
    }
    case 'uniqueItems':
      return { path, message: `The list has the same entry twice.${wanted}`, at: 'value' }
    default:
      return { path, message: `This is ${inWords(error.data)}, which does not fit.${wanted}`, at: 'value' }
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  if (/^(password|passwd|pass|token|secret)$/i.test(key)) {
    return known.includes('passwordFile')
      ? 'Passwords do not belong into the site file, which gets copied and mailed. Put it into a file and name that with passwordFile, or into the environment and name the variable with passwordEnv.'
      : 'Secrets do not belong into the site file, which gets copied and mailed. Only the hash of a token does, as "hash".'
  }
  return `"${clip(key)}" is not known here.${didYouMean(key, known)}`
}

function remove(data: unknown, path: Path): void {
  const last = path.at(-1)
  if (last === undefined) return
  const parent = path.slice(0, -1).reduce(stepInto, data)
  if (Array.isArray(parent)) parent[Number(last)] = undefined
  else if (typeof parent === 'object' && parent !== null) Reflect.deleteProperty(parent, last)
}
