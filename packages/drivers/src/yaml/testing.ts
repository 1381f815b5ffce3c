import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver, LineDriver } from '@golem/core'
import { readModelFile, type ReadModel } from './index.ts'
import type { Answerer } from './simulation.ts'

/** Reads a model file with this text. */
export function readText(text: string): ReadModel {
  const folder = mkdtempSync(join(tmpdir(), 'golem-model-'))
  try {
    const file = join(folder, 'model.yaml')
    writeFileSync(file, text)
    return readModelFile(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The head of a model file of this transport, on six lines. */
export const head = (transport: string): string => `model: probe
label: Probe
kind: probe
source: made up
transport: ${transport}
`

/** The driver of a model file that has this below its head; any fault fails the test. */
export function lineDriver(body: string, transport = 'line'): LineDriver {
  const { model, faults } = readText(head(transport) + body)
  assert.deepEqual(
    faults.map(({ line, message }) => `${line}: ${message}`),
    [],
  )
  const driver: Driver | undefined = model?.create({})
  assert.equal(driver?.transport, 'line')
  return driver as LineDriver
}

/** A simulated instrument behind a TCP port. */
export interface Served {
  port: number
  /** Sends these bytes to all who are connected, as something nobody asked for. */
  say: (bytes: Uint8Array) => void
  close: () => Promise<void>
}

/** Serves an answerer on a free port of this machine. @param pieces - answers go out in pieces of so many bytes */
export async function serve(answerer: Answerer, pieces = Infinity): Promise<Served> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (answerer.greeting) socket.write(answerer.greeting)
    const { talks } = answerer
    const timer = talks && setInterval(() => socket.write(talks.next()), talks.everyMs)
    socket.on('close', () => clearInterval(timer ?? undefined))
    socket.on('data', (bytes) => {
      for (const answer of answerer.receive(bytes)) {
        for (let at = 0; at < answer.length; at += pieces) socket.write(answer.subarray(at, at + pieces))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    say: (bytes) => sockets.forEach((socket) => socket.write(bytes)),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
