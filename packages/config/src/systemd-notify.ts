import { spawn } from 'node:child_process'
import { GolemError, messageOf } from '@golem/core'

/**
 * Tells systemd something of this process, e.g. `READY=1`, `STOPPING=1`, `STATUS=…`. Does nothing when the process was
 * not started as a service of type notify.
 *
 * Node has no Unix datagram sockets, so the `systemd-notify` program is called; the unit needs `NotifyAccess=all`.
 *
 * @throws INTERNAL when `systemd-notify` can't be run or fails
 */
export async function notifySystemd(state: string): Promise<void> {
  if (!process.env['NOTIFY_SOCKET']) return
  // Waits until systemd has taken it: otherwise it could no longer tell which service the sender belonged to.
  const child = spawn('systemd-notify', [state], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await new Promise<void>((resolve, reject) => {
    const failed = (why: string, cause?: unknown): void =>
      reject(new GolemError('INTERNAL', `systemd could not be told ${state}: ${why}`, { cause }))
    child.once('error', (error) => failed(messageOf(error), error))
    child.once('close', (code) =>
      code === 0 ? resolve() : failed(`systemd-notify: ${said.trim()} (${code})`),
    )
  })
}

/**
 * Keeps systemd's watchdog quiet, at half its time, for as long as the process is healthy. Does nothing when there is
 * no watchdog for this process.
 *
 * @param isHealthy - asked before each ping; false lets the watchdog restart the process
 * @returns the function that ends it
 */
export function startWatchdog(isHealthy: () => boolean): () => void {
  const watchdogMs = Number(process.env['WATCHDOG_USEC'] ?? 0) / 1_000
  const forWhom = process.env['WATCHDOG_PID']
  if (!(watchdogMs > 0) || (forWhom && Number(forWhom) !== process.pid)) return () => undefined
  const timer = setInterval(() => {
    if (!isHealthy()) return
    notifySystemd('WATCHDOG=1').catch((error: unknown) => process.emitWarning(messageOf(error)))
  }, watchdogMs / 2)
  timer.unref()
  return () => clearInterval(timer)
}
