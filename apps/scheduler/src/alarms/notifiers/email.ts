import type { Notification } from '@golem/alarms'
import { isLoopback, type NotifierTarget } from '@golem/config'
import { GolemError, messageOf } from '@golem/core'
import { createTransport } from 'nodemailer'

/** How long the mail server may take to be reached, to greet and to answer, in ms. */
const CONNECT_MS = 10_000
const ANSWER_MS = 20_000
/** The longest subject, in characters. */
const LONGEST_SUBJECT = 200

/**
 * Sends mail. The message id is that of the notification, so that whoever gets it twice can tell. A password is sent
 * over TLS only, unless the server is this machine.
 *
 * @returns addresses that the server did not take, while it took others
 * @throws LINK_DOWN with what the server said, when nobody gets it
 */
export async function sendEmail(
  { host, port, tls, auth, from, to }: NotifierTarget & { kind: 'email' },
  { id, notifier, severity, subject, lines }: Notification,
  signal: AbortSignal,
): Promise<string[]> {
  const isHere = isLoopback(host)
  const transport = createTransport({
    host,
    port,
    secure: tls,
    requireTLS: auth !== null && !tls && !isHere,
    ignoreTLS: isHere && !tls,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: ANSWER_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(auth === null ? {} : { auth: { user: auth.user, pass: auth.password } }),
  })
  const close = (): void => transport.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const { rejected } = await transport.sendMail({
      from,
      to: [...to],
      subject: subject.slice(0, LONGEST_SUBJECT),
      text: [...lines, ''].join('\n'),
      messageId: `<${id}@golem>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Golem-Message': id },
      ...(severity === 'critical' ? { priority: 'high' as const } : {}),
    })
    return rejected
  } catch (error) {
    throw new GolemError('LINK_DOWN', `${notifier} is not mailed: ${messageOf(error)}`, { cause: error })
  } finally {
    signal.removeEventListener('abort', close)
    transport.close()
  }
}
