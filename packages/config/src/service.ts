import { messageOf } from '@golem/core'
import { notifySystemd, startWatchdog } from './systemd-notify.ts'

/** What a process of golem runs. */
interface Service {
  /** Is every loop turning? Else the watchdog of systemd starts it anew. */
  isHealthy: () => boolean
  /** Ends in order. */
  close: () => Promise<void>
}

/** As pino has them. */
interface Log {
  info: (message: string) => void
  warn: (message: string) => void
  error: (particulars: { err: unknown }, message: string) => void
}

/**
 * Lets a process live as a service: says that it is ready, keeps the watchdog quiet, and ends it in order at SIGTERM,
 * SIGINT, or when the process that has started it is gone. Further signals do not hurry it.
 *
 * @param ready - what the process that has started it is told besides `ready: true`
 */
export async function runAsService(
  { isHealthy, close }: Service,
  log: Log,
  ready: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const endWatchdog = startWatchdog(isHealthy)
  let ending = false
  const end = (why: string): void => {
    if (ending) return
    ending = true
    log.info(`ending: ${why}`)
    endWatchdog()
    Promise.all([tell('STOPPING=1', log), close()]).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'did not end in order')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  process.on('disconnect', () => end('the process that started it is gone'))
  await tell('READY=1', log)
  process.send?.({ ready: true, ...ready })
}

/** systemd not being told is a line in the log, no reason to leave. */
async function tell(state: string, log: Log): Promise<void> {
  try {
    await notifySystemd(state)
  } catch (error) {
    log.warn(messageOf(error))
  }
}
