#!/usr/bin/env node
import fs from 'node:fs'
import { GolemError, messageOf } from '@golem/core'
import { Command, InvalidArgumentError } from 'commander'
import { pino } from 'pino'
import { demoDevices, esphomeDevice } from './demo-devices.ts'
import type { DeviceSpec } from './device.ts'
import { startSimulator } from './simulator.ts'

interface Flags {
  ports: Record<string, number>
  ptyDir?: string
  controlPort: number
  timeScale: number
  seed: number
  replyDelay: number
  realTimes?: true
  esphome?: true
  withParent?: true
  logLevel: string
}

/** How often it is looked whether the parent still lives, ms. */
const PARENT_CHECK_MS = 500
const CLOSE_WITHIN_MS = 900

const program = new Command('golem-simulator')
  .description("The demo stand's devices as real servers on this machine, with a growth chamber behind them.")
  .option(
    '--ports <name=port...>',
    'ports that boards are to have; the others get free ones',
    addPort,
    {} as Record<string, number>,
  )
  .option('--pty-dir <dir>', 'folder for the serial port of the SBA-5 (default: a temporary one)')
  .option('--control-port <port>', 'port of the control server, 0: a free one', wholeNumber, 0)
  .option('--time-scale <factor>', 'how many times faster than life the chambers go', positive, 1)
  .option('--seed <number>', 'seed of the noise', wholeNumber, 1)
  .option('--reply-delay <ms>', 'added to every answer', wholeNumber, 0)
  .option('--real-times', 'lamp and CO2 analyser take as long as real ones')
  .option('--esphome', 'an ESPHome node beside the boards')
  .option('--with-parent', 'end when the process that started this one ends or closes standard input')
  .option('--log-level <level>', 'what is logged to standard error', 'info')
  .addHelpText(
    'after',
    `
Prints one line {"ready":true,"addresses":{...},"control":"http://..."} when all devices are there.

Examples:
  golem-simulator --ports relay-1=8101 --pty-dir /tmp/ports --control-port 8100
  curl -X PUT http://127.0.0.1:8100/devices/relay-1/fault -d '{"kind":"delay","ms":3000}'`,
  )

function addPort(text: string, ports: Record<string, number>): Record<string, number> {
  for (const part of text.split(',')) {
    const [, name, port] = /^([a-z0-9_-]+)=(\d{1,5})$/.exec(part) ?? []
    if (name === undefined || Number(port) > 65_535)
      throw new InvalidArgumentError('Write name=port, e.g. relay-1=8101.')
    ports[name] = Number(port)
  }
  return ports
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It is a number above 0.')
  return value
}

function chosenDevices(flags: Flags): DeviceSpec[] {
  const devices = flags.esphome ? [...demoDevices(), esphomeDevice()] : demoDevices()
  for (const name of Object.keys(flags.ports)) {
    if (!devices.some((spec) => spec.name === name && spec.kind !== 'sba5')) {
      throw new GolemError('CONFIG_INVALID', `--ports: there is no board "${name}" here.`)
    }
  }
  return devices.map((spec): DeviceSpec => {
    if (spec.kind === 'sba5') return flags.realTimes ? { ...spec, warmUpSeconds: 300, zeroSeconds: 21 } : spec
    const port = flags.ports[spec.name]
    const placed = port === undefined ? spec : { ...spec, port }
    return flags.realTimes && placed.kind === 'pwm-lamp' ? { ...placed, infoDelayMs: 800 } : placed
  })
}

async function main(): Promise<void> {
  const flags = program.parse().opts<Flags>()
  const log = pino({ name: 'simulator', level: flags.logLevel }, pino.destination({ fd: 2, sync: true }))
  // Signals that come while it starts are obeyed when it has started.
  let stop: (why: string) => void = () => undefined
  const stopped = new Promise<string>((resolve) => (stop = resolve))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal))
  if (flags.withParent) watchParent(stop)

  const simulator = await startSimulator({
    devices: chosenDevices(flags),
    controlPort: flags.controlPort,
    timeScale: flags.timeScale,
    seed: flags.seed,
    replyDelayMs: flags.replyDelay,
    log,
    ...(flags.ptyDir === undefined ? {} : { ptyDir: flags.ptyDir }),
  })
  const { addresses, control } = simulator
  process.stdout.write(`${JSON.stringify({ ready: true, addresses, control })}\n`)

  log.info(`ends: ${await stopped}`)
  setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref()
  await simulator.close()
  process.exit(0)
}

/** Calls back when the parent has gone, or has closed the pipe that is our standard input. */
function watchParent(stop: (why: string) => void): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) stop('its parent has gone')
  }, PARENT_CHECK_MS).unref()
  // A file or /dev/null ends at once and says nothing about the parent.
  const stdin = fs.fstatSync(0)
  if (!stdin.isFIFO() && !stdin.isSocket()) return
  process.stdin.on('end', () => stop('standard input was closed'))
  process.stdin.on('error', (error) => stop(`standard input failed: ${messageOf(error)}`))
  process.stdin.resume()
  // Its parent's writes to a closed pipe of ours must not end us before we have closed properly.
  process.stdout.on('error', (error) => stop(`standard output failed: ${messageOf(error)}`))
}

main().catch((error: unknown) => {
  process.stderr.write(`golem-simulator: ${messageOf(error)}\n`)
  process.exit(1)
})
