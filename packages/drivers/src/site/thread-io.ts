import { type AskBytesOptions, type AskOptions, type Driver, GolemError, type MqttMessage } from '@golem/core'

/** How a thread reaches the io of a conversation. */
export interface IoLine {
  /** Calls a method there. @param judge - takes payloads that are offered; true ends the call with that payload */
  call(method: string, args: readonly unknown[], judge?: (payload: string) => boolean): Promise<unknown>
  /** As `call`, with a function that says whether an answer of bytes is complete. */
  callBytes(args: readonly unknown[], complete: AskBytesOptions['complete']): Promise<unknown>
  /** Calls a method there and does nothing else until it has answered. */
  callSync(method: string, args: readonly unknown[]): unknown
  /** What the driver makes of a line nobody asked for. */
  stray(line: string): void
  replyTimeoutMs: number
}

/** The methods that have nothing but values for arguments. */
const PLAIN: Readonly<Record<Driver['transport'], readonly string[]>> = {
  http: ['get', 'post', 'sleep'],
  line: ['send', 'sendBytes', 'sleep'],
  modbus: [
    'readCoils',
    'readDiscreteInputs',
    'readHoldingRegisters',
    'readInputRegisters',
    'writeCoil',
    'writeCoils',
    'writeRegister',
    'writeRegisters',
    'sleep',
  ],
  mqtt: ['publish', 'sleep'],
  hid: ['send', 'ask', 'sleep'],
}

/** All methods a driver may call in the other thread. */
export function ioMethods(transport: Driver['transport']): ReadonlySet<string> {
  const others = {
    line: ['ask', 'expect', 'askBytes'],
    mqtt: ['latest', 'expect'],
    http: [],
    modbus: [],
    hid: [],
  }
  return new Set([...PLAIN[transport], ...others[transport]])
}

/** What a driver sees of its instrument in one conversation. */
export function makeIo(transport: Driver['transport'], line: IoLine): object {
  const plain = Object.fromEntries(
    PLAIN[transport].map((method) => [method, (...args: unknown[]) => line.call(method, withoutEnd(args))]),
  )
  if (transport === 'line') return { ...plain, ...lineMethods(line) }
  if (transport === 'mqtt') return { ...plain, ...mqttMethods(line) }
  return plain
}

function lineMethods(line: IoLine): object {
  const ask = async (
    method: 'ask' | 'expect',
    first: string[],
    options: AskOptions = {},
  ): Promise<string> => {
    const { accept, timeoutMs } = options
    const given = timeoutMs === undefined ? {} : { timeoutMs }
    let came = (await line.call(method, [...first, given])) as string
    if (!accept) return came
    const startedAt = performance.now()
    const withinMs = timeoutMs ?? line.replyTimeoutMs
    // `accept` can't be asked in the other thread: it takes any line, and the next one when this is not it.
    const others: string[] = []
    while (!accept(came)) {
      line.stray(came)
      others.push(JSON.stringify(came.slice(0, 80)))
      const leftMs = withinMs - (performance.now() - startedAt)
      if (leftMs <= 0) {
        throw new GolemError(
          'REPLY_TIMEOUT',
          `No answer that the driver takes within ${withinMs} ms; what came was ${others.slice(-3).join(', ')}.`,
        )
      }
      came = (await line.call('expect', [{ timeoutMs: Math.ceil(leftMs) }])) as string
    }
    return came
  }
  return {
    ask: (text: string, options?: AskOptions) => ask('ask', [text], options),
    expect: (options?: AskOptions) => ask('expect', [], options),
    askBytes: (bytes: Uint8Array, { complete, ...others }: AskBytesOptions) =>
      line.callBytes([bytes, others], complete),
  }
}

function mqttMethods(line: IoLine): object {
  return {
    latest: (topic: string) => {
      const found = line.callSync('latest', [topic]) as { message: MqttMessage; agoMs: number } | undefined
      // Each thread has a clock of its own.
      return found && { ...found.message, at: performance.now() - found.agoMs }
    },
    expect: (
      topic: string,
      { accept, timeoutMs }: { timeoutMs?: number; accept?: (payload: string) => boolean } = {},
    ) => line.call('expect', [topic, timeoutMs === undefined ? {} : { timeoutMs }], accept),
  }
}

/** `undefined` at the end is as if it were not there. */
function withoutEnd(args: unknown[]): unknown[] {
  const given = [...args]
  while (given.length > 0 && given.at(-1) === undefined) given.pop()
  return given
}
