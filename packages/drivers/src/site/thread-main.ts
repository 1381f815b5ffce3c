/** A thread in which one driver of a site lives: whatever it does, the worker's own thread goes on. */
import { type AskBytesOptions, type Driver, GolemError, type Model } from '@golem/core'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { limitConsole } from './limit-console.ts'
import {
  type Answered,
  ENDED,
  ENDED_SEQ,
  type FromThread,
  type FunctionPath,
  type SyncQuestion,
  type ThreadData,
  type ToThread,
} from './messages.ts'
import { shapeOf } from './shape-of.ts'
import { makeIo } from './thread-io.ts'
import { driverError, inOneLine, placeOf, revived } from './wire-error.ts'

/** More io calls at once than this are a driver that does not wait for them. */
const MAX_IO_CALLS = 64

interface IoCall {
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  judge?: (payload: string) => boolean
  complete?: AskBytesOptions['complete']
}

const { name, url, syncPort, askPort, flags: shared } = workerData as ThreadData
const flags = new Int32Array(shared)
const port = parentPort as NonNullable<typeof parentPort>
const ioCalls = new Map<number, IoCall>()
let ioCount = 0
let model: Model | undefined
let driver: Driver | undefined

const exit: (code: number) => never = process.exit.bind(process)

function post(message: FromThread): void {
  port.postMessage(message)
}

/** Something went wrong that belongs to no call: nobody knows what still holds in here. */
function broken(message: string): never {
  post({ kind: 'broken', message })
  syncPort.postMessage({ seq: ENDED_SEQ, answered: { error: { code: 'INTERNAL', message } } })
  Atomics.store(flags, 0, ENDED)
  Atomics.notify(flags, 0)
  exit(1)
}

process.exit = ((code?: number) => {
  const here = new Error('here')
  broken(`${name} called process.exit(${code ?? ''})${placeOf(here, name)}`)
}) as typeof process.exit
process.on('uncaughtException', (error: unknown, origin) => {
  const what =
    origin === 'unhandledRejection' ? 'a promise that nobody awaits' : 'code that no call waits for'
  broken(`${name}: ${what} failed: ${inOneLine(error, url)}${placeOf(error, name)}`)
})
limitConsole(name)

async function load(): Promise<void> {
  const { default: found } = (await import(url)) as { default?: unknown }
  if (typeof found !== 'object' || found === null || typeof (found as Model).create !== 'function') {
    throw new GolemError(
      'CONFIG_INVALID',
      `${name} has no model as its default export: export default defineModel({ ... }).`,
    )
  }
  model = found as Model
  const { id, label, kind, source, transport, optionsSchema } = model
  post({ kind: 'loaded', model: { id, label, kind, source, transport, optionsSchema } })
}

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'create':
      return post({
        kind: 'done',
        id: message.id,
        answered: attempt('create', () => create(message.options)),
      })
    case 'call':
      void call(message)
      return undefined
    case 'ioDone':
      return settle(message.id, message.answered)
    case 'offer':
      return offer(message.id, message.payload)
    case 'sync':
      return answerSync(
        message.seq,
        attempt(nameOfQuestion(message.what), () => answer(message.what)),
      )
    case 'stray':
      return post({
        kind: 'strayDone',
        answered: attempt(doingOf(message.path), () => functionAt(message.path)(...message.args)),
      })
    case 'ping':
      return post({ kind: 'pong' })
  }
})

function create(options: Readonly<Record<string, unknown>>): unknown {
  driver = model?.create(options)
  return shapeOf(driver)
}

async function call({ id, path, args }: Extract<ToThread, { kind: 'call' }>): Promise<void> {
  let answered: Answered
  try {
    answered = { value: await functionAt(path)(ioFor(id), ...args) }
  } catch (error) {
    answered = { error: driverError(error, name, doingOf(path), url) }
  }
  try {
    post({ kind: 'done', id, answered })
  } catch (error) {
    post({ kind: 'done', id, answered: { error: driverError(error, name, doingOf(path), url) } })
  }
}

