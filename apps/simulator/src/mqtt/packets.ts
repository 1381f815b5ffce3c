import type { Requests } from '../wire/requests.ts'

/** Control packet types. Source: MQTT 5.0, table 2-1; the same in 3.1.1. */
const PUBLISH = 3
const NAMES = [
  '',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
]

/** How long the first packet is; undefined: it is not whole yet. */
export function packetLength(pending: Buffer): number | undefined {
  const size = variableInteger(pending, 1)
  if (size === undefined) return undefined
  const length = 1 + size.bytes + size.value
  return pending.length < length ? undefined : length
}

/** Does this packet bring a message, rather than answer something? */
export function isMessage(packet: Buffer): boolean {
  return typeOf(packet) === PUBLISH
}

/** What a message is called in lists of requests. */
export function messageKey(topic: string, payload: string): string {
  return `${topic} ${payload}`
}

/** A message as a packet (QoS 0), as `match` of a fault gets to see it. */
export function publishPacket(topic: string, payload: string): Buffer {
  const name = Buffer.from(topic)
  const body = Buffer.concat([Buffer.of(name.length >> 8, name.length & 0xff), name, Buffer.from(payload)])
  const size: number[] = []
  let rest = body.length
  do {
    size.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>= 7
  } while (rest > 0)
  return Buffer.concat([Buffer.of(PUBLISH << 4, ...size), body])
}

/** The packets of clients of MQTT 3.1.1. Equal messages have the same key, whatever their number. */
export const mqttRequests: Requests = {
  length: packetLength,
  key: (packet) => {
    const type = typeOf(packet)
    const head = variableInteger(packet, 1)
    if (type !== PUBLISH || !head) return NAMES[type] ?? ''
    const from = 1 + head.bytes
    const end = from + 2 + packet.readUInt16BE(from)
    const numbered = (packet.readUInt8(0) & 0x06) !== 0
    return messageKey(
      packet.toString('utf8', from + 2, end),
      packet.toString('utf8', end + (numbered ? 2 : 0)),
    )
  },
  // Packets say at their beginning how long they are.
  spoilEnd: (answer) => answer,
}

function typeOf(packet: Buffer): number {
  return (packet[0] ?? 0) >> 4
}

/** Source: MQTT 3.1.1, 2.2.3. */
function variableInteger(bytes: Buffer, from: number): { value: number; bytes: number } | undefined {
  let value = 0
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[from + index]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) return { value, bytes: index + 1 }
  }
  throw new Error('This is no MQTT: a length has more than four bytes.')
}
