import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { CliError } from './exit-codes.ts'

/** The result of a systemctl call. */
export interface SystemctlResult {
  code: number
  stdout: string
  stderr: string
}

/**
 * Runs systemctl without ever asking for a password: operators get their right from golem's polkit rule.
 *
 * @throws CliError failed when this machine does not run systemd
 */
export async function systemctl(args: readonly string[]): Promise<SystemctlResult> {
  if (!existsSync('/run/systemd/system')) {
    throw new CliError(
      'failed',
      'This machine does not run systemd, so there are no golem services to start or stop. `golem up` runs everything in this terminal.',
    )
  }
  return new Promise((resolve, reject) => {
    const child = spawn('systemctl', ['--no-ask-password', '--no-pager', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', (error) =>
      reject(new CliError('failed', `systemctl cannot be run: ${error.message}.`, { cause: error })),
    )
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  })
}

/**
 * Starts or stops units, and says in words what came of it.
 *
 * @param units - names, or patterns for `stop`
 * @throws CliError failed with systemd's own words and what to do
 */
export async function changeUnits(verb: 'start' | 'stop', units: readonly string[]): Promise<void> {
  const { code, stderr } = await systemctl([verb, ...units])
  if (code === 0) return
  const words = stderr.trim().replaceAll(/\s*\n\s*/g, ' ')
  throw new CliError(
    'failed',
    `systemd did not ${verb} ${units.join(', ')}: ${words || `exit code ${code}`} ${advice(words)}`,
  )
}

/** The golem units that run, e.g. those that fit `golem-worker@*.service`. */
export async function runningUnits(pattern: string): Promise<string[]> {
  const states = '--state=active,activating,reloading'
  const { stdout } = await systemctl(['list-units', states, '--plain', '--no-legend', pattern])
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((unit) => unit !== '')
}

/**
 * The units to start: number 1 to n, or without n those that are installed to start with the machine.
 *
 * @param template - `golem-worker` or `golem-web`
 */
export async function unitsToStart(template: string, n: number | undefined): Promise<string[]> {
  if (n !== undefined) return numbered(template, n)
  const { stdout } = await systemctl(['show', '--property=Wants', '--value', 'golem.target'])
  const installed = stdout.split(/\s+/).filter((unit) => unit.startsWith(`${template}@`))
  return installed.length > 0 ? installed.sort() : numbered(template, 1)
}

function numbered(template: string, n: number): string[] {
  return Array.from({ length: n }, (_, index) => `${template}@${index + 1}.service`)
}

function advice(words: string): string {
  if (/not found|not loaded|no such/i.test(words)) return 'Are the services installed? deploy/ says how.'
  if (/authentication|access denied|permission/i.test(words)) {
    return 'You need to be root or in the group of operators that deploy/ sets up.'
  }
  return 'See `journalctl -u "golem-*" -n 50`.'
}