/** A function of the driver, bound to the table it stands in. */
function functionAt(path: FunctionPath): (...args: unknown[]) => unknown {
  let owner: unknown
  let here: unknown = driver
  for (const step of path) {
    owner = here
    here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[step] : undefined
  }
  if (typeof here !== 'function') throw new TypeError(`the driver has no function ${path.join('.')}`)
  return (here as (...args: unknown[]) => unknown).bind(owner)
}

function ioFor(callId: number): object {
  const transport = driver?.transport ?? 'line'
  const start = (method: string, args: readonly unknown[], more: Partial<IoCall>): Promise<unknown> => {
    if (ioCalls.size >= MAX_IO_CALLS) {
      return Promise.reject(
        new GolemError(
          'INTERNAL',
          `${name} has ${MAX_IO_CALLS} io calls under way and wants another: await each one.`,
        ),
      )
    }
    const id = (ioCount += 1)
    return new Promise((resolve, reject) => {
      ioCalls.set(id, { resolve, reject, ...more })
      try {
        post({ kind: 'io', id, call: callId, method, args, judges: more.judge !== undefined })
      } catch (error) {
        ioCalls.delete(id)
        reject(
          new GolemError('INTERNAL', `${name}: io.${method} takes values only: ${inOneLine(error, url)}.`),
        )
      }
    })
  }
  return makeIo(transport, {
    call: (method, args, judge) => start(method, args, judge ? { judge } : {}),
    callBytes: (args, complete) => start('askBytes', args, { complete }),
    callSync: (method, args) => askSync(callId, method, args),
    stray: (line) => {
      if (!driver || driver.transport !== 'line' || !driver.unsolicited) return
      const { unsolicited } = driver
      post({ kind: 'strayDone', answered: attempt('unsolicited', () => unsolicited.call(driver, line)) })
    },
    replyTimeoutMs: driver?.link.replyTimeoutMs ?? 0,
  })
}

function settle(id: number, answered: Answered): void {
  const waiting = ioCalls.get(id)
  ioCalls.delete(id)
  if (!waiting) return
  if ('error' in answered) waiting.reject(revived(answered.error))
  else waiting.resolve(answered.value)
}

function offer(id: number, payload: string): void {
  const waiting = ioCalls.get(id)
  if (!waiting?.judge) return
  try {
    if (!waiting.judge(payload)) return
    ioCalls.delete(id)
    waiting.resolve(payload)
  } catch (error) {
    ioCalls.delete(id)
    waiting.reject(error)
  }
}

function answer(what: SyncQuestion): unknown {
  if (what.kind === 'create') return create(what.options)
  if (what.kind === 'call') return functionAt(what.path)(...what.args)
  return ioCalls.get(what.io)?.complete?.(what.received)
}

function answerSync(seq: number, answered: Answered): void {
  syncPort.postMessage({ seq, answered })
  Atomics.store(flags, 0, 1)
  Atomics.notify(flags, 0)
}

/** Asks the main thread, and blocks this one until it answers; it always does. */
function askSync(callId: number, method: string, args: readonly unknown[]): unknown {
  askPort.postMessage({ call: callId, method, args })
  for (;;) {
    const got = receiveMessageOnPort(askPort) as { message: Answered } | undefined
    if (!got) {
      Atomics.wait(flags, 1, 0, 50)
      Atomics.store(flags, 1, 0)
      continue
    }
    if ('error' in got.message) throw revived(got.message.error)
    return got.message.value
  }
}

function attempt(doing: string, work: () => unknown): Answered {
  try {
    const value = work()
    // What can't be handed over is a fault of this function, not of whoever posts it.
    return { value: structuredClone(value) }
  } catch (error) {
    return { error: driverError(error, name, doing, url) }
  }
}

function doingOf(path: FunctionPath): string {
  const [table, member = '', what] = path
  if (what === undefined) return path.join('.')
  return table === 'actions' ? `the action ${member}` : `${what} of ${member}`
}

function nameOfQuestion(what: SyncQuestion): string {
  return what.kind === 'call' ? doingOf(what.path) : what.kind
}

try {
  await load()
} catch (error) {
  const known = driverError(error, name, 'loading it', url)
  broken(known.message)
}
