import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The form of a hash in site.yaml. */
export const TOKEN_HASH_PATTERN = '^sha256:[0-9a-f]{64}$'

/** A new bearer token: 256 random bits, safe in URLs and headers. It is shown once and kept only as its hash. */
export function newToken(): string {
  return `golem_${randomBytes(32).toString('base64url')}`
}

/**
 * What site.yaml keeps of a token: `sha256:` and 64 hexadecimal digits. A plain hash is enough because
 * tokens are random; it would not be for passwords that people think up.
 */
export function hashToken(token: string): string {
  return `sha256:${createHash('sha256').update(token, 'utf8').digest('hex')}`
}

/** Does a token belong to a hash? Takes the same time wherever they differ. */
export function tokenMatches(token: string, hash: string): boolean {
  const wanted = Buffer.from(hash)
  const got = Buffer.from(hashToken(token))
  return wanted.length === got.length && timingSafeEqual(wanted, got)
}
