import { GolemError, messageOf } from '@golem/core'
import { parentPort, workerData } from 'node:worker_threads'
import { openArchiveReader } from '../open.ts'
import { type ExportJob, beginExport } from './job.ts'
import { MOST_UNDER_WAY, type ThreadMessage, type ThreadRequest } from './thread-messages.ts'

// The body of a thread that exports: begun by `exportInThread`. It ends by itself, or when it is asked to, and is never
// ended from outside: a question to SQLite that loses its thread takes the whole process with it.

const { place, job } = workerData as { place: string; job: ExportJob }

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message)
}

let mayMake = MOST_UNDER_WAY
let isToStop = false
let wake: () => void = () => undefined
parentPort?.on('message', (request: ThreadRequest) => {
  if (request === 'stop') isToStop = true
  else mayMake += 1
  wake()
})

async function work(): Promise<void> {
  const archive = await openArchiveReader(place)
  try {
    const { rows, bytes } = await beginExport(archive, job)
    say({ what: 'begun', rows })
    for await (const piece of bytes) {
      while (mayMake === 0 && !isToStop) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (isToStop) return
      mayMake -= 1
      say({ what: 'bytes', bytes: piece })
    }
  } finally {
    await archive.close()
  }
  say({ what: 'ended' })
}

try {
  await work()
} catch (error) {
  const code = error instanceof GolemError ? { code: error.code } : {}
  const field = error instanceof GolemError && error.field !== undefined ? { field: error.field } : {}
  say({ what: 'failed', message: messageOf(error), ...code, ...field })
}
parentPort?.close()
