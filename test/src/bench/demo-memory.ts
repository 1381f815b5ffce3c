import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'
import { makeTempDir } from '../kit/temp.ts'
import { type Figure } from './figures.ts'
import { processTree, pssMb } from './process-cost.ts'

/** Memory of `golem up --demo` with everything it starts: web, worker, Redis, simulator and the command itself. */
export async function measureDemoMemory(): Promise<Figure[]> {
  const dir = makeTempDir('golem-demo')
  const child = spawn(join(ROOT, 'golem'), ['up', '--demo'], {
    env: { ...process.env, GOLEM_INSTANCE: dir.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  try {
    await eventually(() => /http:\/\/\S+/.test(output), { what: 'the demo is up', timeoutMs: 60_000 })
    const { total: soon, count } = await measuredAfter(child.pid ?? NaN, 20_000)
    // What starting up has left behind is given back within this time.
    const { total: later } = await measuredAfter(child.pid ?? NaN, 60_000)
    return [
      {
        what: `memory (PSS) of the whole demo, ${count} processes, 20 s after its start / a minute later`,
        value: `${soon} / ${later} MB`,
        aim: 'below 400 MB',
      },
    ]
  } finally {
    child.kill('SIGINT')
    await ended
    dir.remove()
  }
}

async function measuredAfter(root: number, ms: number): Promise<{ total: number; count: number }> {
  await sleep(ms)
  const parts = processTree(root).map((pid) => pssMb(pid))
  return { total: Math.round(parts.reduce((sum, part) => sum + part, 0)), count: parts.length }
}
