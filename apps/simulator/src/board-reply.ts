import type { Fault } from './faults.ts'

export interface BoardRequest {
  method: string
  /** Without query. */
  path: string
  query: URLSearchParams
  body: string
  authorization: string | undefined
}

/** How a board is to take a request under the fault that is set. */
export interface Circumstances {
  /** false: answer as if, but change nothing. */
  act: boolean
  /** The answer is to be well-formed and wrong. */
  wrong: { value: number; fields: readonly string[] | null } | null
  sensorMissing: boolean
}

export interface BoardReply {
  status: number
  contentType: string
  /** Sent after Content-Length, in this order. */
  headers?: readonly (readonly [string, string])[]
  body: string
  /** The connection is closed after it. */
  close?: boolean
  /** Something was changed by the request. */
  acted?: boolean
  /** The request was one that no careful client sends, e.g. a body beyond the board's buffer. */
  clientFault?: boolean
  /** Time the board takes for it, ms. */
  takesMs?: number
  /** After the answer the board starts anew, after so many ms. */
  rebootAfterMs?: number
}

/** The firmware of a board: what it answers and does, without any network. */
export interface Firmware {
  /** @returns null: the connection breaks without an answer and the board reboots */
  respond(request: BoardRequest, how: Circumstances): BoardReply | null
  /** Power has gone or a reboot begins: all outputs off. */
  powerOff(): void
  /** Begins to run; its uptime counts from now. */
  boot(): void
  state(): Record<string, unknown>
  /** Does it let somebody with this header in? */
  admits?(authorization: string | undefined): boolean
  /** Path of its stream of events, if it has one. */
  readonly eventsPath?: string
  /**
   * Streams its events to one client.
   *
   * @param how - asked whenever something is told
   * @returns ends it
   */
  stream?(send: (text: string) => void, how: () => Circumstances): () => void
}

export function plain(body: string, more: Partial<BoardReply> = {}): BoardReply {
  return { status: 200, contentType: 'text/html', body, ...more }
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  500: 'Internal Server Error',
}

export function reasonOf(status: number): string {
  return REASONS[status] ?? 'Unknown'
}

/** The headers of a reply in the order in which the boards send them. */
export function headersOf(reply: BoardReply): [string, string][] {
  return [
    ['Content-Type', reply.contentType],
    ['Content-Length', String(Buffer.byteLength(reply.body))],
    ...(reply.headers ?? []).map(([name, value]): [string, string] => [name, value]),
  ]
}

/** A whole reply as the bytes on the wire. */
export function renderReply(reply: BoardReply): Buffer {
  const head = headersOf(reply).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `HTTP/1.1 ${reply.status} ${reasonOf(reply.status)}\r\n${head.join('')}\r\n${reply.body}`,
  )
}

/** What the wrongValue fault makes of a measured value. */
export function misread(name: string, value: number, how: Circumstances): number {
  if (how.wrong === null) return value
  return how.wrong.fields === null || how.wrong.fields.includes(name) ? how.wrong.value : value
}

/** How a fault bears on what the board makes of a request. */
export function circumstances(fault: Fault | null, act: boolean): Circumstances {
  return {
    act,
    wrong: fault?.kind === 'wrongValue' ? { value: fault.value ?? 999, fields: fault.fields ?? null } : null,
    sensorMissing: fault?.kind === 'sensorMissing',
  }
}
