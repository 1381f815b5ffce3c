import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What a USB device says of itself in the kernel's tree. */
export interface UsbFacts {
  /** Four hex digits each. */
  vendor: string
  product: string
  serial: string | null
  manufacturer: string | null
  name: string | null
}

/** The entries of a folder; one that is not there has none. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

/** A file of the kernel's tree without its line end; null when there is none. */
export async function textOf(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

/** Where a link leads; null when it leads nowhere. */
export async function targetOf(link: string): Promise<string | null> {
  try {
    return await realpath(link)
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

/**
 * The USB device that a device of another class hangs on: the nearest folder above it that has USB ids.
 *
 * @param entry - e.g. /sys/class/tty/ttyUSB0/device
 * @param root - of the kernel's tree; it is not left
 */
export async function usbDeviceOf(entry: string, root: string): Promise<UsbFacts | null> {
  const top = await targetOf(root)
  let folder = await targetOf(entry)
  while (folder !== null && top !== null && folder.startsWith(top) && folder !== top) {
    const vendor = await textOf(join(folder, 'idVendor'))
    const product = await textOf(join(folder, 'idProduct'))
    if (vendor && product) {
      return {
        vendor,
        product,
        serial: await textOf(join(folder, 'serial')),
        manufacturer: await textOf(join(folder, 'manufacturer')),
        name: await textOf(join(folder, 'product')),
      }
    }
    folder = dirname(folder)
  }
  return null
}

/** Maker, product and serial number in one line. */
export function usbLabel({ manufacturer, name, vendor, product, serial }: UsbFacts): string {
  const words = [manufacturer, name].filter((word) => word !== null && word !== '')
  const known = words.length > 0 ? words.join(' ') : `USB ${vendor}:${product}`
  return serial === null || serial === '' ? known : `${known}, ${serial}`
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // EINVAL and EIO: a device that has just gone, or a file the kernel does not fill in.
  return ['ENOENT', 'ENOTDIR', 'ENODEV', 'EINVAL', 'EIO', 'EACCES'].includes(String(code))
}
