import type { Sba5Spec } from '../device.ts'
import { Sba5Analyser } from '../sba5-analyser.ts'
import { Sba5CommandReader } from '../sba5-settings.ts'
import { Stand } from '../stand.ts'
import type { DeviceEnd, DeviceLine } from './device-end.ts'

/** An SBA-5 as the end of a wire, with what it is really set to. It is on from the beginning. */
export interface Sba5End extends DeviceEnd {
  state(): Record<string, unknown>
  reboot: () => void
  powerOff(): void
}

/** Makes one in air that does not change, with sensors without noise. */
export function sba5End(spec: Sba5Spec): Sba5End {
  const clock = { now: () => performance.now() }
  const stand = new Stand(clock, 1e-9, 1, { noise: false })
  const lines = new Set<DeviceLine>()
  const bytesOf = (text: string): Buffer => Buffer.from(`${text}\r\n`, 'latin1')
  const analyser = new Sba5Analyser(spec, stand, clock, (text) => {
    for (const line of lines) line.emit(bytesOf(text))
  })
  analyser.powerOn()
  return {
    state: () => analyser.state(),
    reboot: () => {
      analyser.powerOff()
      analyser.powerOn()
    },
    powerOff: () => analyser.powerOff(),
    connect: (line) => {
      const reader = new Sba5CommandReader()
      lines.add(line)
      return {
        receive: (request, answer) => {
          for (const command of reader.push(request.toString('latin1'))) {
            const said = analyser.execute(command, true).lines
            if (said.length > 0) answer(bytesOf(said.join('\r\n')))
          }
        },
        close: () => void lines.delete(line),
      }
    },
  }
}
