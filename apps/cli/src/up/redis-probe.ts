import net from 'node:net'

/** Where a private Redis listens. */
export type RedisPlace = { path: string } | { port: number; password: string }

/**
 * Asks a private Redis one thing and gives the first line of its answer. Everything else goes through
 * @golem/queue; this is for the moments before anyone may rely on the server, without loading a client.
 *
 * @param words - e.g. `['PING']`
 * @returns the line without `+` or `-`, or null when nobody answers within the time
 */
export async function askRedis(
  place: RedisPlace,
  words: readonly string[],
  timeoutMs = 1000,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = net.connect(
      'path' in place ? { path: place.path } : { host: '127.0.0.1', port: place.port },
    )
    let received = ''
    const end = (answer: string | null): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(null), timeoutMs)
    const wantedLines = 'path' in place ? 1 : 2
    socket.setEncoding('utf8')
    socket.on('connect', () => {
      if ('port' in place) socket.write(`AUTH ${place.password}\r\n`)
      socket.write(`${words.join(' ')}\r\n`)
    })
    socket.on('data', (text: string) => {
      received += text
      const lines = received.split('\r\n')
      if (lines.length > wantedLines) end((lines[wantedLines - 1] ?? '').replace(/^[+-]/, ''))
    })
    // Refused, reset or closed without an answer are all the same news here: no Redis.
    socket.on('error', () => end(null))
    socket.on('close', () => end(null))
  })
}
