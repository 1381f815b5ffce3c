import { isNetwork, messageOf, parseAddress, type SerialSettings } from '@golem/core'
import { isLoopback, LOOPBACK, parseDuration } from '@golem/config'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable } from '../format.ts'

interface GatewayOptions extends CommonOptions {
  address: string
  port: number
  listen: string
  allow?: string[]
  readOnly?: boolean
  baud?: number
  end: keyof typeof ENDS
  answerEnd?: keyof typeof ENDS
  replies: 'query' | 'always' | 'quiet'
  timeout: string
  rfc2217?: boolean
}

const ENDS = { lf: '\n', crlf: '\r\n', cr: '\r' } as const

/** `golem gateway`: shares one instrument over TCP, without a site. */
export function gateway(program: Command, context: Context): Command {
  return program
    .command('gateway')
    .description(
      'shares one instrument (serial, USBTMC, TCP, Modbus) with any number of programs over TCP, without a site; Ctrl-C ends it',
    )
    .requiredOption('--address <address>', 'where it is, e.g. usbtmc:/dev/usbtmc0 or serial:/dev/ttyUSB0')
    .option('--port <port>', 'TCP port to open; 0: any free one', portOf, 5025)
    .option('--listen <address>', 'address to listen on', '127.0.0.1')
    .option('--allow <networks...>', 'addresses and networks that may come (default: this machine only)')
    .option('--read-only', 'only queries pass')
    .option('--baud <speed>', 'of a serial line (default: as the address says, else 9600)', speedOf)
    .addOption(
      new Option('--end <end>', 'what ends a message to it').choices(Object.keys(ENDS)).default('lf'),
    )
    .addOption(
      new Option('--answer-end <end>', 'what ends its answers (default: lf; cr when --end is cr)').choices(
        Object.keys(ENDS),
      ),
    )
    .addOption(
      new Option('--replies <when>', 'when it answers: to a query (?), always, or until it is quiet')
        .choices(['query', 'always', 'quiet'])
        .default('query'),
    )
    .option('--timeout <time>', 'the longest silence before and within an answer', '10 s')
    .option('--rfc2217', 'clients speak telnet with the settings of the serial line (RFC 2217)')
    .addHelpText(
      'after',
      [
        '\nThe programs take turns, message by message, and each gets its own answers. A question that is not answered in',
        'time stays without an answer; what comes late is thrown away. With a Modbus unit, whatever its line, they speak',
        'Modbus TCP.',
        '\nExamples:',
        '  golem gateway --address usbtmc:/dev/usbtmc0 --listen 0.0.0.0 --allow 10.0.0.0/24',
        '  golem gateway --address serial:/dev/ttyUSB0 --baud 19200 --end crlf --port 2217 --rfc2217',
        '  golem gateway --address "modbus-rtu:/dev/ttyUSB0?unit=1&baud=19200" --port 1502',
        "  then e.g.: lxi scpi -r -a 10.0.0.5 -p 5025 '*IDN?'",
      ].join('\n'),
    )
    .action(async (options: GatewayOptions) => {
      const { openOneOff } = await import('@golem/gateway')
      const allow = options.allow ?? LOOPBACK
      const faulty = allow.find((text) => !isNetwork(text))
      if (faulty !== undefined) {
        throw new CliError(
          'usage',
          `--allow ${faulty} is no address. Write one like 10.0.0.7, or a network like 10.0.0.0/24.`,
        )
      }
      if (options.allow === undefined && !isLoopback(options.listen)) {
        throw new CliError(
          'usage',
          `Listening on ${options.listen} lets everybody who reaches that address drive the instrument. Say who may come, e.g. --allow 10.0.0.0/24.`,
        )
      }
      const timeoutMs = parseDuration(options.timeout)
      if (timeoutMs === null || timeoutMs < 10) {
        throw new CliError('usage', `--timeout ${options.timeout} is no time. Write e.g. 500 ms or 10 s.`)
      }
      const tell = (what: string, message: string): void =>
        options.json ? context.out(JSON.stringify({ what, message })) : context.err(printable(message))
      const serial: SerialSettings = options.baud === undefined ? {} : { baudRate: options.baud }
      let settle: { resolve: (port: number) => void; reject: (error: unknown) => void } | undefined
      const opened = new Promise<number>((resolve, reject) => {
        settle = { resolve, reject }
      })
      const end = ENDS[options.answerEnd ?? (options.end === 'cr' ? 'cr' : 'lf')]
      const running = openOneOff({
        endpoint: endpointOf(options.address),
        listen: options.listen,
        port: options.port,
        allow,
        readOnly: options.readOnly === true,
        timeoutMs,
        sendTerminator: ENDS[options.end],
        receiveTerminator: end,
        replies: options.replies,
        serial,
        telnet: options.rfc2217 === true,
        onLog: (message) => tell('log', message),
        onTrouble: (message) =>
          settle?.reject(new CliError('failed', message.replace(' It is tried again.', ''))),
        onOpened: (port) => settle?.resolve(port),
      })
      try {
        const port = await opened
        const what = `${options.listen}:${port} speaks with ${options.address}${options.readOnly ? ', for reading only' : ''}.`
        context.out(options.json ? JSON.stringify({ what: 'open', listen: options.listen, port }) : what)
        await running.probe().catch((error: unknown) => {
          tell('log', `Not there yet: ${messageOf(error)} It is tried again when a program asks.`)
        })
        await ended(context.signal)
      } finally {
        await running.close()
      }
    })
}

function endpointOf(text: string): ReturnType<typeof parseAddress> {
  const address = parseAddress(text)
  if (['serial', 'tcp', 'usbtmc', 'modbus'].includes(address.kind)) return address
  throw new CliError(
    'usage',
    `${text} is no line to share. Write serial:/dev/serial/by-id/..., usbtmc:/dev/usbtmc0, tcp://host:port, or modbus-rtu:/dev/serial/by-id/...?unit=1.`,
  )
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

function speedOf(text: string): number {
  if (/^[1-9]\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('A speed is a number like 9600 or 115200.')
}
