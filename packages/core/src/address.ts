import { GolemError } from './errors.ts'

/** Where an instrument is, as site.yaml names it. */
export type Address =
  | { kind: 'http'; host: string; port: number; path: string }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'serial'; path: string; baudRate?: number }
  /** A device of the simulator, by its name there. */
  | { kind: 'sim'; name: string }

const FORMS =
  'http://host[:port][/path], tcp://host:port, serial:/dev/serial/by-id/...[?baud=19200] or sim:name (a simulated device)'

/**
 * Reads an address.
 *
 * @throws CONFIG_INVALID with the forms that are understood
 */
export function parseAddress(text: string): Address {
  const invalid = (why: string): GolemError =>
    new GolemError('CONFIG_INVALID', `"${text}" is not an address golem understands: ${why}. Write ${FORMS}.`)
  if (!URL.canParse(text)) throw invalid('it is not a URL')
  const url = new URL(text)
  if (url.username || url.password) throw invalid('passwords do not belong there, use "auth"')
  switch (url.protocol) {
    case 'http:':
      if (url.search || url.hash) throw invalid('it has a query or fragment')
      return {
        kind: 'http',
        host: url.hostname,
        port: Number(url.port || 80),
        path: url.pathname.replace(/\/$/, ''),
      }
    case 'tcp:':
      if (!url.hostname || !url.port) throw invalid('host and port are both needed')
      return { kind: 'tcp', host: url.hostname, port: Number(url.port) }
    case 'serial:': {
      if (!url.pathname.startsWith('/')) throw invalid('the path of the port has to begin with /')
      const baud = url.searchParams.get('baud')
      if (baud !== null && !/^[1-9]\d{1,6}$/.test(baud)) throw invalid(`baud=${baud} is no speed`)
      const path = decoded(url.pathname)
      if (path === undefined) throw invalid('its % signs are no URL encoding')
      return { kind: 'serial', path, ...(baud === null ? {} : { baudRate: Number(baud) }) }
    }
    case 'sim:':
      if (!/^[a-z0-9][a-z0-9_-]*$/.test(url.pathname))
        throw invalid('the name after sim: is a-z, 0-9, - and _')
      return { kind: 'sim', name: url.pathname }
    default:
      throw invalid(`"${url.protocol}" is not known`)
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** The name of the physical connection behind an address: instruments with the same one share a link. */
export function linkOf(address: Address): string {
  switch (address.kind) {
    case 'http':
      return `http:${address.host}:${address.port}`
    case 'tcp':
      return `tcp:${address.host}:${address.port}`
    case 'serial':
      return `serial:${address.path}`
    case 'sim':
      return `sim:${address.name}`
  }
}
