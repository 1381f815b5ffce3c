import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { messageOf } from '@golem/core'

const PYTHON = '/usr/bin/python3'
const HELPER = fileURLToPath(new URL('../helper/device-file.py', import.meta.url))
/** How long the helper may take to open the file, in ms; an instrument is cleared meanwhile. */
const OPEN_TIMEOUT_MS = 8000
/** How long an ended helper is waited for, in ms: the kernel may hold it until its read has timed out. */
const END_TIMEOUT_MS = 1000
const HEAD_BYTES = 5

export type DeviceFileKind = 'usbtmc' | 'hid'

export interface DeviceFileEvents {
  /** A piece of a message (usbtmc), or one report (hid). */
  onData: (bytes: Buffer) => void
  /** The message has come to its end, or no more of it came in time and the device was cleared (usbtmc). */
  onEnd?: (inTime: boolean) => void
  /** Told once when it is lost other than by `close`. @param why - as part of a sentence */
  onLost: (why: string) => void
}

/** An open device file, in the hands of a helper process of its own. */
export interface DeviceFile {
  readonly isOpen: boolean
  /**
   * Hands bytes to the helper, before the first await. Settles when the kernel has taken them.
   *
   * @param reply - read a message after it (usbtmc)
   * @param timeoutMs - of the device, for writing and for each read (usbtmc)
   * @throws when it is lost
   */
  write(bytes: Uint8Array, options: { reply: boolean; timeoutMs: number }): Promise<void>
  /** The status byte of an instrument (usbtmc), null when it or the kernel has none. */
  statusByte(): Promise<number | null>
  /** Ends the helper, whatever it waits for. */
  close(): Promise<void>
}

interface Waiting {
  resolve: (content: Buffer) => void
  reject: (error: Error) => void
}

/**
 * Opens a device file, exclusively among programs that lock what they open.
 *
 * Node has no ioctl, closing a file does not end a read that blocks, and such a read holds one of the four threads
 * that all files share: so a small Python program does it, one process for each file. It dies with this one.
 *
 * @param drivers - in place of the kernel's, see `LinkOptions.usbDrivers`
 * @throws in words, when the file can't be opened or Python is missing
 */
export async function openDeviceFile(
  kind: DeviceFileKind,
  path: string,
  events: DeviceFileEvents,
  drivers?: string,
): Promise<DeviceFile> {
  const file = new RunningDeviceFile(kind, path, events, drivers)
  await file.opened()
  return file
}

class RunningDeviceFile implements DeviceFile {
  readonly #path: string
  readonly #events: DeviceFileEvents
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #frames = new Frames((letter, content) => this.#onFrame(letter, content))
  readonly #exited: Promise<void>
  /** Those who wait for an answer to O, W and S, oldest first. */
  readonly #waiting = new Map<string, Waiting[]>([
    ['O', []],
    ['W', []],
    ['S', []],
  ])
  #open = false
  #over = false
  #stderr = ''

  constructor(kind: DeviceFileKind, path: string, events: DeviceFileEvents, drivers: string | undefined) {
    this.#path = path
    this.#events = events
    const more = drivers === undefined ? [] : [drivers]
    this.#child = spawn(PYTHON, [HELPER, kind, path, ...more], { stdio: ['pipe', 'pipe', 'pipe'] })
    const { stdin, stdout, stderr } = this.#child
    // Writing to a helper that has just ended: its end is told by `close` below.
    stdin.on('error', () => stdin.destroy())
    stdout.on('data', (bytes: Buffer) => this.#frames.take(bytes))
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000)
    })
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#lose(startFailure(error))
        resolve()
      })
      this.#child.once('close', (code, signal) => {
        const last = this.#stderr.trim().split('\n').at(-1) ?? ''
        this.#lose(`its helper process ended (${signal ?? `code ${code}`})${last && `: ${last}`}`)
        resolve()
      })
    })
  }

  get isOpen(): boolean {
    return this.#open
  }

  async opened(): Promise<void> {
    const answer = this.#answer('O')
    const timer = setTimeout(
      () => this.#lose(`it was not open within ${OPEN_TIMEOUT_MS} ms`),
      OPEN_TIMEOUT_MS,
    )
    try {
      await answer
    } catch (error) {
      await this.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async write(bytes: Uint8Array, { reply, timeoutMs }: { reply: boolean; timeoutMs: number }): Promise<void> {
    const options = Buffer.alloc(5)
    options.writeUInt8(reply ? 1 : 0, 0)
    options.writeUInt32LE(Math.ceil(timeoutMs), 1)
    await this.#ask('W', options, bytes)
  }

  async statusByte(): Promise<number | null> {
    const answer = await this.#ask('S')
    return answer[0] ?? null
  }

  async close(): Promise<void> {
    this.#over = true
    this.#open = false
    this.#rejectAll(new Error('it was closed'))
    this.#child.kill('SIGKILL')
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, END_TIMEOUT_MS)
    })
    await Promise.race([this.#exited, patience])
    clearTimeout(timer)
  }

  #ask(letter: 'W' | 'S', ...parts: Uint8Array[]): Promise<Buffer> {
    if (!this.#open) return Promise.reject(new Error('it is not open'))
    const head = Buffer.alloc(HEAD_BYTES)
    head.writeUInt32LE(parts.reduce((sum, { length }) => sum + length, 0))
    head.write(letter, 4, 'latin1')
    const answer = this.#answer(letter)
    this.#child.stdin.write(Buffer.concat([head, ...parts]))
    return answer
  }

  #answer(letter: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting.get(letter)?.push({ resolve, reject })
    })
  }

  #onFrame(letter: string, content: Buffer): void {
    if (this.#over) return
    switch (letter) {
      case 'D':
        if (!this.#isStale()) this.#events.onData(content)
        return
      case 'E':
      case 'T':
        if (!this.#isStale()) this.#events.onEnd?.(letter === 'E')
        return
      case 'X': {
        const [name = '', ...doing] = content.toString().split(' ')
        return this.#lose(inSentence(name, doing.join(' '), this.#path))
      }
      case 'O':
        this.#open = true
    }
    this.#waiting.get(letter)?.shift()?.resolve(content)
  }

  /** What comes while something is still to be written can't be its answer, and who asked before has given up. */
  #isStale(): boolean {
    return (this.#waiting.get('W')?.length ?? 0) > 0
  }

  #lose(why: string): void {
    if (this.#over) return
    const wasOpen = this.#open
    this.#over = true
    this.#open = false
    this.#child.kill('SIGKILL')
    this.#rejectAll(new Error(why))
    if (wasOpen) this.#events.onLost(why)
  }

  #rejectAll(error: Error): void {
    for (const waiting of this.#waiting.values()) {
      for (const { reject } of waiting.splice(0)) reject(error)
    }
  }
}

