import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Site } from '@golem/config'
import { type Finding, fault, ok, warning } from './finding.ts'

/** Looks at the serial ports that instruments of this machine use. */
export function examineSerial(site: Site | null): Finding[] {
  if (!site) return []
  const ports = new Map<string, string>()
  for (const { id, endpoint, host } of site.instruments) {
    if (endpoint.kind === 'serial' && (host === null || host === hostname())) ports.set(endpoint.path, id)
  }
  if (ports.size === 0) return []
  return [examineDialout(), ...[...ports].map(([path, id]) => examinePort(path, id))]
}

function examineDialout(): Finding {
  if (process.getuid?.() === 0) return ok('serial ports', 'root may use all of them.')
  const gid = /^dialout:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8'))?.[1]
  if (gid === undefined) return ok('serial ports', 'this machine has no group dialout.')
  if (process.getgroups?.().includes(Number(gid))) return ok('serial ports', 'you are in the group dialout.')
  return warning(
    'serial ports',
    'you are not in the group dialout.',
    'Type `sudo usermod -aG dialout $USER` and log in again.',
  )
}

/** @param path - of the port; @param id - the instrument that uses it */
export function examinePort(path: string, id: string): Finding {
  const subject = `serial port of ${id}`
  const port = statSync(path, { throwIfNoEntry: false })
  if (!port) {
    return fault(
      subject,
      `${path} is not there.`,
      'Is it plugged in and switched on? `ls -l /dev/serial/by-id` shows what is.',
    )
  }
  if (!port.isCharacterDevice())
    return fault(subject, `${path} is no port.`, 'See "address" in the site file.')
  try {
    // Opening a port can reset the board behind it; to ask for the right to open it does nothing to it.
    accessSync(path, constants.R_OK | constants.W_OK)
    return ok(subject, `${path} may be opened.`)
  } catch {
    return fault(
      subject,
      `${path} is there, but you may not open it.`,
      'Type `sudo usermod -aG dialout $USER` and log in again.',
    )
  }
}
