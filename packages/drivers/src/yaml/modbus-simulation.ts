import type { RawModel, Report } from './model-file.ts'
import { type RawModbusModel, type RawModbusSimulation, TABLES, type Table } from './modbus-schema.ts'

/** A unit that is played by the `simulation:` of its model file. It knows nothing of frames and time. */
export interface ModbusAnswerer {
  /** Takes a request, without unit and frame. @returns the answer, which may be an exception */
  answer(pdu: Uint8Array): Buffer
  /** What stands in a register or bit; undefined: it does not exist. */
  get(table: Table, address: number): number | undefined
  /** Sets one from outside, e.g. what is measured. */
  set(table: Table, address: number, word: number): void
  /** Power off and on: what was set is gone. */
  reset(): void
}

const [ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE] = [1, 2, 3] as const
const READ: Readonly<Record<number, Table>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' }
const WRITTEN: Readonly<Record<number, Table>> = { 5: 'coil', 6: 'holding', 15: 'coil', 16: 'holding' }

/**
 * Makes the simulated unit of a model file.
 *
 * @param raw - a model file without faults
 * @returns null when it has no `simulation`, or does not speak Modbus
 */
export function createModbusAnswerer(raw: RawModel): ModbusAnswerer | null {
  if (raw.transport !== 'modbus') return null
  return readModbusSimulation(raw, () => undefined)?.() ?? null
}

/** Compiles `simulation:`. @returns undefined when there is none */
export function readModbusSimulation(
  raw: RawModbusModel,
  report: Report,
): (() => ModbusAnswerer) | undefined {
  const { simulation } = raw
  if (!simulation) return undefined
  for (const [index, rule] of (simulation.follow ?? []).entries()) {
    if ((rule.input === undefined) === (rule.holding === undefined)) {
      report(['simulation', 'follow', index], 'It needs one of input and holding: which register follows.')
    }
  }
  for (const table of TABLES) {
    const bits = table === 'coil' || table === 'discrete'
    for (const [at, cells] of Object.entries(simulation[table] ?? {})) {
      const last = Number(at) + (Array.isArray(cells) ? cells.length : 1) - 1
      const good = [cells].flat().every((cell) => isCell(cell, bits))
      if (good && last <= 0xffff) continue
      report(
        ['simulation', table, at],
        bits ? 'Bits are true, false, 0 or 1.' : 'Words are whole numbers from -32768 to 65535.',
      )
    }
  }
  return () => new Simulated(simulation)
}

function isCell(cell: number | boolean, bits: boolean): boolean {
  const number = Number(cell)
  return Number.isInteger(number) && number >= (bits ? 0 : -0x8000) && number <= (bits ? 1 : 0xffff)
}

class Simulated implements ModbusAnswerer {
  readonly #simulation: RawModbusSimulation
  readonly #tables: Readonly<Record<Table, Map<number, number>>> = {
    coil: new Map(),
    discrete: new Map(),
    input: new Map(),
    holding: new Map(),
  }

  constructor(simulation: RawModbusSimulation) {
    this.#simulation = simulation
    this.reset()
  }

  get(table: Table, address: number): number | undefined {
    return this.#tables[table].get(address)
  }

  set(table: Table, address: number, word: number): void {
    this.#tables[table].set(address, word & 0xffff)
  }

  reset(): void {
    for (const table of TABLES) {
      this.#tables[table].clear()
      for (const [at, cells] of Object.entries(this.#simulation[table] ?? {})) {
        for (const [n, cell] of [cells].flat().entries()) this.set(table, Number(at) + n, Number(cell))
      }
    }
    this.#follow()
  }

  answer(pdu: Uint8Array): Buffer {
    const request = Buffer.from(pdu)
    const code = request[0] ?? 0
    const answer = this.#answer(code, request)
    return typeof answer === 'number' ? Buffer.of(code | 0x80, answer) : answer
  }

  #answer(code: number, request: Buffer): Buffer | number {
    const [read, written] = [READ[code], WRITTEN[code]]
    if (!read && !written) return ILLEGAL_FUNCTION
    if (request.length < 5) return ILLEGAL_VALUE
    const [address, last] = [request.readUInt16BE(1), request.readUInt16BE(3)]
    if (read) return this.#read(code, read, address, last)
    const table = written ?? 'holding'
    const words = code < 15 ? [table === 'coil' ? Number(last !== 0) : last] : wordsIn(code, request, last)
    if (words === undefined || (code === 5 && last !== 0 && last !== 0xff00)) return ILLEGAL_VALUE
    if (words.some((_, n) => this.get(table, address + n) === undefined)) return ILLEGAL_ADDRESS
    for (const [n, word] of words.entries()) this.set(table, address + n, word)
    this.#follow()
    return Buffer.from(request.subarray(0, 5))
  }

  #read(code: number, table: Table, address: number, count: number): Buffer | number {
    const bits = code < 3
    if (count < 1 || count > (bits ? 2000 : 125)) return ILLEGAL_VALUE
    const data = Buffer.alloc(bits ? Math.ceil(count / 8) : 2 * count)
    for (let n = 0; n < count; n += 1) {
      const word = this.get(table, address + n)
      if (word === undefined) return ILLEGAL_ADDRESS
      if (bits) data[n >> 3] = (data[n >> 3] ?? 0) | (word << (n & 7))
      else data.writeUInt16BE(word, 2 * n)
    }
    return Buffer.concat([Buffer.of(code, data.length), data])
  }

  #follow(): void {
    for (const { input, holding, words = 1, to } of this.#simulation.follow ?? []) {
      for (let n = 0; n < words; n += 1) {
        const word = this.get('holding', to + n)
        if (word !== undefined)
          this.set(input === undefined ? 'holding' : 'input', (input ?? holding ?? 0) + n, word)
      }
    }
  }
}

/** What functions 15 and 16 write; undefined when the request does not add up. */
function wordsIn(code: number, request: Buffer, count: number): number[] | undefined {
  const bytes = code === 15 ? Math.ceil(count / 8) : 2 * count
  if (count < 1 || request[5] !== bytes || request.length !== 6 + bytes) return undefined
  return Array.from({ length: count }, (_, n) =>
    code === 15 ? ((request[6 + (n >> 3)] ?? 0) >> (n & 7)) & 1 : request.readUInt16BE(6 + 2 * n),
  )
}
