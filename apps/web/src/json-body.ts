import { GolemError, messageOf } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import secureJson from 'secure-json-parse'

/** The largest body that is read, in bytes. */
export const BODY_LIMIT = 65_536
/** How deep objects and lists may be nested; golem's own go to 3. */
const MAX_DEPTH = 16

/** Takes JSON bodies only; an empty one is no body, so that an emergency stop never fails on a formality. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    const body = text.toString()
    if (body.trim() === '') return done(null, undefined)
    try {
      return done(null, parseJson(body))
    } catch (error) {
      return done(error as GolemError)
    }
  })
}

/**
 * Reads JSON from outside.
 *
 * @throws INVALID_REQUEST when it is none, is nested too deep, or has a key that could change what all objects are
 */
export function parseJson(body: string): unknown {
  if (isDeeperThan(body, MAX_DEPTH)) {
    const message = `The body is nested deeper than ${MAX_DEPTH} levels.`
    throw new GolemError('INVALID_REQUEST', message, { field: 'body' })
  }
  try {
    return secureJson.parse(body, null, { protoAction: 'error', constructorAction: 'error' })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw refusal(body)
  }
}

/** Why a body that the parser did not take is refused. */
function refusal(body: string): GolemError {
  try {
    JSON.parse(body)
  } catch (error) {
    return new GolemError('INVALID_REQUEST', `The body is not JSON: ${messageOf(error)}.`, { field: 'body' })
  }
  // It is JSON, so it was refused for a key that could change what all objects are.
  const key = /"(__proto__|constructor)"\s*:/.exec(body)?.[1]
  return new GolemError(
    'INVALID_REQUEST',
    `The body has the key "${key ?? '__proto__'}", which is not known here.`,
    {
      field: key === undefined ? 'body' : `/${key}`,
    },
  )
}

/** Whether brackets outside of texts are nested deeper than `limit`. */
export function isDeeperThan(json: string, limit: number): boolean {
  let depth = 0
  let inText = false
  for (let n = 0; n < json.length; n += 1) {
    const character = json.charCodeAt(n)
    if (inText) {
      if (character === 0x5c) n += 1
      else if (character === 0x22) inText = false
    } else if (character === 0x22) {
      inText = true
    } else if (character === 0x7b || character === 0x5b) {
      depth += 1
      if (depth > limit) return true
    } else if (character === 0x7d || character === 0x5d) {
      depth -= 1
    }
  }
  return false
}
