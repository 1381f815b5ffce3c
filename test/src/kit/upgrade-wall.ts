import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** Something in between, as a proxy of a company is, that lets HTTP pass and, when told to, no WebSocket. */
export interface UpgradeWall {
  /** Where it stands, e.g. `http://127.0.0.1:4711`. */
  url: string
  /** Cuts the sockets that are open, and refuses new ones. */
  block(): void
  allow(): void
  close(): Promise<void>
}

/** Puts a wall in front of a web process. @param url - of that process */
export async function startUpgradeWall(url: string): Promise<UpgradeWall> {
  const { hostname, port } = new URL(url)
  const upgraded = new Set<Socket>()
  const all = new Set<Socket>()
  let blocked = false
  const server = createServer((near) => {
    all.add(near)
    near.on('close', () => all.delete(near))
    near.on('error', () => near.destroy())
    near.once('data', (head: Buffer) => {
      if (/^upgrade: websocket\r$/im.test(head.toString('latin1'))) {
        if (blocked) {
          near.destroy()
          return
        }
        upgraded.add(near)
        near.on('close', () => upgraded.delete(near))
      }
      const far = connect(Number(port), hostname)
      far.on('error', () => near.destroy())
      far.write(head)
      near.pipe(far).pipe(near)
      near.on('close', () => far.destroy())
      far.on('close', () => near.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    block: () => {
      blocked = true
      for (const socket of upgraded) socket.destroy()
    },
    allow: () => {
      blocked = false
    },
    close: async () => {
      for (const socket of all) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
