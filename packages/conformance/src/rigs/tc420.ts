import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Model, parseAddress } from '@golem/core'
import {
  answererEnd,
  FaultyWire,
  reportRequests,
  serveHid,
  Tc420Controller,
  USB_DRIVERS,
} from '@golem/simulator'
import type { Rig, RigMaker } from '../rig.ts'

/** Command code of the packet that sets the channels. */
const CHANNELS = 0x16

/** What has no meaning for reports. */
const WITHOUT: Readonly<Record<string, string>> = {
  'slow drip': 'a HID report goes over the bus whole or not at all',
  'half-open connection':
    'the bus has no connection that one end could have lost: the kernel says when a device is gone (see refuse and cut), or it is silent (see silence)',
}

/** @returns undefined: it is another model */
export function tc420Rig(model: Model): RigMaker | undefined {
  if (model.id !== 'tc420') return undefined
  return { model, without: WITHOUT, deaf: ['cut'], make: (options = {}) => makeController(options) }
}

async function makeController(options: Readonly<Record<string, unknown>>): Promise<Rig> {
  const controller = new Tc420Controller()
  const wire = new FaultyWire({
    device: answererEnd((packet) => controller.take(packet)),
    requests: reportRequests,
    // A keyboard, say: what it sends are no answers.
    stranger: answererEnd(() => Buffer.from([0, 0, 4, 0, 0, 0, 0, 0])),
  })
  const folder = mkdtempSync(join(tmpdir(), 'golem-conformance-'))
  const near = await serveHid(wire, join(folder, 'hidraw'))
  return {
    endpoint: parseAddress(near.address),
    wire,
    options,
    usbDrivers: USB_DRIVERS,
    truth: () =>
      Object.fromEntries((controller.light ?? []).map((percent, index) => [`channel${index + 1}`, percent])),
    refusal: {
      match: (packet) => packet[2] === CHANNELS,
      answer: (answer) => refused(wire, answer),
      words: 'refused',
    },
    // Power comes from the lamps' supply: without it the device leaves the bus, too.
    reboot: async () => {
      controller.interrupt()
      wire.hangUp()
    },
    close: async () => {
      await near.close()
      controller.interrupt()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** It refuses by repeating the request. */
function refused(wire: FaultyWire, answer: Buffer): Buffer {
  return wire.arrived.at(-1)?.bytes ?? answer
}
