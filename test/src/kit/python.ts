import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './root.ts'

/** The system's, as a laboratory has it. */
const PYTHON = '/usr/bin/python3'
/** Where golem.py is. */
export const PYTHON_CLIENT = join(ROOT, 'packages', 'python-client')

export interface Ran {
  code: number
  /** What it printed. */
  out: string
  /** What it said on stderr: the traceback when it failed. */
  errors: string
}

/**
 * Runs a Python program that may import `golem`, warnings being errors.
 *
 * @param url - of the page
 */
export function runPython(program: string, url: string, withinMs = 90_000): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      PYTHON,
      ['-B', '-W', 'error', '-c', program],
      {
        env: { ...process.env, PYTHONPATH: PYTHON_CLIENT, GOLEM_URL: url, http_proxy: 'http://127.0.0.1:9' },
        timeout: withinMs,
        killSignal: 'SIGKILL',
      },
      (error, out, errors) => {
        if (error && child.exitCode === null) {
          reject(new Error(`python3 did not end by itself: ${error.message}\n${errors}`))
        } else resolve({ code: child.exitCode ?? 0, out, errors })
      },
    )
  })
}
