import { Tc420Device, UsbtmcInstrument } from '@golem/simulator'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { createAnswerer, readModelFile } from '@golem/drivers'
import { connect } from 'mqtt'
import { SerialPort } from 'serialport'

// Instruments that answer at once, each in a process of its own so that both ends do not share a thread:
// `transports-end KIND [PLACE]`. Says where it is when it is ready. Ends with its parent.

const ENDS: Readonly<Record<string, (place: string) => Promise<string>>> = {
  'line-tcp': () => listen(0, answerLines),
  'line-unix': (path) => listen(path, answerLines),
  usbtmc: async (path) =>
    (await UsbtmcInstrument.start({ path, answer: (message) => message.replace('ECHO? ', '') })).address,
  hid: async (path) => (await Tc420Device.start({ path })).address,
  http: () =>
    new Promise((resolve) => {
      const server = createHttpServer((request, response) => response.end(request.url?.slice(1)))
      server.listen(0, '127.0.0.1', () => resolve(String((server.address() as AddressInfo).port)))
    }),
  'modbus-tcp': () => listen(0, answerModbusTcp),
  'modbus-rtu': (path) => listen(path, answerModbusRtu),
  mqtt: answerMqtt,
  scope: (file) => listen(0, answerAs(file)),
  reader: readLines,
}

function listen(at: number | string, serve: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      serve(socket)
    })
    const told = (): void =>
      resolve(typeof at === 'string' ? at : String((server.address() as AddressInfo).port))
    if (typeof at === 'string') server.listen(at, told)
    else server.listen(at, '127.0.0.1', told)
  })
}

/** Each line comes back, `ECHO? ` taken off. */
function answerLines(socket: Socket): void {
  let rest = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) socket.write(`${line.replace('ECHO? ', '')}\n`, 'latin1')
  })
}

/** One register is read; it has its own address as value. */
function answerModbusTcp(socket: Socket): void {
  let held = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    for (; held.length >= 12; held = held.subarray(12)) {
      const answer = Buffer.from([0, 0, 0, 0, 0, 5, held[6] ?? 0, 3, 2, 0, 0])
      held.copy(answer, 0, 0, 2)
      held.copy(answer, 9, 8, 10)
      socket.write(answer)
    }
  })
}

/** The same by RTU. The checksum is reckoned by a table: the bench is about the other side. */
function answerModbusRtu(socket: Socket): void {
  let held = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    for (; held.length >= 8; held = held.subarray(8)) {
      const answer = Buffer.from([held[0] ?? 0, 3, 2, held[2] ?? 0, held[3] ?? 0, 0, 0])
      answer.writeUInt16LE(crc(answer.subarray(0, 5)), 5)
      socket.write(answer)
    }
  })
}

function crc(bytes: Uint8Array): number {
  let value = 0xffff
  for (const byte of bytes) value = (value >>> 8) ^ (CRC_TABLE[(value ^ byte) & 0xff] ?? 0)
  return value
}

const CRC_TABLE = Array.from({ length: 256 }, (_, start) => {
  let value = start
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1
  return value
})

/** A device behind the broker at this port: it tells its new state as soon as it is told to change it. */
async function answerMqtt(port: string): Promise<string> {
  const client = connect(`mqtt://127.0.0.1:${port}`)
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
  })
  await client.subscribeAsync('bench/+/set', { qos: 1 })
  client.on('message', (topic, payload) => {
    client.publish(topic.replace(/set$/, 'state'), payload)
  })
  return port
}

/** The instrument of a model file. A waveform is reckoned once: the bench is about the other side. */
function answerAs(file: string): (socket: Socket) => void {
  const { raw } = readModelFile(file)
  const instrument = raw && createAnswerer(raw)
  if (!instrument) throw new Error(`${file} has no simulation.`)
  let waveform: Buffer | null = null
  return (socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      const answer = line === ':WAV:DATA?' ? (waveform ??= instrument.answer(line)) : instrument.answer(line)
      if (answer) socket.write(answer)
    })
  }
}

/** No instrument but a reader, of what comes by itself from these ports. @param paths - with commas between */
async function readLines(paths: string): Promise<string> {
  for (const path of paths.split(',')) {
    const port = new SerialPort({ path, baudRate: 4800, autoOpen: false })
    await new Promise<void>((resolve, reject) => {
      port.open((error) => (error ? reject(error) : resolve()))
    })
    let rest = ''
    port.on('data', (bytes: Buffer) => {
      rest = (rest + bytes.toString('latin1')).split('\n').pop() ?? ''
    })
  }
  return ''
}

const [kind = '', place = ''] = process.argv.slice(2)
const start = ENDS[kind]
if (!start) throw new Error(`There is no end "${kind}".`)
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true, url: await start(place) })
