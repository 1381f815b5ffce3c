import { delimiter, dirname } from 'node:path'
import { USB_DRIVERS } from '@golem/simulator'

/**
 * From now on this process's children take unix sockets for USB device files: the outermost thing that is replaced are
 * the system calls of the helper that opens them (apps/simulator/usb-shim).
 */
export function pretendUsb(): void {
  const rest = process.env['PYTHONPATH']
  const shim = dirname(USB_DRIVERS)
  process.env['PYTHONPATH'] = rest === undefined ? shim : [shim, rest].join(delimiter)
  process.env['PYTHONDONTWRITEBYTECODE'] = '1'
}
