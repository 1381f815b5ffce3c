import { GolemError, messageOf } from '@golem/core'
import { parentPort, workerData } from 'node:worker_threads'
import { openArchiveReader } from '../open.ts'
import { type ExportJob, beginExport } from './job.ts'
import { MOST_UNDER_WAY, type ThreadMessage } from './thread-messages.ts'

// The body of a thread that exports: begun by `exportInThread`, ended by it too.

const { place, job } = workerData as { place: string; job: ExportJob }

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message)
}

let mayMake = MOST_UNDER_WAY
let wake: () => void = () => undefined
parentPort?.on('message', () => {
  mayMake += 1
  wake()
})

async function work(): Promise<void> {
  const archive = await openArchiveReader(place)
  const { rows, bytes } = await beginExport(archive, job)
  say({ what: 'begun', rows })
  for await (const piece of bytes) {
    while (mayMake === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    mayMake -= 1
    say({ what: 'bytes', bytes: piece })
  }
  await archive.close()
  say({ what: 'ended' })
}

try {
  await work()
} catch (error) {
  const known =
    error instanceof GolemError
      ? { code: error.code, ...(error.field === undefined ? {} : { field: error.field }) }
      : {}
  say({ what: 'failed', message: messageOf(error), ...known })
}
