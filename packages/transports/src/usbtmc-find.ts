import fs from 'node:fs'
import path from 'node:path'
import type { UsbtmcAddress } from '@golem/core'

/** Where the kernel tells of devices and where their files are; tests have folders of their own. */
export interface DeviceRoots {
  /** default /sys */
  sysfs?: string
  /** default /dev */
  dev?: string
}

/** A USBTMC instrument that is plugged in. */
export interface UsbtmcFile {
  path: string
  /** Ids as four hex digits, lower case. */
  vendor: string
  product: string
  serial: string
  /** Maker and product as the device names itself. */
  name: string
}

/** All USBTMC instruments that are plugged in. Those that vanish meanwhile are left out. */
export function listUsbtmc({ sysfs = '/sys', dev = '/dev' }: DeviceRoots = {}): UsbtmcFile[] {
  return entriesOf(path.join(sysfs, 'class', 'usbmisc'))
    .filter((name) => name.startsWith('usbtmc'))
    .flatMap((name) => {
      // `device` is the interface, and the folder above it the USB device: links have to be followed first.
      const place = realPath(path.join(sysfs, 'class', 'usbmisc', name, 'device'))
      if (place === undefined) return []
      const fact = (file: string): string => textOf(path.join(path.dirname(place), file))
      return [
        {
          path: path.join(dev, name),
          vendor: fact('idVendor').toLowerCase(),
          product: fact('idProduct').toLowerCase(),
          serial: fact('serial'),
          name: `${fact('manufacturer')} ${fact('product')}`.trim(),
        },
      ]
    })
}

/**
 * The device file of an instrument, which may be another one each time it is plugged in.
 *
 * @throws when it is not plugged in, with what is
 */
export function findUsbtmc(address: UsbtmcAddress, roots: DeviceRoots = {}): string {
  if ('path' in address) return address.path
  const { vendor, product, serial } = address
  const all = listUsbtmc(roots)
  const found = all.find(
    (each) => each.vendor === vendor && each.product === product && each.serial === serial,
  )
  if (found) return found.path
  const others = all.map((each) => `usbtmc:${each.vendor}:${each.product}:${each.serial} (${each.name})`)
  throw new Error(`no such instrument is plugged in${others.length > 0 ? `, but ${others.join(', ')}` : ''}`)
}

/** What a folder of sysfs has; nothing when there is no such kind of device. */
export function entriesOf(folder: string): string[] {
  return gone(() => fs.readdirSync(folder).sort()) ?? []
}

/** A file of sysfs without white space around; '' when it is not there. */
export function textOf(file: string): string {
  return gone(() => fs.readFileSync(file, 'utf8').trim()) ?? ''
}

function realPath(link: string): string | undefined {
  return gone(() => fs.realpathSync(link))
}

/** The outcome, or undefined when the device is not there (any more). */
function gone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTDIR') return undefined
    throw error
  }
}
