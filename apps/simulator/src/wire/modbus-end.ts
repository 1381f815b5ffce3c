import { modbusBytes, type ModbusLine, ModbusReader } from '../modbus-frames.ts'
import type { DeviceEnd } from './device-end.ts'

/** A unit on a line: it knows nothing of frames. */
export interface ModbusUnit {
  /** Takes a request, without unit and frame. @returns the answer, which may be an exception */
  answer(pdu: Uint8Array): Buffer
}

/**
 * Modbus units as the end of a wire. A request to unit 0 on a line is for all of them, and none answers.
 *
 * @param answeringAs - the unit that all answers say they are from (default: the one that was asked)
 */
export function modbusEnd(
  line: ModbusLine,
  units: ReadonlyMap<number, ModbusUnit>,
  options: Pick<DeviceEnd, 'reboot'> & { answeringAs?: number } = {},
): DeviceEnd {
  const { answeringAs, ...rest } = options
  return {
    ...rest,
    connect: () => {
      const reader = new ModbusReader(line)
      return {
        receive: (request, answer) => {
          for (const frame of reader.push(request).frames) {
            if (frame.unit === 0 && line !== 'tcp') {
              for (const unit of units.values()) unit.answer(frame.pdu)
              continue
            }
            const pdu = units.get(frame.unit)?.answer(frame.pdu)
            if (pdu) answer(modbusBytes(line, { ...frame, unit: answeringAs ?? frame.unit, pdu }))
          }
        },
        close: () => undefined,
      }
    },
  }
}

/** Another answer in the same frame: with the checksum, or the length, that then is right. */
export function modbusAnswerWith(
  line: ModbusLine,
  answer: Buffer,
  change: (frame: { unit: number; pdu: Buffer }) => { unit: number; pdu: Buffer },
): Buffer {
  const head = line === 'tcp' ? 7 : 1
  const pdu = answer.subarray(head, line === 'tcp' ? answer.length : answer.length - 2)
  const transaction = line === 'tcp' ? answer.readUInt16BE(0) : 0
  return modbusBytes(line, { transaction, ...change({ unit: answer[head - 1] ?? 0, pdu }) })
}
