import { Agent, request } from 'node:http'

/** A client with connections that stay open, cheaper than fetch: what is measured is golem, not this. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #base: string

  constructor(base: string) {
    this.#base = base
  }

  /** @returns the answer's JSON. @throws Error on a status of 300 or more */
  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const content = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const out = request(
        new URL(path, this.#base),
        {
          method,
          agent: this.#agent,
          headers: content === undefined ? headers : { 'content-type': 'application/json', ...headers },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece
          })
          response.once('end', () => {
            if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text) as T)
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
          })
        },
      )
      out.once('error', reject)
      out.end(content)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
