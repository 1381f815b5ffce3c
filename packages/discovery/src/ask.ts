import { GolemError, type LineDriver, type LineIo, parseAddress } from '@golem/core'
import { openLink } from '@golem/transports'

/** How long an instrument may take for `*IDN?`, in ms. */
const ANSWER_MS = 1500

/** Speaks to whatever answers lines; asks nothing by itself. */
const NOBODY: LineDriver = {
  transport: 'line',
  link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: ANSWER_MS, quietMs: 50 },
  parameters: {},
  actions: {},
  identify: () => Promise.resolve(),
  readAll: () => Promise.resolve({}),
}

/**
 * Asks what is at an address for `*IDN?`.
 *
 * @param address - tcp, usbtmc or serial
 * @returns its answer; null when there is none
 */
export async function askIdentity(address: string): Promise<string | null> {
  const endpoint = parseAddress(address)
  const link = openLink({ endpoint, guard: () => undefined })
  try {
    const channel = link.attach({ driver: NOBODY, endpoint })
    const line = await channel.run('poll', (io: LineIo) => io.ask('*IDN?'))
    return line.trim() === '' ? null : line.trim()
  } catch (error) {
    if (error instanceof GolemError) return null
    throw error
  } finally {
    await link.close()
  }
}
