import { asGolemError, GolemError, type LineDriver, type LineIo } from '@golem/core'
import type { Channel } from '@golem/transports'
import { AnswerScan, MAX_ANSWER } from './answer-scan.ts'
import { kindOf } from './scpi.ts'

/** One message of a client, and what is to be known of it before it is sent. */
export interface Message {
  /** Without terminator. */
  bytes: Buffer
  /** It may change something. */
  changes: boolean
  /** How many queries are in it, each of which may be answered by itself. */
  queries: number
  answer: 'none' | 'line' | 'frame' | 'until-quiet'
}

/** What a client's message is to an instrument of this driver. */
export function messageFor(driver: LineDriver, bytes: Buffer): Message {
  switch (driver.replies ?? 'query') {
    case 'query': {
      const { queries, changes } = kindOf(bytes)
      return { bytes, changes, queries, answer: queries > 0 ? 'line' : 'none' }
    }
    case 'always':
      return { bytes, changes: true, queries: 1, answer: driver.link.receiveFrame ? 'frame' : 'line' }
    case 'quiet':
      return { bytes, changes: true, queries: 1, answer: 'until-quiet' }
  }
}

/**
 * Carries one message to the instrument, as one conversation, and its answer back.
 *
 * @param timeoutMs - the longest silence before and within the answer
 * @param beforeSend - called directly before the bytes go out; throws when they must not
 * @returns the answer as it came, terminators and all; undefined when none belongs to it
 * @throws what `Channel.run` throws
 */
export function exchange(
  channel: Channel,
  message: Message,
  timeoutMs: number,
  beforeSend: () => void,
): Promise<Buffer | undefined> {
  const { link } = channel.driver as LineDriver
  const bytes = Buffer.concat([message.bytes, Buffer.from(link.sendTerminator, 'latin1')])
  const conversation = async (io: LineIo): Promise<Buffer | undefined> => {
    switch (message.answer) {
      case 'none':
        await io.sendBytes(bytes)
        return undefined
      case 'line':
        return askLine(io, bytes, message, link, timeoutMs)
      case 'frame': {
        const length = link.receiveFrame?.length ?? 0
        const complete = (received: Uint8Array): number | undefined =>
          received.length >= length ? length : undefined
        return Buffer.from(await io.askBytes(bytes, { complete, timeoutMs, maxBytes: MAX_ANSWER }))
      }
      case 'until-quiet': {
        const complete = (): undefined => undefined
        const options = { complete, timeoutMs, quietMs: link.quietMs, maxBytes: MAX_ANSWER }
        return Buffer.from(await io.askBytes(bytes, options))
      }
    }
  }
  return channel.run('command', conversation as (io: never) => Promise<Buffer | undefined>, { beforeSend })
}

async function askLine(
  io: LineIo,
  bytes: Buffer,
  { queries }: Message,
  { receiveTerminator, quietMs }: LineDriver['link'],
  timeoutMs: number,
): Promise<Buffer> {
  const scan = new AnswerScan(receiveTerminator)
  let answer: Buffer
  try {
    const options = { complete: scan.complete, timeoutMs, maxBytes: MAX_ANSWER + 64 }
    answer = Buffer.from(await io.askBytes(bytes, options))
  } catch (error) {
    const block = asGolemError(error).code === 'REPLY_TIMEOUT' ? scan.wholeBlock : undefined
    if (!block) throw error
    return block
  }
  if (queries < 2) return answer
  // IEEE 488.2 has one line for all of them; instruments that send one for each must not leave the rest behind.
  const lines = [answer]
  for (;;) {
    const line = await nextLine(io, quietMs)
    if (line === undefined) return Buffer.concat(lines)
    lines.push(Buffer.from(line + receiveTerminator, 'latin1'))
  }
}

async function nextLine(io: LineIo, withinMs: number): Promise<string | undefined> {
  try {
    return await io.expect({ timeoutMs: withinMs })
  } catch (error) {
    if (error instanceof GolemError && error.code === 'REPLY_TIMEOUT') return undefined
    throw error
  }
}
