import { type AuthConfig, type Role, type Site, hashToken, isLoopback } from '@golem/config'
import { GolemError } from '@golem/core'
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { clip } from './problem.ts'
import { signature } from './request-headers.ts'

/** Who asks, as the ledger names them, and what they may do. */
export interface Identity {
  name: string
  role: Role
}

/** The part of a request that decides whether it is let in. */
export interface Knock {
  method: string
  url: string
  headers: IncomingHttpHeaders
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']
/** How many Host headers that were found good are remembered. */
const MAX_KNOWN_HOSTS = 100

/** As `isLoopback`, also for `[::1]` and `::ffff:127.0.0.1`. */
function isOwnMachine(address: string): boolean {
  return isLoopback(address.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, ''))
}

/**
 * Refuses to serve a network without saying who may come in.
 *
 * @throws CONFIG_INVALID with what to write in site.yaml
 */
export function checkListen(address: string, auth: AuthConfig): void {
  if (auth.kind !== 'loopback' || isOwnMachine(address)) return
  throw new GolemError(
    'CONFIG_INVALID',
    `golem does not listen on ${address}, where others than this machine reach it, without knowing who may come in: ` +
      'write "auth: none" into site.yaml if you trust everybody there, or name tokens under "auth: { tokens: [...] }", ' +
      'or leave "web.listen" out to serve this machine only.',
  )
}

/** Decides about each request: is it meant for this site, does it come from its own page, who is it, may they? */
export class Access {
  readonly #auth: AuthConfig
  readonly #names: ReadonlySet<string>
  readonly #knownHosts = new Set<string>()
  readonly #tokens: readonly { hash: Buffer; identity: Identity }[]
  readonly #anybody: Identity

  /** @param site - `web.listen`, `web.hosts` and `web.auth` of it are used */
  constructor({ web }: Pick<Site, 'web'>) {
    this.#auth = web.auth
    this.#names = new Set(
      [...LOOPBACK_NAMES, bracketed(web.listen), ...web.hosts].map((name) => name.toLowerCase()),
    )
    this.#tokens =
      web.auth.kind === 'tokens'
        ? web.auth.tokens.map(({ name, role, hash }) => ({
            hash: Buffer.from(hash),
            identity: { name, role },
          }))
        : []
    this.#anybody = { name: web.auth.kind === 'loopback' ? 'local' : 'anybody', role: 'admin' }
  }

  /** How people prove who they are here. */
  get kind(): AuthConfig['kind'] {
    return this.#auth.kind
  }

  /**
   * Lets a request in.
   *
   * @param open - it may be asked for without a token (the page itself, health)
   * @param harmless - viewers may ask for it whatever the method
   * @throws INVALID_REQUEST, NOT_AUTHENTICATED, NOT_ALLOWED
   */
  admit(knock: Knock, open: boolean, harmless = false): Identity {
    const { headers, method } = knock
    this.#checkHost(headers.host)
    checkOrigin(knock, this.#names)
    if (this.#auth.kind !== 'tokens') {
      const name = signature(headers['x-golem-user'])
      return name === undefined ? this.#anybody : { name: `${name} (${this.#anybody.name})`, role: 'admin' }
    }
    if (open && headers.authorization === undefined) return { name: 'nobody', role: 'viewer' }
    const identity = this.#identify(headers.authorization)
    if (!harmless && method !== 'GET' && method !== 'HEAD') checkMayCommand(identity)
    return identity
  }

  /**
   * A person as the ledger has them, for whom something is asked: one who has a token here, or, where nobody has to prove
   * who they are, whatever name is given.
   *
   * @param name - `gateway ADDRESS` stands for foreign programs from there
   * @param field - where it stands in the request
   * @throws INVALID_REQUEST when nobody of this name can come in
   */
  personNamed(name: string, field: string): string {
    if (name.startsWith('gateway ')) return name
    if (this.#auth.kind !== 'tokens') {
      const suffix = ` (${this.#anybody.name})`
      return name === this.#anybody.name || name.endsWith(suffix) ? name : `${name}${suffix}`
    }
    if (this.#tokens.some(({ identity }) => identity.name === name)) return name
    throw new GolemError('INVALID_REQUEST', `Nobody named "${clip(name)}" has a token at this site.`, {
      field,
    })
  }

  #identify(authorization: string | undefined): Identity {
    const field = 'header.authorization'
    const token = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) {
      throw new GolemError('NOT_AUTHENTICATED', 'This site wants a token: send "Authorization: Bearer …".', {
        field,
      })
    }
    const hash = Buffer.from(hashToken(token))
    let found: Identity | undefined
    // All are compared, and each in constant time: how long it takes tells nothing.
    for (const candidate of this.#tokens) {
      if (candidate.hash.length === hash.length && timingSafeEqual(candidate.hash, hash))
        found = candidate.identity
    }
    if (!found) throw new GolemError('NOT_AUTHENTICATED', 'This token is not known here.', { field })
    return found
  }

  /** A page that had its own name point to this address (DNS rebinding) is stopped by the name. */
  #checkHost(host: string | undefined): void {
    if (host !== undefined && this.#knownHosts.has(host)) return
    const name = hostName(host ?? '')
    const isAddress = isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
    const good =
      this.#names.has(name) || (isAddress && (this.#auth.kind !== 'loopback' || isOwnMachine(name)))
    if (!good) {
      throw new GolemError(
        'NOT_ALLOWED',
        `This site does not answer to the name "${clip(name)}". If it is right, add it to "web: { hosts: [...] }" in site.yaml.`,
        { field: 'header.host' },
      )
    }
    if (host !== undefined && this.#knownHosts.size < MAX_KNOWN_HOSTS) this.#knownHosts.add(host)
  }
}

/** @throws NOT_ALLOWED when they may only look */
export function checkMayCommand({ name, role }: Identity): void {
  if (role !== 'viewer') return
  throw new GolemError('NOT_ALLOWED', `${name} may look, but not command: its role is viewer.`, {
    field: 'header.authorization',
  })
}

/** A web page elsewhere must not drive a lamp through somebody's browser. */
function checkOrigin({ method, url, headers }: Knock, names: ReadonlySet<string>): void {
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  if (origin === undefined && (site === undefined || site === 'same-origin' || site === 'none')) return
  const looking = method === 'GET' || method === 'HEAD'
  const opensPage =
    looking &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    !url.startsWith('/api/')
  if (opensPage) return
  if (origin !== undefined) {
    const name = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1]
    // Behind a proxy the port, and perhaps the name, differ from what the browser sees; names of site.yaml are trusted.
    const own = name !== undefined && (name === host.toLowerCase() || isNamed(name, names))
    if (own && site !== 'cross-site') return
  } else if (site === 'same-site' && looking) {
    return
  }
  throw new GolemError('NOT_ALLOWED', 'The request comes from a page of another site.', {
    field: origin === undefined ? 'header.sec-fetch-site' : 'header.origin',
  })
}

function isNamed(origin: string, names: ReadonlySet<string>): boolean {
  const name = hostName(origin)
  return names.has(name) && !isOwnMachine(name)
}

/** The name in `name:port`, in lower case; an IPv6 address keeps its brackets. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '')
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address
}
