import { fileURLToPath } from 'node:url'

/**
 * A Python file that lets a program take the unix sockets of simulated USB devices for device files. What it replaces
 * are the system calls, nothing nearer to golem. Its folder in PYTHONPATH does it for any program, its path as
 * `usbDrivers` of a link for golem's own helper.
 */
export const USB_DRIVERS = fileURLToPath(new URL('../usb-shim/sitecustomize.py', import.meta.url))
