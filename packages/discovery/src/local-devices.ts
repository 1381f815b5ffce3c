import { join } from 'node:path'
import type { FoundDevice } from './device.ts'
import { entriesOf, targetOf, textOf, usbDeviceOf, usbLabel } from './sysfs.ts'

export interface LocalOptions {
  /** The kernel's tree and the device files; others only in tests. */
  sys?: string
  dev?: string
}

/** HID devices that golem has a model for; keyboards and mice are HID devices too. */
const KNOWN_HID = new Set(['0888:4000'])

/** Serial ports, USBTMC instruments and known HID devices of this machine. Nothing is opened. */
export async function findLocalDevices({ sys = '/sys', dev = '/dev' }: LocalOptions = {}): Promise<
  FoundDevice[]
> {
  const found = await Promise.all([serialPorts(sys, dev), usbtmcFiles(sys, dev), hidFiles(sys, dev)])
  return found.flat()
}

async function serialPorts(sys: string, dev: string): Promise<FoundDevice[]> {
  const names = await namesById(dev)
  const ports: FoundDevice[] = []
  for (const port of await entriesOf(join(sys, 'class', 'tty'))) {
    const entry = join(sys, 'class', 'tty', port)
    const device = await targetOf(join(entry, 'device'))
    // Consoles and pseudo terminals hang on no device; type 0 is a serial port the board does not have.
    if (device === null || (await textOf(join(entry, 'type'))) === '0') continue
    const file = join(dev, port)
    const usb = await usbDeviceOf(join(entry, 'device'), sys)
    const byId = names.get(file)
    ports.push({
      kind: 'serial',
      address: `serial:${encodeURI(byId ?? file)}`,
      file,
      label: usb ? usbLabel(usb) : `built-in port ${port}`,
      ...(usb && byId === undefined
        ? { note: 'It has no name of its own (no serial number): it may be another port after a restart.' }
        : {}),
    })
  }
  return ports
}

/** The lasting name of each serial port, by its device file. */
async function namesById(dev: string): Promise<Map<string, string>> {
  const folder = join(dev, 'serial', 'by-id')
  const names = new Map<string, string>()
  for (const name of await entriesOf(folder)) {
    const file = await targetOf(join(folder, name))
    if (file !== null) names.set(file, join(folder, name))
  }
  return names
}

async function usbtmcFiles(sys: string, dev: string): Promise<FoundDevice[]> {
  const files: FoundDevice[] = []
  for (const name of await entriesOf(join(sys, 'class', 'usbmisc'))) {
    if (!name.startsWith('usbtmc')) continue
    const usb = await usbDeviceOf(join(sys, 'class', 'usbmisc', name, 'device'), sys)
    files.push({
      kind: 'usbtmc',
      address: usb?.serial
        ? `usbtmc:${usb.vendor}:${usb.product}:${encodeURIComponent(usb.serial)}`
        : `usbtmc:${join(dev, name)}`,
      file: join(dev, name),
      label: usb ? usbLabel(usb) : name,
      ...(usb?.serial ? {} : { note: 'Its number may be another one after a restart.' }),
    })
  }
  return files
}

async function hidFiles(sys: string, dev: string): Promise<FoundDevice[]> {
  const files: FoundDevice[] = []
  for (const name of await entriesOf(join(sys, 'class', 'hidraw'))) {
    const usb = await usbDeviceOf(join(sys, 'class', 'hidraw', name, 'device'), sys)
    if (usb === null || !KNOWN_HID.has(`${usb.vendor}:${usb.product}`)) continue
    const serial = usb.serial ? `:${encodeURIComponent(usb.serial)}` : ''
    files.push({
      kind: 'hid',
      address: `hid:${usb.vendor}:${usb.product}${serial}`,
      file: join(dev, name),
      label: usbLabel(usb),
    })
  }
  return files
}
