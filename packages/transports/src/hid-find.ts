import path from 'node:path'
import type { HidAddress } from '@golem/core'
import { type DeviceRoots, entriesOf, textOf } from './usbtmc-find.ts'

/** A HID device that is plugged in. */
export interface HidFile {
  path: string
  /** Ids as four hex digits, lower case. */
  vendor: string
  product: string
  /** '' when it has none. */
  serial: string
  name: string
}

/** All HID devices that are plugged in. */
export function listHid({ sysfs = '/sys', dev = '/dev' }: DeviceRoots = {}): HidFile[] {
  const folder = path.join(sysfs, 'class', 'hidraw')
  return entriesOf(folder).flatMap((name) => {
    const lines = textOf(path.join(folder, name, 'device', 'uevent')).split('\n')
    const fact = (key: string): string =>
      lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? ''
    // Bus, vendor and product, e.g. 0003:00000888:00004000.
    const ids = /^[0-9A-F]{4}:0000([0-9A-F]{4}):0000([0-9A-F]{4})$/i.exec(fact('HID_ID'))
    if (!ids) return []
    const [, vendor = '', product = ''] = ids.map((id) => id.toLowerCase())
    return [{ path: path.join(dev, name), vendor, product, serial: fact('HID_UNIQ'), name: fact('HID_NAME') }]
  })
}

/**
 * The device file of a HID device, which may be another one each time it is plugged in.
 *
 * @throws when it is not plugged in, or when the address fits several
 */
export function findHid(address: HidAddress, roots: DeviceRoots = {}): string {
  if ('path' in address) return address.path
  const { vendor, product, serial } = address
  const alike = listHid(roots).filter((each) => each.vendor === vendor && each.product === product)
  const found = serial === null ? alike : alike.filter((each) => each.serial === serial)
  const [first, second] = found
  if (first && !second) return first.path
  const names = alike.map((each) => `hid:${each.vendor}:${each.product}:${each.serial} (${each.path})`)
  if (first)
    throw new Error(
      `several such devices are plugged in: write the serial number or the path: ${names.join(', ')}`,
    )
  throw new Error(`no such device is plugged in${names.length > 0 ? `, but ${names.join(', ')}` : ''}`)
}
