import { execFile } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { type Finding, fault, ok, warning } from './finding.ts'

/** Below this much free space golem soon stops recording, in bytes. */
const LEAST_FREE_BYTES = 200e6
const LITTLE_FREE_BYTES = 2e9

/** Is the clock of this machine set by NTP? */
export async function examineClock(): Promise<Finding[]> {
  const answer = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
  if (answer === null) return []
  return answer.trim() === 'yes'
    ? [ok('clock', 'is set by NTP.')]
    : [
        warning(
          'clock',
          'is not synchronised by NTP: times in the record may be wrong.',
          'Type `sudo timedatectl set-ntp true`.',
        ),
      ]
}

/** How much room is there for what golem keeps? */
export function examineDisk(instanceDir: string): Finding {
  const folder = existsSync(instanceDir) ? instanceDir : path.dirname(instanceDir)
  const { bavail, bsize } = statfsSync(folder)
  return judgeDisk(folder, bavail * bsize)
}

/** @param freeBytes - what the user may still write there */
export function judgeDisk(folder: string, freeBytes: number): Finding {
  const message = `${(freeBytes / 1e9).toFixed(1)} GB are free in ${folder}.`
  if (freeBytes < LEAST_FREE_BYTES)
    return fault('disk', message, 'Make room now: without it golem cannot keep the ledger.')
  if (freeBytes < LITTLE_FREE_BYTES) return warning('disk', message, 'Make room soon.')
  return ok('disk', message)
}

/** Are the systemd services installed? They need not be: `golem up` does without. */
export async function examineServices(): Promise<Finding[]> {
  if (!existsSync('/run/systemd/system')) return []
  const answer = await run('systemctl', ['list-unit-files', '--no-legend', '--no-pager', 'golem*'])
  if (answer === null) return []
  const units = answer
    .split('\n')
    .map((line) => line.split(/\s+/)[0] ?? '')
    .filter((unit) => unit !== '')
  return units.length > 0
    ? [ok('services', `installed: ${units.join(', ')}.`)]
    : [
        warning(
          'services',
          'golem does not start with this machine.',
          'deploy/ says how to install the services, if it should.',
        ),
      ]
}

/** The output of a program, or null when this machine does not have it or it does not answer in 5 s. */
async function run(file: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(file, [...args], { timeout: 5000 }, (error, stdout) => {
      // systemctl ends with 1 when nothing matches: its output is then empty, and that is the answer.
      resolve(error && (typeof error.code !== 'number' || stdout === null) ? null : stdout)
    })
  })
}
