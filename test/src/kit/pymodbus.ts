import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ROOT } from './root.ts'

/** Debian's, whose package python3-pymodbus has it. */
const PYTHON = '/usr/bin/python3'
const FOLDER = join(ROOT, 'test', 'kit', 'pymodbus')

/** A Modbus server of pymodbus: units 1 and 2 with 1000 words in each table, holding register 0 is the unit. */
export interface PymodbusServer {
  /** On TCP; else 0. */
  readonly port: number
  close(): Promise<void>
}

/** Starts one. @param serialPort - where it listens; absent: on TCP */
export async function startPymodbus(serialPort?: string): Promise<PymodbusServer> {
  const how = serialPort === undefined ? ['tcp'] : ['rtu', serialPort]
  const child: ChildProcess = spawn(PYTHON, [join(FOLDER, 'server.py'), ...how], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const ended = once(child, 'exit')
  const port = await new Promise<number>((resolve, reject) => {
    if (child.stdout)
      createInterface(child.stdout).once('line', (line) => {
        resolve((JSON.parse(line) as { port: number | null }).port ?? 0)
      })
    child.once('exit', () => reject(new Error(`pymodbus did not start: ${errors}`)))
    child.once('error', reject)
  })
  return {
    port,
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** pymodbus as a master: writes numbers into a register and reads them again. */
export async function pymodbusMaster(
  port: number,
  unit: number,
  register: number,
  count: number,
): Promise<{ good: number; bad: number }> {
  const args = [join(FOLDER, 'master.py'), port, unit, register, count].map(String)
  const { stdout } = await promisify(execFile)(PYTHON, args)
  return JSON.parse(stdout) as { good: number; bad: number }
}
