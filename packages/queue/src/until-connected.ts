import { GolemError } from '@golem/core'
import type { SiteClient } from './api.ts'

/**
 * Waits until a client that was just opened hears from Redis and has read the site's state.
 *
 * @throws QUEUE_DOWN when that takes longer
 */
export async function untilConnected({ view }: SiteClient, timeoutMs: number): Promise<void> {
  if (view.bus.ok) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      forget()
      reject(new GolemError('QUEUE_DOWN', view.bus.message))
    }, timeoutMs)
    const forget = view.onChange(() => {
      if (!view.bus.ok) return
      clearTimeout(timer)
      forget()
      resolve()
    })
  })
}
