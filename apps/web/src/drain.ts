import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'

/** How long idle connections are kept for their next request, which is then answered with `Connection: close`. */
const LAST_REQUEST_MS = 2_000
/** How long what is in flight may take, in ms; longer than any answer of a process that is in a hurry. */
const IN_FLIGHT_MS = 6_000

/**
 * Prepares a server for an end that no client notices.
 *
 * @param hurry - called after two seconds: whoever waits for something is to be answered with what is known by then
 * @returns the function that ends it: takes no new connections, answers what comes on the old ones and asks
 *   their clients to close, closes the idle ones after two seconds, and the rest after six more. Connections that were
 *   upgraded are left to whoever has them
 */
export function prepareDrain(server: Server, hurry: () => void = () => undefined): () => Promise<void> {
  let draining = false
  // Before the application's own listener, so that the answer's head is not yet written.
  server.prependListener('request', (_request, response) => {
    if (draining) response.shouldKeepAlive = false
  })
  return async () => {
    draining = true
    const closed = new Promise<void>((resolve) => {
      // Not `server.close()`: that one closes idle connections at once, and a poll may be on its way on one.
      NetServer.prototype.close.call(server, () => resolve())
    })
    if (await within(closed, LAST_REQUEST_MS)) return
    hurry()
    // Both end the process sooner than systemd would, and are no-ops for connections already gone.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    server.closeIdleConnections()
    const done = await within(closed, IN_FLIGHT_MS)
    clearInterval(sweep)
    if (done) return
    server.closeAllConnections()
    await closed
  }
}

async function within(end: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false)
  })
  try {
    return await Promise.race([end.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
