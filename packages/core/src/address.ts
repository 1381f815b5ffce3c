import { GolemError } from './errors.ts'
import { parseVisaName } from './visa-name.ts'

/** How a serial line is set; what is absent is as the model says, else 9600 8N1 without flow control. */
export interface SerialSettings {
  baudRate?: number
  dataBits?: 5 | 6 | 7 | 8
  parity?: 'none' | 'even' | 'odd' | 'mark' | 'space'
  stopBits?: 1 | 1.5 | 2
  flowControl?: 'none' | 'rtscts' | 'xonxoff'
  /** What the DTR and RTS wires are set to after opening; absent: as the operating system does it (on). */
  dtr?: boolean
  rts?: boolean
}

export type SerialAddress = { kind: 'serial'; path: string } & SerialSettings
export type TcpAddress = { kind: 'tcp'; host: string; port: number }
/** A USBTMC instrument: its device file, or what identifies it wherever it is plugged in (ids as 4 hex digits). */
export type UsbtmcAddress =
  { kind: 'usbtmc'; path: string } | { kind: 'usbtmc'; vendor: string; product: string; serial: string }
/** A unit on a Modbus line. tcp: Modbus TCP frames; rtu: RTU frames with a checksum, on a serial line or on TCP. */
export type ModbusAddress =
  | { kind: 'modbus'; framing: 'tcp'; place: TcpAddress; unit: number }
  | { kind: 'modbus'; framing: 'rtu'; place: TcpAddress | SerialAddress; unit: number }
/** A USB HID device: its hidraw file, or its ids (4 hex digits each), with a serial number where there are several. */
export type HidAddress =
  { kind: 'hid'; path: string } | { kind: 'hid'; vendor: string; product: string; serial: string | null }

/** Where an instrument is, as site.yaml names it. */
export type Address =
  | { kind: 'http'; host: string; port: number; path: string }
  | TcpAddress
  | SerialAddress
  | UsbtmcAddress
  | ModbusAddress
  /** A broker, and the beginning of the instrument's topics ('' for none), without / at its ends. */
  | { kind: 'mqtt'; host: string; port: number; tls: boolean; topic: string }
  | HidAddress
  /** A device of the simulator, by its name there. */
  | { kind: 'sim'; name: string }

export type AddressKind = Address['kind']

const FORMS = [
  'http://host[:port][/path]',
  'tcp://host:port',
  'serial:/dev/serial/by-id/...[?baud=19200&bits=8&parity=none&stop=1&flow=none&dtr=on&rts=on]',
  'usbtmc:/dev/usbtmc0 or usbtmc:VENDOR:PRODUCT:SERIAL',
  'modbus-tcp://host[:502]/UNIT',
  'modbus-rtu:/dev/serial/by-id/...?unit=UNIT[&baud=19200&parity=even] or modbus-rtu://host:port/UNIT',
  'mqtt[s]://broker[:port][/topic]',
  'hid:/dev/hidraw0 or hid:VENDOR:PRODUCT[:SERIAL]',
  'a VISA resource name (TCPIP::host::5025::SOCKET, ASRL/dev/ttyUSB0::INSTR, USB::0x1AB1::0x0588::DS1K1::INSTR)',
  'sim:name (a simulated device)',
].join('; ')

/** What is wrong with an address. */
type Invalid = (why: string) => GolemError

/**
 * Reads an address: a URL or a VISA resource name.
 *
 * @throws CONFIG_INVALID with the forms that are understood
 */
