// @ts-check
import fs from 'node:fs'
import net from 'node:net'
import { ROOT, say, sha256 } from './steps.mjs'

/**
 * Holds the clone for this process; waits while another one does.
 *
 * The lock is a listening abstract socket (Linux): it goes when its process goes, however that ends.
 *
 * @returns {Promise<() => void>} lets it go
 */
export async function lock() {
  if (process.platform !== 'linux') return () => undefined
  const name = `\0golem-setup-${sha256(fs.realpathSync(ROOT)).slice(0, 32)}`
  for (let told = false; ; told = true) {
    const release = await listen(name)
    if (release) return release
    if (!told) say('waiting for another setup of this clone to end')
    await untilClosed(name)
  }
}

/**
 * @param {string} name
 * @returns {Promise<(() => void) | null>} lets it go; null when another process has it
 */
function listen(name) {
  return new Promise((resolve, reject) => {
    /** @type {Set<import('node:net').Socket>} */
    const waiting = new Set()
    const server = net.createServer((socket) => {
      waiting.add(socket)
      // Whoever waits may be killed: no news.
      socket.on('error', () => undefined).on('close', () => waiting.delete(socket))
    })
    const release = () => {
      server.close()
      for (const socket of waiting) socket.destroy()
    }
    server.once('error', (/** @type {Error & { code?: string }} */ error) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(name, () => {
      server.unref()
      resolve(release)
    })
  })
}

/** @param {string} name @returns {Promise<void>} */
function untilClosed(name) {
  return new Promise((resolve) => {
    const socket = net.connect(name)
    // Refused or reset: it is just being let go; the next try to listen tells.
    socket.on('error', () => undefined)
    socket.on('close', () => setTimeout(resolve, 50))
    socket.resume()
  })
}
