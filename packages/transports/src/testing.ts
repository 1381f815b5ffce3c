import assert from 'node:assert/strict'
import {
  type AskOptions,
  GolemError,
  type HttpIo,
  type HttpReply,
  type LineDriver,
  type LineIo,
  type Readings,
} from '@golem/core'

/** A reply: the text (status 200), a whole reply, or the error the transport would throw. */
export type ScriptedReply = string | HttpReply | GolemError

/** Method, path, body (null: none), reply. */
export type HttpScript = readonly (readonly [
  method: 'GET' | 'POST',
  path: string,
  body: string | null,
  reply: ScriptedReply,
])[]

/**
 * The io of an HTTP driver that follows a transcript.
 *
 * @param script - the exchanges in their order; anything else fails the test
 * @returns the io; `done` fails when the script was not used up; `sleptMs` is how long the driver wanted to wait
 */
export function scriptedHttp(script: HttpScript): HttpIo & { done: () => void; sleptMs: () => number } {
  const left = [...script]
  let slept = 0
  const exchange = async (method: string, path: string, body: string | undefined): Promise<HttpReply> => {
    const next = left.shift()
    assert.ok(next, `the script is over, but the driver sent ${method} ${path} ${body ?? ''}`)
    assert.deepEqual([method, path, body ?? null], next.slice(0, 3))
    const reply = next[3]
    if (reply instanceof GolemError) throw reply
    return typeof reply === 'string' ? { status: 200, text: reply } : reply
  }
  return {
    get: (path) => exchange('GET', path, undefined),
    post: (path, body) => exchange('POST', path, body),
    sleep: async (ms) => {
      slept += ms
    },
    done: () => assert.deepEqual(left, [], 'these exchanges did not take place'),
    sleptMs: () => slept,
  }
}

/**
 * What is sent (null: nothing, the instrument speaks by itself), and the line or lines that come back (null:
 * none, so that waiting ends in a time-out), or the error the transport would throw.
 */
export type LineScript = readonly (readonly [
  sent: string | null,
  reply: string | readonly string[] | null | GolemError,
])[]

/**
 * The io of a line driver that follows a transcript. In exchanges of bytes both sides are latin1 with their
 * terminators.
 *
 * @param onStray - gets the lines that the driver's `accept` does not take, as its `unsolicited` would
 * @returns the io; `done` fails when the script was not used up or a reply was not read
 */
export function scriptedLine(
  script: LineScript,
  onStray: (line: string) => void = () => undefined,
): LineIo & { done: () => void } {
  const left = [...script]
  const came: string[] = []
  const take = (reply: LineScript[number][1]): void => {
    if (reply instanceof GolemError) throw reply
    if (reply !== null) came.push(...(typeof reply === 'string' ? [reply] : reply))
  }
  const send = async (line: string): Promise<void> => {
    const next = left.shift()
    assert.ok(next, `the script is over, but the driver sent "${line}"`)
    assert.equal(line, next[0])
    take(next[1])
  }
  const accepted = ({ timeoutMs, accept = () => true }: AskOptions = {}): string => {
    for (let line = came.shift(); line !== undefined; line = came.shift()) {
      if (accept(line)) return line
      onStray(line)
    }
    throw new GolemError('REPLY_TIMEOUT', `no answer within ${timeoutMs ?? 'the reply time-out'} ms`)
  }
  return {
    send,
    ask: async (line, options) => {
      for (const before of came.splice(0)) onStray(before)
      await send(line)
      return accepted(options)
    },
    askBytes: async (bytes, { complete, quietMs }) => {
      for (const before of came.splice(0)) onStray(before)
      await send(Buffer.from(bytes).toString('latin1'))
      const answer = Buffer.from(came.splice(0).join(''), 'latin1')
      const length = complete(answer) ?? (quietMs === undefined ? undefined : answer.length)
      if (length !== undefined) return answer.subarray(0, length)
      throw new GolemError('REPLY_TIMEOUT', `no complete answer, ${answer.length} bytes came`)
    },
    sendBytes: (bytes) => send(Buffer.from(bytes).toString('latin1')),
    expect: async (options) => {
      const next = left[0]
      if (came.length === 0 && next?.[0] === null) {
        left.shift()
        take(next[1])
      }
      return accepted(options)
    },
    sleep: async () => undefined,
    done: () => {
      assert.deepEqual(left, [], 'these exchanges did not take place')
      assert.deepEqual(came, [], 'these lines were not read')
    },
  }
}

/** Runs `work` with a transcript; lines that are not accepted go to the driver's `unsolicited`, as on a real line. */
export async function withScript<T>(
  driver: LineDriver,
  script: LineScript,
  work: (io: LineIo) => Promise<T>,
): Promise<{ result: T; strays: Readings[] }> {
  const strays: Readings[] = []
  const io = scriptedLine(script, (line) => {
    const found = driver.unsolicited?.(line)
    if (found) strays.push(found)
  })
  const result = await work(io)
  io.done()
  return { result, strays }
}
