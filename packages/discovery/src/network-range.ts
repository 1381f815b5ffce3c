import { isIPv4 } from 'node:net'
import { GolemError } from '@golem/core'

/** The largest range that is looked through: more is no laboratory's bench. */
const MAX_HOSTS = 1024

/** Networks that are nobody's but the laboratory's own (RFC 1918), and this machine. */
const PRIVATE: readonly (readonly [network: string, bits: number])[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
]

/**
 * The hosts of a range, without network and broadcast address.
 *
 * @param text - `192.168.1.0/28`, or one address
 * @throws CONFIG_INVALID when it is no range, too large, or not private: looking through other people's networks is
 *   not for a laboratory's tool
 */
export function hostsOf(text: string): string[] {
  const [address = '', length = '32', ...rest] = text.split('/')
  const bits = Number(length)
  const refuse = (why: string): GolemError =>
    new GolemError('CONFIG_INVALID', `"${text}" ${why} Write a range like 192.168.1.0/28.`)
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || bits > 32 || rest.length > 0) {
    throw refuse('is no range of IPv4 addresses.')
  }
  const size = 2 ** (32 - bits)
  if (size > MAX_HOSTS) throw refuse(`has ${size} addresses; at most ${MAX_HOSTS} are looked through (/22).`)
  const first = Math.floor(numberOf(address) / size) * size
  const isPrivate = PRIVATE.some(([network, width]) => {
    const from = numberOf(network)
    return first >= from && first + size <= from + 2 ** (32 - width)
  })
  if (!isPrivate)
    throw refuse(
      "is not private (10.x, 172.16-31.x, 192.168.x): only the laboratory's own network is looked through.",
    )
  const [from, to] = size > 2 ? [first + 1, first + size - 1] : [first, first + size]
  return Array.from({ length: to - from }, (_, index) => textOf(from + index))
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
