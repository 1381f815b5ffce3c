import { delimiter, join } from 'node:path'
import { ROOT } from './root.ts'

/**
 * From now on this process's children take unix sockets for USB device files: the outermost thing that is replaced are
 * the system calls of the helper that opens them (test/kit/usb-shim).
 */
export function pretendUsb(): void {
  const rest = process.env['PYTHONPATH']
  const shim = join(ROOT, 'test', 'kit', 'usb-shim')
  process.env['PYTHONPATH'] = rest === undefined ? shim : [shim, rest].join(delimiter)
  process.env['PYTHONDONTWRITEBYTECODE'] = '1'
}
