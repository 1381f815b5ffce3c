import net from 'node:net'
import { CliError } from '../exit-codes.ts'

/** How many ports are tried after the wanted one. */
const TRIES = 50

/**
 * A port to listen on.
 *
 * @param wanted - tried first
 * @param fixed - somebody chose it: no other will do
 * @throws CliError failed when it is taken
 */
export async function choosePort(listen: string, wanted: number, fixed: boolean): Promise<number> {
  const first = await tryListen(listen, wanted)
  if (first === null) return wanted
  if (first !== 'EADDRINUSE') {
    throw new CliError(
      'failed',
      `golem cannot listen on ${listen}, port ${wanted} (${first}). ${adviceFor(first)}`,
    )
  }
  if (fixed) {
    throw new CliError(
      'failed',
      `Port ${wanted} on ${listen} is taken by another program (\`ss -ltnp "sport = :${wanted}"\` shows which). ` +
        'End that one, or choose another port with --port or web.port in the site file.',
    )
  }
  for (let port = wanted + 1; port <= Math.min(wanted + TRIES, 65_535); port += 1) {
    if ((await tryListen(listen, port)) === null) return port
  }
  throw new CliError(
    'failed',
    `No port from ${wanted} to ${wanted + TRIES} is free on ${listen}. Choose one with --port.`,
  )
}

function adviceFor(code: string): string {
  if (code === 'EACCES') return 'Ports below 1024 are for root: choose a higher one with --port.'
  if (code === 'EADDRNOTAVAIL')
    return 'This machine does not have that address: see web.listen in the site file.'
  return 'See web.listen and web.port in the site file.'
}

/** Tries a port. @returns null when it is free, else the code of the error */
export function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port }, () => server.close(() => resolve(null)))
  })
}

/** A port on loopback that was free a moment ago. */
export async function freeLoopbackPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
