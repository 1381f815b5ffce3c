import type { Notification } from '@golem/alarms'
import { post } from './post.ts'

/** The longest text of one message. Source: Telegram Bot API, sendMessage. */
const LONGEST = 4096

/**
 * Sends a message to a chat, by a bot.
 *
 * @throws what `post` throws
 */
export async function sendTelegram(
  { url, token, chat }: { url: string; token: string; chat: string },
  { notifier, subject, lines }: Notification,
  signal: AbortSignal,
): Promise<void> {
  const whole = [subject, '', ...lines].join('\n')
  const text = whole.length <= LONGEST ? whole : `${whole.slice(0, LONGEST - 1)}…`
  const body = JSON.stringify({ chat_id: chat, text, link_preview_options: { is_disabled: true } })
  await post(notifier, `${url}/bot${token}/sendMessage`, { body, signal })
}
