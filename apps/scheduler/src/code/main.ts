/** The process in which one recipe in code runs: whatever it does, the scheduler goes on. */
import type { CodeRecipe } from '@golem/core'
import { Worker } from 'node:worker_threads'
import { RemoteLab } from './lab.ts'
import { ALIVE_EVERY_MS, type CodeFile, type FromProgram, type ToProgram } from './messages.ts'

const exit: (code: number) => never = process.exit.bind(process)
const send = process.send?.bind(process)
let lab: RemoteLab | undefined
let file: CodeFile = { name: 'a recipe', url: '' }

/** A scheduler that is gone can't be asked for anything: also a program that never pauses then ends. */
const WATCH = `
const { parentPort, workerData } = require('node:worker_threads')
setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL')
}, 1000)
`
new Worker(WATCH, { eval: true, workerData: process.ppid, execArgv: [] }).unref()

function tell(message: FromProgram, then?: () => void): void {
  send?.(message, undefined, undefined, () => then?.())
}

function fail(error: unknown): void {
  tell({ kind: 'failed', message: inWords(error) }, () => exit(1))
}

/** What went wrong, with the line of the program. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return `${file.name} threw ${String(error).slice(0, 500)}`
  const { stack = '', message } = error
  const line = stack
    .split('\n')
    .find((each) => each.includes(`golem:${file.name}`) || each.includes(file.url))
  const at = /:(\d+):\d+\)?$/.exec(line ?? '')?.[1]
  const what = error.name === 'Error' ? message : `${error.name}: ${message}`
  return `${file.name}${at === undefined ? '' : `:${at}`}: ${what.slice(0, 1_000)}`
}

async function load(from: CodeFile): Promise<CodeRecipe> {
  file = from
  const { default: found } = (await import(from.url)) as { default?: Partial<CodeRecipe> | null }
  if (typeof found?.run === 'function' && typeof found.declaration === 'object') return found as CodeRecipe
  throw new Error(
    'It has no recipe as its default export: export default recipe({ label: ... }, async (lab) => { ... }).',
  )
}

async function run(message: Extract<ToProgram, { kind: 'run' }>): Promise<void> {
  const { run: program } = await load(message)
  lab = new RemoteLab(tell, message.parameters)
  await program(lab, lab.parameters)
  tell({ kind: 'done' }, () => exit(0))
}

process.exit = ((code?: number) => {
  fail(new Error(`It called process.exit(${code ?? ''}).`))
}) as typeof process.exit
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
process.on('disconnect', () => exit(0))
process.on('message', (message: ToProgram) => {
  switch (message.kind) {
    case 'describe':
      load(message).then(({ declaration }) => tell({ kind: 'described', declaration }, () => exit(0)), fail)
      break
    case 'run':
      setInterval(() => tell({ kind: 'alive' }), ALIVE_EVERY_MS)
      run(message).catch(fail)
      break
    case 'parameters':
      if (lab) lab.parameters = Object.freeze({ ...message.parameters })
      break
    case 'answer':
      lab?.take(message.call, message.answer)
      break
  }
})
