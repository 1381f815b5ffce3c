import { BlockList, isIP } from 'node:net'

/** The addresses of this machine itself. */
export const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1']

/** Which addresses may come. */
export class AccessList {
  readonly #list = new BlockList()

  /** @param allowed - addresses and networks (`10.0.0.7`, `10.0.0.0/24`, `fd00::/8`), which have been checked */
  constructor(allowed: readonly string[]) {
    for (const entry of allowed) {
      const [address = '', bits] = entry.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.#list.addAddress(address, family)
      else this.#list.addSubnet(address, Number(bits), family)
    }
  }

  /** @param address - as `remoteAddress` has it */
  allows(address: string): boolean {
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** An IPv4 address that came over an IPv6 socket, as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}

/** Address and port as messages and the ledger name them. */
export function placeOf(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
