import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import net from 'node:net'

/** The hold on an instance folder; ends by itself with the process, also after kill -9. */
export interface InstanceLock {
  release(): Promise<void>
}

/**
 * Takes an instance folder for this process.
 *
 * A listening abstract socket (Linux) is the lock: the kernel lets it go when the process ends, however it
 * ends, so that there are no stale locks to judge.
 *
 * @returns null when another process on this machine has it
 */
export async function lockInstance(instanceDir: string): Promise<InstanceLock | null> {
  const name = createHash('sha256').update(realpathSync(instanceDir)).digest('hex').slice(0, 32)
  const server = net.createServer((socket) => socket.destroy())
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(`\0golem-up-${name}`, () => resolve(true))
  })
  if (!taken) return null
  server.unref()
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}