export function parseAddress(text: string): Address {
  const invalid: Invalid = (why) =>
    new GolemError('CONFIG_INVALID', `"${text}" is not an address golem understands: ${why}. Write ${FORMS}.`)
  const visa = parseVisaName(text, invalid)
  if (visa) return visa
  if (!URL.canParse(text)) throw invalid('it is neither a URL nor a VISA resource name')
  const url = new URL(text)
  if (url.username || url.password) throw invalid('passwords do not belong there, use "auth"')
  if (text.includes('#')) throw invalid('it has a fragment (#)')
  const serialLike = ['serial:', 'modbus-rtu:'].includes(url.protocol) && !url.host
  if (url.search && !serialLike) throw invalid('it has a query (?)')
  switch (url.protocol) {
    case 'http:':
      return {
        kind: 'http',
        host: url.hostname,
        port: Number(url.port || 80),
        path: url.pathname.replace(/\/$/, ''),
      }
    case 'tcp:':
      return tcpPlace(url, invalid)
    case 'serial:':
      return serialPlace(url, invalid)
    case 'usbtmc:':
      return usbtmcAddress(url, invalid)
    case 'modbus-tcp:':
      return {
        kind: 'modbus',
        framing: 'tcp',
        place: tcpPlace(url, invalid, 502),
        unit: unitOf(url.pathname.slice(1) || '1', invalid),
      }
    case 'modbus-rtu:':
      return modbusRtuAddress(url, invalid)
    case 'mqtt:':
    case 'mqtts:': {
      const tls = url.protocol === 'mqtts:'
      const { host, port } = tcpPlace(url, invalid, tls ? 8883 : 1883)
      const topic = decoded(url.pathname, invalid).replaceAll(/^\/+|\/+$/g, '')
      if (/[+#]/.test(topic)) throw invalid('a topic there has no wildcards (+, #)')
      return { kind: 'mqtt', host, port, tls, topic }
    }
    case 'hid:':
      return hidAddress(url, invalid)
    case 'sim:':
      if (!/^[a-z0-9][a-z0-9_-]*$/.test(url.pathname))
        throw invalid('the name after sim: is a-z, 0-9, - and _')
      return { kind: 'sim', name: url.pathname }
    default:
      throw invalid(`"${url.protocol}" is not known`)
  }
}

function tcpPlace(url: URL, invalid: Invalid, defaultPort?: number): TcpAddress {
  if (!url.hostname || (!url.port && defaultPort === undefined)) {
    throw invalid(defaultPort === undefined ? 'host and port are both needed' : 'the host is needed')
  }
  return { kind: 'tcp', host: url.hostname, port: Number(url.port || defaultPort) }
}

const PARITIES = ['none', 'even', 'odd', 'mark', 'space'] as const
const FLOWS = ['none', 'rtscts', 'xonxoff'] as const

function serialPlace(url: URL, invalid: Invalid, alsoAllowed: readonly string[] = []): SerialAddress {
  if (!url.pathname.startsWith('/')) throw invalid('the path of the port has to begin with /')
  const known = ['baud', 'bits', 'parity', 'stop', 'flow', 'dtr', 'rts', ...alsoAllowed]
  for (const key of url.searchParams.keys()) {
    if (!known.includes(key)) throw invalid(`"${key}" is no setting of a line (${known.join(', ')})`)
  }
  const one = <T>(key: string, values: readonly T[]): T | undefined => {
    const text = url.searchParams.get(key)
    if (text === null) return undefined
    const value = values.find((each) => String(each) === text)
    if (value === undefined) throw invalid(`${key}=${text} is none of ${values.join(', ')}`)
    return value
  }
  const baud = url.searchParams.get('baud')
  if (baud !== null && !/^[1-9]\d{1,6}$/.test(baud)) throw invalid(`baud=${baud} is no speed`)
  const wire = (key: string): boolean | undefined => {
    const text = one(key, ['on', 'off'] as const)
    return text === undefined ? undefined : text === 'on'
  }
  return {
    kind: 'serial',
    path: decoded(url.pathname, invalid),
    ...given({
      baudRate: baud === null ? undefined : Number(baud),
      dataBits: one('bits', [5, 6, 7, 8] as const),
      parity: one('parity', PARITIES),
      stopBits: one('stop', [1, 1.5, 2] as const),
      flowControl: one('flow', FLOWS),
      dtr: wire('dtr'),
      rts: wire('rts'),
    }),
  }
}

function usbtmcAddress(url: URL, invalid: Invalid): UsbtmcAddress {
  if (url.pathname.startsWith('/')) return { kind: 'usbtmc', path: decoded(url.pathname, invalid) }
  const [vendor = '', product = '', ...rest] = decoded(url.pathname, invalid).split(':')
  const serial = rest.join(':')
  if (!serial) throw invalid('vendor, product and serial number are all needed')
  return { kind: 'usbtmc', vendor: usbId(vendor, invalid), product: usbId(product, invalid), serial }
}

function hidAddress(url: URL, invalid: Invalid): HidAddress {
  if (url.pathname.startsWith('/')) return { kind: 'hid', path: decoded(url.pathname, invalid) }
  const [vendor = '', product = '', ...rest] = decoded(url.pathname, invalid).split(':')
  return {
    kind: 'hid',
    vendor: usbId(vendor, invalid),
    product: usbId(product, invalid),
    serial: rest.join(':') || null,
  }
}

function modbusRtuAddress(url: URL, invalid: Invalid): ModbusAddress {
  if (url.host) {
    const unit = unitOf(url.pathname.slice(1), invalid)
    return { kind: 'modbus', framing: 'rtu', place: tcpPlace(url, invalid), unit }
  }
  const unit = unitOf(url.searchParams.get('unit') ?? '', invalid)
  return { kind: 'modbus', framing: 'rtu', place: serialPlace(url, invalid, ['unit']), unit }
}

function unitOf(text: string, invalid: Invalid): number {
  const unit = Number(text)
  if (!/^\d{1,3}$/.test(text) || unit > 255) throw invalid('the unit is a number from 0 to 255')
  return unit
}

/** A USB id as four hex digits: it is written so, or as 0x1AB1. */
function usbId(text: string, invalid: Invalid): string {
  const digits = text.replace(/^0x/i, '')
  if (!/^[0-9a-f]{4}$/i.test(digits)) throw invalid(`"${text}" is no USB id (four hex digits)`)
  return digits.toLowerCase()
}

function decoded(text: string, invalid: Invalid): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) throw invalid('its % signs are no URL encoding')
    throw error
  }
}

