import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { messageOf } from '@golem/core'
import { ROOT } from './root.ts'

const WITH_SYSTEMD = join(ROOT, 'test', 'kit', 'with-systemd')

/** Reads one script a line and answers each with its exit code and output, all in base64 so that a line is a line. */
const LOOP = `while read -r line; do
  out=$(base64 -d <<<"$line" | bash 2>&1); code=$?
  printf '%s %s\\n' "$code" "$(printf %s "$out" | base64 -w0)"
done`

/** A throw-away machine with a real systemd, this project at /opt/golem and a network of its own. */
export interface Machine {
  /** Runs a bash script on it as root. @returns its output; a script that fails is an error with its output */
  run(script: string): Promise<string>
  /** As `run`, but a failure is an answer too. */
  attempt(script: string): Promise<{ code: number; output: string }>
  close(): Promise<void>
}

/** Why there can be no such machine here, as a sentence; undefined when there can. */
export function whyNoMachine(): string | undefined {
  if (process.platform !== 'linux') return 'systemd is for Linux'
  if (process.getuid?.() !== 0) return 'only root can make the machine these tests run on'
  const needed = ['/usr/bin/systemctl', '/usr/bin/unshare', '/usr/bin/dbus-daemon', '/usr/bin/pkcheck']
  const missing = needed.filter((file) => !existsSync(file))
  if (missing.length > 0) return `${missing.join(', ')} not installed (see test/apt-packages.txt)`
  try {
    execFileSync(WITH_SYSTEMD, ['--quiet', '--', 'true'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 60_000,
    })
    return undefined
  } catch (error) {
    return `systemd can't be started here: ${messageOf(error).trim().split('\n').at(-1)}`
  }
}

/** Boots one. */
export function startMachine(): Machine {
  const child = spawn(WITH_SYSTEMD, ['--quiet', '--at', `${ROOT}:/opt/golem`, '--', 'bash', '-c', LOOP], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const replies = createInterface({ input: child.stdout })
  const waiting: ((line: string) => void)[] = []
  replies.on('line', (line) => waiting.shift()?.(line))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))

  const attempt = async (script: string): Promise<{ code: number; output: string }> => {
    const reply = new Promise<string>((resolve) => waiting.push(resolve))
    child.stdin.write(`${Buffer.from(script).toString('base64')}\n`)
    const line = await Promise.race([reply, ended.then(() => undefined)])
    if (line === undefined) throw new Error(`The machine ended. It said:\n${errors}`)
    const [code = '', output = ''] = line.split(' ')
    return { code: Number(code), output: Buffer.from(output, 'base64').toString() }
  }
  return {
    attempt,
    async run(script) {
      const { code, output } = await attempt(script)
      if (code !== 0) throw new Error(`This ended with code ${code}:\n${script}\nIt printed:\n${output}`)
      return output
    },
    close: () => end(child, ended),
  }
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin?.end()
  await ended
}
