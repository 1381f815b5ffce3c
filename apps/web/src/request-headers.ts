import { GolemError } from '@golem/core'
import { clip } from './problem.ts'

/** The longest a request may wait for an outcome, in seconds. */
export const MAX_WAIT_S = 60
const MAX_PREFER = 200
const MAX_KEY = 200
const MAX_USER = 64

/**
 * Reads `Prefer: wait=SECONDS` (RFC 7240); other preferences are left unheeded, as that standard wants it.
 *
 * @returns seconds, at most 60; null when nothing of the kind is asked
 * @throws INVALID_REQUEST when `wait` is no whole number
 */
export function waitSeconds(header: string | undefined): number | null {
  if (header === undefined) return null
  if (header.length > MAX_PREFER) throw invalid('prefer', `is longer than ${MAX_PREFER} characters`)
  for (const preference of header.split(',')) {
    const match = /^\s*wait\s*(?:=\s*("?)([^";]*)\1\s*)?(?:;.*)?$/i.exec(preference)
    if (!match) continue
    const seconds = match[2]?.trim() ?? ''
    if (!/^\d{1,9}$/.test(seconds)) {
      throw invalid('prefer', `says "${clip(preference.trim())}"; write wait=SECONDS, 0 to ${MAX_WAIT_S}`)
    }
    return Math.min(Number(seconds), MAX_WAIT_S)
  }
  return null
}

/** @throws INVALID_REQUEST when the Idempotency-Key can't be one */
export function idempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  if (typeof header !== 'string' || !/^[\x21-\x7e]+$/.test(header) || header.length > MAX_KEY) {
    throw invalid('idempotency-key', `has to be 1 to ${MAX_KEY} visible ASCII characters without spaces`)
  }
  return header
}

/**
 * The name a person signs with where nobody has to prove who they are; may be percent-encoded UTF-8.
 *
 * @throws INVALID_REQUEST when it is longer than 64 characters or not printable
 */
export function signature(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const name = typeof header === 'string' ? decoded(header) : null
  if (name === null || name.length > MAX_USER || !/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name)) {
    throw invalid('x-golem-user', `has to be 1 to ${MAX_USER} printable characters`)
  }
  return name
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text).trim()
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

function invalid(header: string, what: string): GolemError {
  return new GolemError('INVALID_REQUEST', `The header ${header} ${what}.`, { field: `header.${header}` })
}
