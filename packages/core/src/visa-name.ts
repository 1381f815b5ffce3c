import type { Address } from './address.ts'
import type { GolemError } from './errors.ts'

/** The interfaces of VISA, and the class an omitted one stands for. Source: PyVISA's parser (rname.py, 2026-08). */
const CLASSES: Readonly<Record<string, { classes: readonly string[]; standard: string | null }>> = {
  ASRL: { classes: ['INSTR'], standard: 'INSTR' },
  TCPIP: { classes: ['INSTR', 'SOCKET'], standard: 'INSTR' },
  USB: { classes: ['INSTR', 'RAW'], standard: 'INSTR' },
  GPIB: { classes: ['INSTR', 'INTFC'], standard: 'INSTR' },
  'PRLGX-TCPIP': { classes: ['INTFC'], standard: null },
  'PRLGX-ASRL': { classes: ['INTFC'], standard: null },
  VICP: { classes: ['INSTR'], standard: 'INSTR' },
  PXI: { classes: ['INSTR', 'BACKPLANE', 'MEMACC'], standard: 'INSTR' },
  VXI: { classes: ['INSTR', 'BACKPLANE', 'MEMACC', 'SERVANT'], standard: 'INSTR' },
}

/**
 * Reads a VISA resource name as PyVISA does: case does not matter, the parts are parted by `::`, the board and the
 * class may be left out.
 *
 * @returns null when it is none (a URL, say)
 * @throws what `invalid` makes of it: parts are missing, or golem does not speak that interface
 */
export function parseVisaName(text: string, invalid: (why: string) => GolemError): Address | null {
  const kind = Object.keys(CLASSES)
    .sort((a, b) => b.length - a.length)
    .find((name) => text.toUpperCase().startsWith(name))
  const known = kind === undefined ? undefined : CLASSES[kind]
  if (kind === undefined || known === undefined) return null
  // ASRL names its port in the first part; a name of any other interface has a second one.
  if (!text.includes('::') && !(kind === 'ASRL' && text.length > 4 && !text.startsWith('asrl:'))) return null
  const [first = '', ...rest] = text.split('::')
  const after = first.slice(kind.length)
  if (kind !== 'ASRL' && !/^\d*$/.test(after)) return null
  const last = rest.at(-1)?.toUpperCase()
  const named = last !== undefined && known.classes.includes(last)
  if (named) rest.pop()
  const resourceClass = named ? last : known.standard
  switch (kind) {
    case 'ASRL':
      return serial(after, rest, invalid)
    case 'TCPIP':
      return tcpip(rest, resourceClass, invalid)
    case 'USB':
      return usb(rest, resourceClass, invalid)
    default:
      throw invalid(
        `golem has no ${kind} interface of its own; use the instrument's LAN, USB or serial port, or a converter to one of them`,
      )
  }
}

function serial(port: string, rest: readonly string[], invalid: (why: string) => GolemError): Address {
  if (rest.length > 0) throw invalid('ASRL takes a port and nothing else')
  if (!port.startsWith('/')) {
    throw invalid(
      `ASRL${port} is a port of another numbering; write the path of the port, e.g. ASRL/dev/ttyUSB0::INSTR`,
    )
  }
  return { kind: 'serial', path: port }
}

function tcpip(
  [host = '', ...rest]: readonly string[],
  resourceClass: string | null | undefined,
  invalid: (why: string) => GolemError,
): Address {
  if (host === '') throw invalid('the host is missing')
  if (host.startsWith('[')) throw invalid('VISA has no IPv6 literals; use a host name')
  if (resourceClass === 'SOCKET') {
    const [port] = rest
    if (port === undefined || rest.length > 1 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
      throw invalid('the port is missing, e.g. TCPIP::192.168.1.5::5025::SOCKET')
    }
    return { kind: 'tcp', host, port: Number(port) }
  }
  const [device] = rest
  if (device !== undefined && /^\d+$/.test(device)) {
    throw invalid(`a port needs the class SOCKET: TCPIP::${host}::${device}::SOCKET`)
  }
  throw invalid(
    `golem speaks neither VXI-11 nor HiSLIP; use the instrument's raw socket, e.g. TCPIP::${host}::5025::SOCKET (Rigol: 5555)`,
  )
}

function usb(
  [vendor, product, serialNumber, interfaceNumber, ...rest]: readonly string[],
  resourceClass: string | null | undefined,
  invalid: (why: string) => GolemError,
): Address {
  if (!vendor || !product || !serialNumber) {
    throw invalid('vendor, product and serial number are all needed')
  }
  if (resourceClass === 'RAW') throw invalid('golem speaks USBTMC (class INSTR), not raw USB')
  if (rest.length > 0 || (interfaceNumber !== undefined && !/^\d+$/.test(interfaceNumber))) {
    throw invalid('after the serial number comes at most the number of the interface')
  }
  const id = (text: string): string => {
    const number = /^0x[0-9a-f]{1,4}$/i.test(text) || /^\d{1,5}$/.test(text) ? Number(text) : NaN
    if (!(number <= 0xffff)) throw invalid(`"${text}" is no USB id (0x1AB1 or decimal)`)
    return number.toString(16).padStart(4, '0')
  }
  return { kind: 'usbtmc', vendor: id(vendor), product: id(product), serial: serialNumber }
}
