import { type Address, linkOf, parseAddress } from '@golem/core'
import type { FoundDevice } from './device.ts'
import { targetOf } from './sysfs.ts'

/**
 * The devices that none of these addresses means, whatever name it gives them: the file, a link to it, USB ids.
 *
 * @param devices - of this machine
 * @param addresses - of the instruments that may hang on it
 */
export async function unclaimed(
  devices: readonly FoundDevice[],
  addresses: readonly Address[],
): Promise<FoundDevice[]> {
  const links = new Set(addresses.map(linkOf))
  const files = new Set<string>()
  for (const address of addresses) {
    const place = address.kind === 'modbus' ? address.place : address
    if (!('path' in place) || place.kind === 'http') continue
    files.add((await targetOf(place.path)) ?? place.path)
  }
  return devices.filter(
    ({ address, file }) =>
      !links.has(linkOf(parseAddress(address))) && (file === undefined || !files.has(file)),
  )
}
