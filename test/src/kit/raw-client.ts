import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A bare TCP client that counts what comes. */
export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #wake: () => void = () => undefined
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
    socket.on('error', () => socket.destroy())
  }

  /** Connects. @param localAddress - of this machine, from which to come */
  static async to(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** What has come and was not taken. */
  get received(): Buffer {
    return this.#received
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text)
  }

  /** The next line, without its end. @throws when none comes in time or the connection ends */
  async line(timeoutMs = 5_000): Promise<string> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const end = this.#received.indexOf(0x0a)
      if (end >= 0) {
        const line = this.#received.toString('latin1', 0, end)
        this.#received = this.#received.subarray(end + 1)
        return line
      }
      if (this.closed) throw new Error('The connection was closed.')
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`No line came within ${timeoutMs} ms.`)
      await this.#more(left)
    }
  }

  async ask(question: string, timeoutMs?: number): Promise<string> {
    this.send(`${question}\n`)
    return this.line(timeoutMs)
  }

  /** Waits until so many bytes have come, and takes them. */
  async bytes(count: number, timeoutMs = 10_000): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs
    while (this.#received.length < count) {
      const left = deadline - performance.now()
      if (left <= 0 || this.closed) throw new Error(`Only ${this.#received.length} of ${count} bytes came.`)
      await this.#more(left)
    }
    const bytes = this.#received.subarray(0, count)
    this.#received = this.#received.subarray(count)
    return bytes
  }

  close(): void {
    this.socket.destroy()
  }

  async #more(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, timeoutMs)
    })
    clearTimeout(timer)
  }
}

/**
 * Runs a program to its end.
 *
 * @param input - what it gets on its standard input
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
