import { GrblController, type GrblSettings } from '../grbl-controller.ts'
import type { DeviceEnd, DeviceLine } from './device-end.ts'
import { isGrblRealTime } from './requests.ts'

/** A stage with Grbl as the end of a wire. It is on from the beginning. */
export interface GrblEnd extends DeviceEnd {
  state(): Record<string, unknown>
  reboot: () => void
  powerOff(): void
}

/** Makes one. What it says by itself goes to all who are connected. */
export function grblEnd(settings: GrblSettings): GrblEnd {
  const lines = new Set<DeviceLine>()
  const controller = new GrblController(settings, { now: () => performance.now() }, (text) => {
    for (const line of lines) line.emit(Buffer.from(text, 'latin1'))
  })
  /** What has come of a line that is not complete. One line for all, as on a serial port. */
  let piece = ''
  controller.powerOn()
  return {
    state: () => controller.state(),
    reboot: () => {
      piece = ''
      controller.powerOn()
    },
    powerOff: () => controller.powerOff(),
    connect: (line) => {
      lines.add(line)
      return {
        receive: (request, answer) => {
          const say = (text: string): void => answer(Buffer.from(text, 'latin1'))
          const [first = 0] = request
          if (isGrblRealTime(first)) {
            if (first === 0x18) piece = ''
            controller.realTime(first, say)
            return
          }
          piece += request.toString('latin1').replaceAll('\r', '')
          if (!piece.endsWith('\n')) return
          const whole = piece.slice(0, -1)
          piece = ''
          controller.line(whole, say)
        },
        close: () => void lines.delete(line),
      }
    },
  }
}
