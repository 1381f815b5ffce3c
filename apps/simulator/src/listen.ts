import type net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { GolemError, messageOf } from '@golem/core'

/** How long a port that is just being given up by somebody else is waited for, in ms. */
const PORT_WAIT_MS = 3000

/**
 * Listens on a TCP port of 127.0.0.1.
 *
 * @param name - of the device, for the message
 * @param port - 0: a free one
 * @param makeServer - a new one for each try
 * @throws CONFIG_INVALID when the port is taken
 */
export async function listenOn127<S extends net.Server>(
  name: string,
  port: number,
  makeServer: () => S,
): Promise<{ server: S; port: number }> {
  const giveUpAt = performance.now() + PORT_WAIT_MS
  for (;;) {
    const server = makeServer()
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, '127.0.0.1', () => resolve())
      })
      return { server, port: (server.address() as net.AddressInfo).port }
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (taken && performance.now() < giveUpAt) {
        await sleep(50)
        continue
      }
      throw new GolemError(
        'CONFIG_INVALID',
        `The simulated device ${name} can't listen on 127.0.0.1:${port}: ${messageOf(error)}. Free that port or give it another one.`,
        { cause: error },
      )
    }
  }
}
