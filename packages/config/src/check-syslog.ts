import { LOOPBACK } from './access-list.ts'
import { checkAllow } from './check-gateway.ts'
import type { Report } from './check-instrument.ts'
import { isLoopback } from './check-web.ts'
import type { SyslogConfig } from './site.ts'
import type { RawSyslog } from './syslog-schema.ts'

const DEFAULT_LISTEN = '127.0.0.1'
/** The usual one, 514, is for processes with special rights. */
const DEFAULT_PORT = 5514

/** Reads `syslog`. @returns null: nothing is listened for */
export function readSyslog(raw: RawSyslog | undefined, report: Report): SyslogConfig | null {
  if (raw === undefined) return null
  checkAllow(raw.allow, ['syslog', 'allow'], report)
  const listen = raw.listen ?? DEFAULT_LISTEN
  if (!isLoopback(listen) && raw.allow === undefined) {
    report(
      ['syslog', 'listen'],
      `Listening on ${listen} lets everybody who reaches that address write into the log, without a token. Name the addresses that may under "allow", e.g. [10.0.0.0/24], or leave "listen" out to serve this machine only.`,
    )
  }
  return {
    listen,
    port: raw.port ?? DEFAULT_PORT,
    allow: (raw.allow ?? LOOPBACK).filter((entry) => entry !== undefined),
  }
}