/** Cuts what the helper says into frames: length, letter, content. */
class Frames {
  readonly #onFrame: (letter: string, content: Buffer) => void
  #kept: Buffer[] = []
  #length = 0

  constructor(onFrame: (letter: string, content: Buffer) => void) {
    this.#onFrame = onFrame
  }

  take(chunk: Buffer): void {
    this.#kept.push(chunk)
    this.#length += chunk.length
    while (this.#length >= HEAD_BYTES) {
      if ((this.#kept[0]?.length ?? 0) < HEAD_BYTES) this.#join()
      const needed = HEAD_BYTES + (this.#kept[0]?.readUInt32LE(0) ?? 0)
      if (this.#length < needed) return
      const all = this.#join()
      this.#kept = all.length > needed ? [all.subarray(needed)] : []
      this.#length = all.length - needed
      this.#onFrame(String.fromCharCode(all[4] ?? 0), all.subarray(HEAD_BYTES, needed))
    }
  }

  #join(): Buffer {
    const [first] = this.#kept
    const all = first && this.#kept.length === 1 ? first : Buffer.concat(this.#kept)
    this.#kept = [all]
    return all
  }
}

function startFailure(error: Error): string {
  if ('code' in error && error.code === 'ENOENT') {
    return `it needs Python 3 at ${PYTHON}, which is not installed. On Debian: sudo apt-get install python3-minimal`
  }
  return messageOf(error)
}

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file: is it switched on and plugged in?',
  ENXIO: 'nothing is behind it: is it plugged in?',
  EACCES: 'golem may not open it: see deploy/udev, which gives such files to the group golem',
  ENOTTY: 'it is another kind of file',
  EPERM: 'golem may not open it: the service lacks a DeviceAllow= for such files',
  EBUSY: 'another program has it open',
  ENODEV: 'it was unplugged',
  ESHUTDOWN: 'it was unplugged',
  EPIPE: 'it refused the transfer (endpoint stalled); it was cleared',
  ETIMEDOUT: 'it did not answer in time on the USB bus',
  EIO: 'it broke the rules of the USB bus (wrong header, tag or length); it was cleared',
  EPROTO: 'the USB bus is disturbed: look at the cable',
  EILSEQ: 'the USB bus is disturbed: look at the cable',
  EOVERFLOW: 'it sent more than was asked for',
}

function inSentence(name: string, doing: string, path: string): string {
  return `${SENTENCES[name] ?? 'the operating system refused'} (${path}: ${doing}, ${name})`
}
