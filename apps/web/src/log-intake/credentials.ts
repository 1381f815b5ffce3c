import type { Knock } from '../access.ts'

/**
 * A request with log records, as the rules of access are to see it. Python's HTTPHandler can set no header but that of Basic
 * authentication: the password is the token then, or `?token=` is; where the site has no tokens, the user is who signs. It
 * always writes, whatever its method.
 */
export function logKnock({ url, headers }: Pick<Knock, 'url' | 'headers'>): Knock {
  const basic = basicOf(headers.authorization)
  const token = basic?.password ?? (headers.authorization === undefined ? tokenIn(url) : undefined)
  const user = basic?.user
  return {
    method: 'POST',
    url,
    headers: {
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(user && headers['x-golem-user'] === undefined ? { 'x-golem-user': encodeURIComponent(user) } : {}),
    },
  }
}

/** What follows the `?` of an address. */
export function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1)
}

function tokenIn(url: string): string | undefined {
  return new URLSearchParams(queryOf(url)).get('token') ?? undefined
}

function basicOf(authorization: string | undefined): { user: string; password: string } | undefined {
  const coded = /^Basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(authorization ?? '')?.[1]
  if (coded === undefined) return undefined
  const text = Buffer.from(coded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
