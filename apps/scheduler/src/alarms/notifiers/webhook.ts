import type { Notification } from '@golem/alarms'
import { createHmac } from 'node:crypto'
import { post } from './post.ts'

/**
 * Calls a webhook. Its body is JSON with the text ready to be shown and the alarms; whoever gets the same
 * `Idempotency-Key` twice has been told already. With a secret `X-Golem-Signature` is `sha256=` and the HMAC of the body.
 *
 * @throws what `post` throws
 */
export async function callWebhook(
  { url, secret }: { url: string; secret: string | null },
  { id, notifier, at, severity, subject, lines, items, more }: Notification,
  signal: AbortSignal,
): Promise<void> {
  const alarms = items.map(({ reason, alarm }) => ({ reason, ...alarm }))
  const body = JSON.stringify({
    id,
    at,
    severity,
    subject,
    text: [subject, ...lines].join('\n'),
    alarms,
    more,
  })
  const headers: Record<string, string> = { 'idempotency-key': id }
  if (secret !== null) {
    headers['x-golem-signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  }
  await post(notifier, url, { body, headers, signal })
}
