import { setTimeout as sleep } from 'node:timers/promises'
import type { WireFault } from '../wire/faults.ts'
import { tcpEnd } from '../wire/device-end.ts'
import { type Arrived, FaultyWire } from '../wire/wire.ts'
import { brokerEnd, type SimulatedBroker, startBroker } from './broker.ts'
import { MqttDevice, type PlayedMqttDevice } from './device.ts'
import { isMessage, mqttRequests } from './packets.ts'

/** How long a device's greeting may take through the broker, in ms. */
const GREETING_MS = 1000

/** These are the device's; the others are those of the connection between the client and the broker. */
const OF_DEVICE: ReadonlySet<WireFault['kind']> = new Set([
  'offline',
  'late',
  'drop',
  'duplicate',
  'stuck',
  'wrongIdentity',
  'reboot',
])

/**
 * The wire between a client and a broker, with a device behind the broker. A fault happens where it can: what concerns
 * bytes and connections on the wire, what concerns messages in the device.
 */
export class BrokerWire extends FaultyWire {
  #device: MqttDevice | undefined
  readonly #broker: SimulatedBroker

  private constructor(broker: SimulatedBroker) {
    super({ device: brokerEnd(tcpEnd('127.0.0.1', broker.port)), requests: mqttRequests })
    this.#broker = broker
  }

  /** Starts a broker, a device on it, and the wire to it. */
  static async start(played: PlayedMqttDevice): Promise<BrokerWire> {
    const broker = await startBroker()
    const wire = new BrokerWire(broker)
    try {
      wire.#device = await MqttDevice.start(played, broker.port, (error) => void wire.errors.push(error))
    } catch (error) {
      await broker.close()
      throw error
    }
    return wire
  }

  get device(): MqttDevice {
    if (!this.#device) throw new Error('The device has not started.')
    return this.#device
  }

  /** A message has passed only when the device has carried it out: the broker taking it is not enough. */
  override get arrived(): readonly Arrived[] {
    const { heard } = this.device
    return super.arrived.map((entry) => {
      if (!isMessage(entry.bytes)) return entry
      const { key: wanted, at: from } = entry
      return {
        ...entry,
        get passed() {
          return heard.some(({ key, at, passed }) => passed && key === wanted && at >= from)
        },
      }
    })
  }

  /** Ends the device and the broker. */
  async close(): Promise<void> {
    await this.#device?.close()
    await this.#broker.close()
  }

  override async setFaults(faults: readonly WireFault[], seed = 1): Promise<void> {
    const ofDevice = faults.filter((fault) => isOfDevice(fault))
    await super.setFaults(
      faults.filter((fault) => !isOfDevice(fault)),
      seed,
    )
    const before = this.counters.requests
    const wasAway = this.device.isAway
    await this.device.setFaults(ofDevice, seed)
    if (!wasAway || this.device.isAway) return
    // Until the client can know that it is back, when it listens at all.
    const giveUpAt = performance.now() + GREETING_MS
    while (this.counters.requests === before && performance.now() < giveUpAt) await sleep(5)
  }
}

function isOfDevice({ kind, where }: WireFault): boolean {
  return OF_DEVICE.has(kind) || (kind === 'garbage' && where === 'instead')
}
