import { type Address, type Driver, isNetwork, type Model } from '@golem/core'
import { LOOPBACK } from './access-list.ts'
import { readDuration, type Report } from './check-instrument.ts'
import { isLoopback } from './check-web.ts'
import { clip } from './in-words.ts'
import type { RawGateway, RawInstrument } from './site-schema.ts'
import type { GatewayConfig } from './site.ts'
import type { Path } from './yaml-source.ts'

const DEFAULT_LISTEN = '127.0.0.1'
const TIMEOUT_MIN_MS = 10
const TIMEOUT_MAX_MS = 600_000

/** What the whole site says of its gateway. */
export type SiteGateway = Pick<RawGateway, 'listen' | 'allow' | 'readOnly'>

/** Checks what the site says for all its gateway ports. */
export function checkSiteGateway(raw: SiteGateway | undefined, report: Report): void {
  if (raw === undefined) return
  checkAllow(raw.allow, ['gateway', 'allow'], report)
  if (raw.listen !== undefined && !isLoopback(raw.listen) && raw.allow === undefined) {
    report(['gateway', 'listen'], needsAllow(raw.listen))
  }
}

/**
 * Reads the gateway port of an instrument.
 *
 * @param site - what holds where the instrument says nothing
 */
export function readGateway(
  raw: RawInstrument,
  endpoint: Address | null,
  path: Path,
  around: {
    report: Report
    models: ReadonlyMap<string, Model> | undefined
    siteGateway?: SiteGateway | undefined
  },
): GatewayConfig | null {
  const { gateway } = raw
  if (gateway === undefined) return null
  const { report, siteGateway = {} } = around
  const place = [...path, 'gateway']
  checkTransport(raw, endpoint, place, around)
  checkModbus(raw, endpoint, place, around)
  checkAllow(gateway.allow, [...place, 'allow'], report)
  const listen = gateway.listen ?? siteGateway.listen ?? DEFAULT_LISTEN
  const allow = gateway.allow ?? siteGateway.allow
  if (gateway.listen !== undefined && !isLoopback(listen) && allow === undefined) {
    report([...place, 'listen'], needsAllow(listen))
  }
  const telnet = gateway.telnet ?? 'raw'
  if (telnet === 'rfc2217' && endpoint !== null && !['serial', 'sim'].includes(endpoint.kind)) {
    report(
      [...place, 'telnet'],
      'RFC 2217 is about the settings of a serial line, and this address is none. Write raw, or leave it out.',
    )
  }
  const timeoutMs =
    gateway.timeout === undefined
      ? null
      : (readDuration(gateway.timeout, [TIMEOUT_MIN_MS, TIMEOUT_MAX_MS], [...place, 'timeout'], report) ??
        null)
  return {
    listen,
    port: gateway.port ?? 0,
    allow: (allow ?? LOOPBACK).filter((entry) => entry !== undefined),
    readOnly: gateway.readOnly ?? siteGateway.readOnly ?? false,
    telnet,
    timeoutMs,
  }
}

/** Two ports of one number on one machine can't both be opened. */
export function checkGatewayPorts(
  instruments: readonly { id: string; host: string | null; gateway: GatewayConfig | null }[],
  web: { port: number; portFixed: boolean },
  report: Report,
): void {
  for (const [index, { host, gateway }] of instruments.entries()) {
    if (gateway === null || gateway.port === 0) continue
    const path = ['instruments', index, 'gateway', 'port']
    const first = instruments
      .slice(0, index)
      .find(
        (other) =>
          other.gateway?.port === gateway.port &&
          (other.host === host || other.host === null || host === null) &&
          overlap(other.gateway.listen, gateway.listen),
      )
    if (first) report(path, `"${first.id}" has the port ${gateway.port} already. Give each its own.`)
    else if (web.portFixed && gateway.port === web.port) {
      report(path, `The page has the port ${gateway.port}. Give one of them another.`)
    }
  }
}

const TRANSPORTS: Readonly<Record<Driver['transport'], string | null>> = {
  line: null,
  http: 'It speaks HTTP, and browsers and scripts may speak to it directly',
  modbus: null,
  mqtt: 'It speaks MQTT, and its broker takes other clients anyway',
  hid: 'It takes USB reports',
}

function checkTransport(
  raw: RawInstrument,
  endpoint: Address | null,
  path: Path,
  { report, models }: { report: Report; models: ReadonlyMap<string, Model> | undefined },
): void {
  const model = raw.model === undefined ? undefined : models?.get(raw.model)
  const kinds = ['serial', 'tcp', 'usbtmc', 'modbus', 'sim']
  const why = model
    ? TRANSPORTS[model.transport]
    : endpoint && !kinds.includes(endpoint.kind)
      ? 'It is none'
      : null
  if (why === null) return
  report(
    path,
    `The gateway is for instruments that speak in lines, over a serial port, TCP or USBTMC, or Modbus. ${why}. Remove "gateway".`,
    'key',
  )
}

/** A Modbus unit has a language without lines, and its answers have the time its model says. */
function checkModbus(
  { model, gateway }: RawInstrument,
  endpoint: Address | null,
  path: Path,
  { report, models }: { report: Report; models: ReadonlyMap<string, Model> | undefined },
): void {
  if (endpoint?.kind !== 'modbus' && models?.get(model ?? '')?.transport !== 'modbus') return
  if (endpoint?.kind === 'modbus' && endpoint.framing === 'rtu' && endpoint.unit === 0) {
    report(path, 'Unit 0 is all units of the line, and none of them answers. Remove "gateway".', 'key')
  }
  if (endpoint?.kind === 'sim' && gateway?.telnet === 'rfc2217') {
    report([...path, 'telnet'], 'Clients of a Modbus unit speak Modbus TCP. Write raw, or leave it out.')
  }
  if (gateway?.timeout !== undefined) {
    report(
      [...path, 'timeout'],
      'The answers of a Modbus unit are waited for as its model says. Remove "timeout".',
      'key',
    )
  }
}

/** Reports what is no address or network. */
export function checkAllow(allow: RawGateway['allow'], path: Path, report: Report): void {
  for (const [index, entry] of (allow ?? []).entries()) {
    if (entry === undefined || isNetwork(entry)) continue
    report(
      [...path, index],
      `"${clip(entry)}" is no address. Write an address like 10.0.0.7 or a network like 10.0.0.0/24.`,
    )
  }
}

function needsAllow(listen: string): string {
  return `Listening on ${listen} lets everybody who reaches that address drive the instrument, without a token. Name the addresses that may come under "allow", e.g. [10.0.0.0/24], or leave "listen" out to serve this machine only.`
}

function overlap(a: string, b: string): boolean {
  const any = ['0.0.0.0', '::']
  return a === b || any.includes(a) || any.includes(b)
}
