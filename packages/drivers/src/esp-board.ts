import { type ActionSpec, GolemError, type HttpIo } from '@golem/core'
import { shown, textOf } from './http-reply.ts'

/** What the two ESP32 boards (relays, lamp) have in common: same author, same HTTP server, same reset. */

/** The firmware writes past its buffer when a body has 100 bytes or more. */
const BODY_LIMIT = 100

/**
 * POST with a body that the firmware's buffer takes.
 *
 * @throws OUT_OF_RANGE for a body of 100 bytes or more: it is not sent
 */
export async function postShort(io: HttpIo, path: string, body: string): Promise<string> {
  if (Buffer.byteLength(body) >= BODY_LIMIT) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `${path} takes less than ${BODY_LIMIT} bytes, not ${Buffer.byteLength(body)}.`,
    )
  }
  return textOf(await io.post(path, body), `POST ${path} ${body}`)
}

/**
 * Restarts the board. It answers first, then restarts after 1 s and is away for seconds to tens of seconds.
 * Status 200 says nothing here: only the whole sentence tells a restart from a refusal.
 *
 * Effect: all outputs off. Source: github.com/houseofbigseals/esp32_relay 96fc5f0, main.
 */
export function resetAction(group: string): ActionSpec<HttpIo> {
  return {
    label: 'Restart the board',
    group,
    confirm: true,
    note: 'All outputs of the board go off, and it does not answer for some seconds.',
    run: async (io) => {
      const text = (await postShort(io, '/reset', 'force_reset')).trim()
      if (text === 'User have sent force reset command, so rebooting') return
      if (text === 'User have sent incorrect reset command, so no rebooting') {
        throw new GolemError('INSTRUMENT_REFUSED', `The board refused to restart: ${shown(text)}.`)
      }
      throw new GolemError('REPLY_MALFORMED', `The board answered ${shown(text)} to POST /reset.`)
    },
  }
}

/** Rounds a 32-bit float that was printed as a double, e.g. 23.2999992370605 to 23.3. */
export function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals))
}
