import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { findHid, listHid } from './hid-find.ts'
import { findUsbtmc, listUsbtmc } from './usbtmc-find.ts'

const sysfs = fs.mkdtempSync(path.join(os.tmpdir(), 'golem-sysfs-'))
const roots = { sysfs, dev: '/dev' }

/** As the kernel has it: the interface below the USB device, and `device` a link to it. */
function plugUsbtmc(name: string, port: string, facts: Record<string, string>): void {
  const device = path.join(sysfs, 'devices', 'usb1', port)
  const entry = path.join(device, `${port}:1.0`, 'usbmisc', name)
  fs.mkdirSync(entry, { recursive: true })
  fs.symlinkSync(`../../../${port}:1.0`, path.join(entry, 'device'))
  for (const [file, text] of Object.entries(facts)) fs.writeFileSync(path.join(device, file), `${text}\n`)
  fs.mkdirSync(path.join(sysfs, 'class', 'usbmisc'), { recursive: true })
  fs.symlinkSync(
    path.relative(path.join(sysfs, 'class', 'usbmisc'), entry),
    path.join(sysfs, 'class', 'usbmisc', name),
  )
}

function plugHid(name: string, id: string, serial: string): void {
  const folder = path.join(sysfs, 'class', 'hidraw', name, 'device')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(
    path.join(folder, 'uevent'),
    `DRIVER=hid-generic\nHID_ID=${id}\nHID_NAME=Lamp = one\nHID_UNIQ=${serial}\n`,
  )
}

before(() => {
  plugUsbtmc('usbtmc0', '1-1', {
    idVendor: '1ab1',
    idProduct: '0588',
    serial: 'DS1ET1',
    manufacturer: 'Rigol',
    product: 'DS1000',
  })
  plugUsbtmc('usbtmc3', '1-2', { idVendor: '1AB1', idProduct: '0E11', serial: 'DP8:7' })
  plugUsbtmc('lp0', '1-3', { idVendor: '04b8', idProduct: '0005', serial: 'PRINTER' })
  plugHid('hidraw0', '0003:0000046D:0000C31C', '')
  plugHid('hidraw1', '0003:00000888:00004000', 'A1')
  plugHid('hidraw2', '0003:00000888:00004000', 'B2')
})
after(() => fs.rmSync(sysfs, { recursive: true }))

test('USBTMC instruments are found by vendor, product and serial number, wherever they are plugged in', () => {
  const [vendor, product] = ['1ab1', '0e11']
  assert.equal(findUsbtmc({ kind: 'usbtmc', vendor, product, serial: 'DP8:7' }, roots), '/dev/usbtmc3')
  assert.equal(findUsbtmc({ kind: 'usbtmc', path: '/dev/usbtmc9' }, roots), '/dev/usbtmc9')
  assert.deepEqual(
    listUsbtmc(roots).map(({ path: file, name }) => [file, name]),
    [
      ['/dev/usbtmc0', 'Rigol DS1000'],
      ['/dev/usbtmc3', ''],
    ],
  )
  assert.throws(
    () => findUsbtmc({ kind: 'usbtmc', vendor, product, serial: 'OTHER' }, roots),
    /no such instrument is plugged in, but usbtmc:1ab1:0588:DS1ET1 \(Rigol DS1000\), usbtmc:1ab1:0e11:DP8:7/,
  )
})

test('HID devices are found by vendor and product, with a serial number where there are several', () => {
  const lamp = { kind: 'hid', vendor: '0888', product: '4000' } as const
  assert.equal(findHid({ ...lamp, serial: 'B2' }, roots), '/dev/hidraw2')
  assert.equal(findHid({ kind: 'hid', vendor: '046d', product: 'c31c', serial: null }, roots), '/dev/hidraw0')
  assert.throws(
    () => findHid({ ...lamp, serial: null }, roots),
    /several .*hid:0888:4000:A1 .*hid:0888:4000:B2/,
  )
  assert.throws(
    () => findHid({ ...lamp, serial: 'C3' }, roots),
    /no such device is plugged in, but hid:0888:4000:A1/,
  )
  assert.throws(
    () => findHid({ ...lamp, product: '4001', serial: null }, roots),
    /no such device is plugged in$/,
  )
  assert.equal(listHid(roots)[1]?.name, 'Lamp = one')
})

test('where there is no such kind of device, none are found', () => {
  const nowhere = { sysfs: path.join(sysfs, 'nowhere') }
  assert.deepEqual([listUsbtmc(nowhere), listHid(nowhere)], [[], []])
})
