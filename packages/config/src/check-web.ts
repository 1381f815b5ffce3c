import type { RawSite } from './site-schema.ts'
import type { AuthConfig, WebConfig } from './site.ts'
import type { Report } from './check-instrument.ts'

const DEFAULT_LISTEN = '127.0.0.1'
const DEFAULT_PORT = 8000

/**
 * Reads `web` and `auth`.
 *
 * @param authWritten - whether the file says anything of `auth`, be it faulty
 */
export function readWeb(raw: RawSite, authWritten: boolean, report: Report): WebConfig {
  const listen = raw.web?.listen ?? DEFAULT_LISTEN
  if (!authWritten && !isLoopback(listen)) {
    report(
      ['web', 'listen'],
      `Listening on ${listen} lets everybody who reaches that address drive the instruments. Name tokens under "auth" ("golem token" makes them), or write "auth: none" if you trust everybody there, or leave "listen" out to serve this machine only.`,
    )
  }
  return {
    listen,
    port: raw.web?.port ?? DEFAULT_PORT,
    portFixed: raw.web?.port !== undefined,
    hosts: (raw.web?.hosts ?? []).filter((host) => host !== undefined),
    auth: readAuth(raw.auth, report),
  }
}

function readAuth(raw: RawSite['auth'], report: Report): AuthConfig {
  if (raw === undefined) return { kind: 'loopback' }
  if (raw === 'none') return { kind: 'none' }
  const names = new Set<string>()
  const hashes = new Set<string>()
  const tokens = (raw.tokens ?? []).map((token, index) => {
    const { name = '', role = 'viewer', hash = '' } = token ?? {}
    if (name !== '' && names.has(name)) {
      report(
        ['auth', 'tokens', index, 'name'],
        `There is another token named "${name}". Give each its own name.`,
      )
    }
    if (/^(?:run|schedule|gateway) /.test(name)) {
      report(
        ['auth', 'tokens', index, 'name'],
        `The ledger calls runs, schedules and foreign programs so, and a reservation goes by that name. Call "${name}" otherwise.`,
      )
    }
    if (hash !== '' && hashes.has(hash)) {
      report(
        ['auth', 'tokens', index, 'hash'],
        'Another token has the same hash: nobody could tell who came. Give each its own token.',
      )
    }
    names.add(name)
    hashes.add(hash)
    return { name, role, hash }
  })
  return { kind: 'tokens', tokens }
}

/** Is it an address at which only this machine can be reached? */
export function isLoopback(listen: string): boolean {
  return listen === 'localhost' || listen === '::1' || /^127(\.\d{1,3}){3}$/.test(listen)
}
