import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifyInstance } from 'fastify'

const COMMON = {
  removeAdditional: false,
  useDefaults: true,
  allowUnionTypes: true,
  strict: true,
  validateFormats: false,
} as const

/** An error that `problemOf` tells in words. */
type SchemaError = Error & { validation: readonly object[]; validationContext?: string }

/** Bodies are taken as they are; in a query everything is text, so `limit=5` is read as a number there. */
export function checkStrictly(app: FastifyInstance): void {
  const strict = new Ajv({ ...COMMON, coerceTypes: false })
  const text = new Ajv({ ...COMMON, coerceTypes: true })
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const check = (httpPart === 'querystring' ? text : strict).compile(schema as object)
    return (data: unknown) =>
      check(data) ? true : { error: Object.assign(new Error('schema'), { validation: check.errors ?? [] }) }
  })
  app.setSchemaErrorFormatter((errors, context) => schemaError(errors, context))
}

/**
 * Checks what comes by another way than HTTP as strictly as a body.
 *
 * @returns a function that gives the value back with its defaults, or throws what `problemOf` tells in words
 */
export function strictCheck<T>(schema: object): (value: unknown) => T {
  const check = new Ajv({ ...COMMON, coerceTypes: false }).compile(schema) as ValidateFunction<T>
  return (value) => {
    if (check(value)) return value
    throw schemaError(check.errors ?? [], 'body')
  }
}

function schemaError(validation: readonly object[], validationContext: string): SchemaError {
  return Object.assign(new Error('schema'), { validation, validationContext })
}
