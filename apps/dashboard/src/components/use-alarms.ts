import { useMemo } from 'preact/hooks'
import { AlarmsApi } from '../alarms-api.ts'
import { Problem, Unreachable } from '../api.ts'
import type { MessageKey } from '../i18n.ts'
import { addToast, t } from '../store.ts'
import { usePage } from './page-context.ts'

/** When the state is fetched after an acknowledgement, in ms: the scheduler does it, not the server that took it. */
const FETCH_AGAIN_MS = [150, 400, 1000]

/** What people do about alarms; what goes wrong is told in a toast. */
export function useAlarms(): {
  api: AlarmsApi
  acknowledge: (alarm: string, note: string) => Promise<void>
  test: (notifier: string) => Promise<void>
} {
  const { api, poller } = usePage()
  return useMemo(() => {
    const alarms = new AlarmsApi(api)
    return {
      api: alarms,
      async acknowledge(alarm, note) {
        await orComplain('acknowledgeFailed', () => alarms.acknowledge(alarm, note))
        poller.soon()
        for (const ms of FETCH_AGAIN_MS) setTimeout(() => poller.soon(), ms)
      },
      test: (notifier) => orComplain('notifierTestFailed', () => alarms.test(notifier)),
    }
  }, [api, poller])
}

async function orComplain(key: MessageKey, request: () => Promise<void>): Promise<void> {
  try {
    await request()
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error
    addToast({ outcome: 'failed', effect: null, title: t(key, { message: error.message }), message: '' })
  }
}
