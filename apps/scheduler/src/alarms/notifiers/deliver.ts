import type { Deliver } from '../desk.ts'
import { sendEmail } from './email.ts'
import { sendTelegram } from './telegram.ts'
import { callWebhook } from './webhook.ts'

/** Hands a message over in the way its notifier asks for. */
export const deliver: Deliver = async ({ target }, notification, signal) => {
  switch (target.kind) {
    case 'email': {
      const refused = await sendEmail(target, notification, signal)
      return refused.length === 0 ? '' : `The server did not take ${refused.join(', ')}.`
    }
    case 'webhook':
      await callWebhook(target, notification, signal)
      return ''
    case 'telegram':
      await sendTelegram(target, notification, signal)
      return ''
  }
}
