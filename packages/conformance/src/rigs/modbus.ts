import { type Address, type Model, nameOf } from '@golem/core'
import { createModbusAnswerer, type ModbusAnswerer, readModelFile } from '@golem/drivers'
import {
  FaultyWire,
  modbusAnswerWith,
  modbusEnd,
  type ModbusLine,
  modbusRtuRequests,
  modbusTcpRequests,
  type ModbusUnit,
} from '@golem/simulator'
import { type FaultCase, SPOILT } from '../fault-cases.ts'
import type { Refusal, Rig, RigMaker } from '../rig.ts'
import { meaningAt, reach } from './line.ts'

const UNIT = 3
const BAUD_RATE = 19_200
/** Illegal data value. */
const EXCEPTION = 3

/**
 * @param line - Modbus TCP, RTU on a serial port, or RTU over TCP as a converter does it
 * @returns undefined: it is no model of Modbus in YAML, or its file has no `simulation`
 */
export function modbusRig(model: Model, line: ModbusLine): RigMaker | undefined {
  if (model.transport !== 'modbus' || model.file?.endsWith('.yaml') !== true) return undefined
  const { raw } = readModelFile(model.file)
  if (!raw || !createModbusAnswerer(raw)) return undefined
  return {
    model,
    more: wrongFrames(line),
    ...meaningAt(line === 'rtu' ? 'serial' : 'tcp'),
    make: (options = {}) => makeUnit(model, options, line),
  }
}

async function makeUnit(
  model: Model,
  options: Readonly<Record<string, unknown>>,
  line: ModbusLine,
): Promise<Rig> {
  const { raw } = readModelFile(model.file ?? '')
  const unit = raw && createModbusAnswerer(raw)
  if (!unit) throw new Error(`${model.id} has no simulation any more`)
  const wire = new FaultyWire({
    device: modbusEnd(line, new Map([[UNIT, unit]]), { reboot: () => unit.reset() }),
    requests: line === 'tcp' ? modbusTcpRequests : modbusRtuRequests,
    stranger: modbusEnd(line, new Map([[UNIT, strangerUnit(unit)]])),
  })
  const near = await reach(wire, line === 'rtu' ? 'serial' : 'tcp', { baudRate: BAUD_RATE })
  return {
    endpoint: addressOf(near.endpoint, line),
    another: addressOf(near.another, line),
    wire,
    options,
    refusal: refusalOf(line),
    reboot: async () => unit.reset(),
    close: () => near.close(),
  }
}

function addressOf(place: Address, line: ModbusLine): Address {
  if (place.kind === 'tcp')
    return { kind: 'modbus', framing: line === 'tcp' ? 'tcp' : 'rtu', place, unit: UNIT }
  if (place.kind === 'serial') return { kind: 'modbus', framing: 'rtu', place, unit: UNIT }
  throw new Error(`no Modbus at ${nameOf(place)}`)
}

/** An instrument of another maker: it has all these registers too, and other things stand in them. */
function strangerUnit(unit: ModbusAnswerer): ModbusUnit {
  return {
    answer: (pdu) => {
      const code = pdu[0] ?? 0
      // What is written to it stays with it.
      if (code > 4) return Buffer.from(pdu.subarray(0, 5))
      const answer = unit.answer(pdu)
      return answer[0] === code
        ? Buffer.concat([answer.subarray(0, 2), inverted(answer.subarray(2))])
        : answer
    },
  }
}

function inverted(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ 0xff))
}

function refusalOf(line: ModbusLine): Refusal {
  const at = line === 'tcp' ? 7 : 1
  return {
    match: (request) => (request[at] ?? 0) > 4,
    answer: (answer) =>
      modbusAnswerWith(line, answer, ({ unit, pdu }) => ({
        unit,
        pdu: Buffer.of((pdu[0] ?? 0) | 0x80, EXCEPTION),
      })),
    words: `exception ${EXCEPTION}`,
  }
}

/** What can be wrong with a frame besides its end: everything else in it is right, its checksum too. */
function wrongFrames(line: ModbusLine): FaultCase[] {
  const frameCase = (
    name: string,
    change: (frame: { unit: number; pdu: Buffer }) => { unit: number; pdu: Buffer },
  ): FaultCase => ({
    name,
    fault: () => ({ kind: 'terminator', spoil: (answer) => modbusAnswerWith(line, answer, change) }),
    codes: SPOILT,
  })
  const cases = [
    frameCase('wrong unit', ({ unit, pdu }) => ({ unit: unit + 1, pdu })),
    frameCase('wrong function', ({ unit, pdu }) => ({
      unit,
      pdu: Buffer.concat([Buffer.of((pdu[0] ?? 0) ^ 0x07), pdu.subarray(1)]),
    })),
    frameCase('wrong length', ({ unit, pdu }) => ({ unit, pdu: pdu.subarray(0, -1) })),
  ]
  if (line !== 'tcp') return cases
  const otherNumber = (answer: Buffer): Buffer => {
    const other = Buffer.from(answer)
    other.writeUInt16BE((answer.readUInt16BE(0) + 1) & 0xffff)
    return other
  }
  return [
    ...cases,
    {
      name: 'wrong transaction',
      fault: () => ({ kind: 'terminator', spoil: otherNumber }),
      codes: SPOILT,
    },
  ]
}
