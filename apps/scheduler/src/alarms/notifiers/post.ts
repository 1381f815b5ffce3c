import { GolemError, messageOf } from '@golem/core'

/** How long a server may take to answer, in ms. */
const TIMEOUT_MS = 15_000
/** So much of an answer is shown when it says no, in characters. */
const SHOWN = 200

/**
 * Posts JSON.
 *
 * @param name - of the notifier: the address may hold a secret, so it is not repeated in messages
 * @throws LINK_DOWN when nobody answers in time; INSTRUMENT_REFUSED with the beginning of an answer that is no 2xx
 */
export async function post(
  name: string,
  url: string,
  { body, headers = {}, signal }: { body: string; headers?: Record<string, string>; signal: AbortSignal },
): Promise<void> {
  let response: Response
  let said: string
  try {
    response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'user-agent': 'golem', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    said = await beginningOf(response)
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : ''
    throw new GolemError('LINK_DOWN', `${name} is not reached: ${messageOf(error)}${cause}`, { cause: error })
  }
  if (response.ok) return
  throw new GolemError('INSTRUMENT_REFUSED', `${name} answered ${response.status} ${said}`.trim())
}

/** The beginning of what a server says; the rest is not read. */
async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  const first = (await reader?.read())?.value
  await reader?.cancel()
  return new TextDecoder()
    .decode(first)
    .slice(0, SHOWN)
    .replaceAll(/\p{Cc}+/gu, ' ')
}