/** A table without the entries that are undefined. */
function given<T extends object>(table: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

/** The name of the physical connection behind an address: instruments with the same one share a link. */
export function linkOf(address: Address): string {
  switch (address.kind) {
    case 'http':
      return `http:${address.host}:${address.port}`
    case 'tcp':
      return `tcp:${address.host}:${address.port}`
    case 'serial':
      return `serial:${address.path}`
    case 'modbus':
      return linkOf(address.place)
    case 'mqtt':
      return `mqtt:${address.host}:${address.port}`
    case 'usbtmc':
    case 'hid':
      return `${address.kind}:${'path' in address ? address.path : usbNameOf(address)}`
    case 'sim':
      return `sim:${address.name}`
  }
}

/** Is it a device of one machine, which another one may have under the same name? */
export function isOfOneMachine(address: Address): boolean {
  if (address.kind === 'modbus') return address.place.kind === 'serial'
  return address.kind === 'serial' || address.kind === 'usbtmc' || address.kind === 'hid'
}

/** An address as messages name it. */
export function nameOf(address: Address): string {
  switch (address.kind) {
    case 'http':
      return `http://${address.host}:${address.port}${address.path}`
    case 'tcp':
      return `tcp://${address.host}:${address.port}`
    case 'serial':
      return `serial:${address.path}`
    case 'modbus':
      return `${nameOf(address.place)} (Modbus unit ${address.unit})`
    case 'mqtt':
      return `${address.tls ? 'mqtts' : 'mqtt'}://${address.host}:${address.port}${address.topic ? `/${address.topic}` : ''}`
    case 'usbtmc':
    case 'hid':
    case 'sim':
      return linkOf(address)
  }
}

function usbNameOf({
  vendor,
  product,
  serial,
}: {
  vendor: string
  product: string
  serial: string | null
}): string {
  return [vendor, product, ...(serial === null ? [] : [serial])].join(':')
}
